"""Which Python a source is written for."""

from __future__ import annotations

import ast
import re
import warnings

_SHEBANG = re.compile(rb"#![^\n]*\bpython([23])")

# names that mean Python 2 wherever they are read, and modules that only it has
_OLD_NAMES = frozenset("unicode basestring xrange raw_input execfile reduce apply unichr long cmp file coerce".split())
_OLD_ATTRIBUTES = frozenset(
    "has_key iteritems iterkeys itervalues im_func im_self im_class func_name func_code "
    "func_defaults maxint exc_type exc_value getcwdu".split()
)
_OLD_MODULES = frozenset(
    """Biskit pypvm pypvm_core cPickle cStringIO StringIO UserDict UserList UserString Queue
    ConfigParser HTMLParser Tkinter commands popen2 sets user new md5 sha exceptions __builtin__ thread urllib2 urlparse
    httplib Numeric copy_reg xmlrpclib SocketServer BaseHTTPServer""".split()
)
_NEW_NODES = tuple(
    getattr(ast, name)
    for name in """AsyncFunctionDef AsyncFor AsyncWith Await JoinedStr AnnAssign NamedExpr Nonlocal YieldFrom MatMult
                   Match TryStar TypeAlias""".split()
    if hasattr(ast, name)
)


class Ambiguous(Exception):
    """
    The source may be either, and it matters.

    Parameters
    ----------
    lineno : int
    what : str
        What means something else in each.
    """

    def __init__(self, lineno: int, what: str) -> None:
        super().__init__(lineno, what)
        self.lineno, self.what = lineno, what


def detect(source: bytes) -> int | None:
    """
    Tell the language of a source by what it says.

    Parameters
    ----------
    source : bytes

    Returns
    -------
    int or None
        2 or 3; None where it would pass for both.
    """
    shebang = _SHEBANG.match(source)
    if shebang:
        return int(shebang.group(1))
    tree = _parse(source)
    if tree is None:
        return 2
    found: int | None = None
    own = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)}
    own |= {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
    }
    own |= {node.name for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    own |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    for node in ast.walk(tree):
        if isinstance(node, _NEW_NODES) or _is_new(node):
            return 3
        if isinstance(node, ast.Name) and node.id in _OLD_NAMES and node.id not in own:
            found = 2
        elif isinstance(node, ast.Attribute) and node.attr in _OLD_ATTRIBUTES:
            found = 2
        elif isinstance(node, ast.Import) and any(a.name.partition(".")[0] in _OLD_MODULES for a in node.names):
            found = 2
        elif (
            isinstance(node, ast.ImportFrom)
            and not node.level
            and (node.module or "").partition(".")[0] in _OLD_MODULES
        ):
            found = 2
    return found


def _parse(source: bytes) -> ast.Module | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            tree = ast.parse(source)
            # some errors, such as a name declared global too late, only show here
            compile(tree, "<source>", "exec", dont_inherit=True)
        except (SyntaxError, ValueError):
            return None
    return tree


def _is_new(node: ast.AST) -> bool:
    """Tell whether only Python 3 has what a node says."""
    if isinstance(node, ast.FunctionDef):
        arguments = node.args
        return bool(
            node.returns
            or arguments.kwonlyargs
            or arguments.posonlyargs
            or any(a.annotation for a in (*arguments.args, arguments.vararg, arguments.kwarg) if a)
        )
    if isinstance(node, ast.ClassDef):
        return bool(node.keywords)
    if isinstance(node, ast.Raise):
        return node.cause is not None
    if isinstance(node, ast.Assign):
        return any(isinstance(part, ast.Starred) for target in node.targets for part in ast.walk(target))
    if isinstance(node, ast.Dict):
        return None in node.keys
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        if node.func.id == "super":
            return not node.args
        return node.func.id == "print" and any(word.arg in ("sep", "end", "file", "flush") for word in node.keywords)
    if isinstance(node, ast.ImportFrom):
        return node.module == "__future__" and any(
            alias.name in ("annotations", "generator_stop") for alias in node.names
        )
    return False


def check_unambiguous(source: bytes) -> None:
    """
    Refuse a source that passes for both languages, where they differ about it.

    Parameters
    ----------
    source : bytes

    Raises
    ------
    Ambiguous
    """
    tree = _parse(source)
    if tree is None:
        return
    futures = {
        alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module == "__future__"
        for alias in node.names
    }
    for node in ast.walk(tree):
        if isinstance(node, (ast.BinOp, ast.AugAssign)) and isinstance(node.op, ast.Div) and "division" not in futures:
            operands = (node.left, node.right) if isinstance(node, ast.BinOp) else (node.value,)
            if not any(isinstance(part, ast.Constant) and isinstance(part.value, float) for part in operands):
                raise Ambiguous(node.lineno, "a division ('/') that may be of integers")
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            name = node.func.id
            if name == "print" and len(node.args) != 1 and "print_function" not in futures:
                raise Ambiguous(node.lineno, "print(...) with more than one value")
            if name in ("input", "round", "map", "filter", "zip"):
                raise Ambiguous(node.lineno, f"{name}()")
