"""
Python 3 syntax trees that mean what Python 2 meant.

The tree comes from `syntax`. Where an operation has another meaning in Python 3 whatever its operands, or for some of
them, it becomes a call of a helper in `biskit_pvm.compat.python2.builtins`, which decides when the operands are known. Nothing is
guessed from a name: `x.sort(y)` calls the helper for ``sort``, and that looks whether `x` is a list.

What needs no change here: the built-in names. Translated code runs with a built-in namespace of its own, in which
``map``, ``open``, ``unicode`` or ``__import__`` are Python 2's; a script that has its own ``map`` keeps it.

Hidden variables have a dot in their name, which no source can spell.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable
from typing import Any, Callable, TypeVar

from biskit_pvm.compat.python2.translate.names import ARITHMETIC, CALLS, COMPARISONS, LOADS, STORES, call_helper
from biskit_pvm.compat.python2.translate.refusal import CannotTranslate
from biskit_pvm.compat.python2.translate.syntax import Syntax

_FUNCTIONS = (ast.FunctionDef, ast.Lambda)
_OWN_SCOPES = (ast.FunctionDef, ast.Lambda, ast.ClassDef, ast.GeneratorExp, ast.SetComp, ast.DictComp)

_Node = TypeVar("_Node", bound=ast.AST)


def convert(tree: ast.Module, syntax: Syntax, filename: str) -> ast.Module:
    """
    Change a tree in place so that Python 3 does what Python 2 did.

    Parameters
    ----------
    tree : ast.Module
        Parsed from ``syntax.text``.
    syntax : Syntax
    filename : str
        Only for errors.

    Returns
    -------
    ast.Module
        Ready to be compiled.

    Raises
    ------
    CannotTranslate
    """
    converter = _Converter(syntax, filename)
    converter.module(tree)
    return ast.fix_missing_locations(tree)


class _Scope:
    """What one function, class or module does with names."""

    def __init__(self, node: ast.AST, parent: _Scope | None) -> None:
        self.node = node
        self.parent = parent
        self.kind = (
            "function"
            if isinstance(node, _FUNCTIONS)
            else "class"
            if isinstance(node, ast.ClassDef)
            else "module"
            if isinstance(node, ast.Module)
            else "generator"
        )
        self.loads: Counter[str] = Counter()
        self.stores: set[str] = set()
        self.globals: set[str] = set()
        self.caught: set[str] = set()
        self.dynamic = False
        self.generator = False

    def is_local(self, name: str) -> bool:
        """Tell whether `name` is a variable of this function or one around it."""
        scope: _Scope | None = self
        while scope is not None and scope.kind != "module":
            if name in scope.globals:
                return False
            if scope.kind != "class" and name in scope.stores:
                return True
            scope = scope.parent
        return False


def _count_loads(node: ast.AST) -> Counter[str]:
    return Counter(n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load))


def _names_of(target: ast.AST) -> list[str]:
    return [n.id for n in ast.walk(target) if isinstance(n, ast.Name)]


def _load(name: str) -> ast.Name:
    return ast.Name(name, ast.Load())


def _store(name: str) -> ast.Name:
    return ast.Name(name, ast.Store())


def _call(helper: str, *args: ast.expr) -> ast.Call:
    return ast.Call(_load(helper), list(args), [])


def _at(place: ast.AST, *nodes: _Node) -> list[_Node]:
    """Give new nodes (and what is new inside them) the line of the node they replace."""
    for node in nodes:
        for inner in ast.walk(node):
            if not hasattr(inner, "lineno") and "lineno" in inner._attributes:
                ast.copy_location(inner, place)
    return list(nodes)


def _is_number(node: ast.AST) -> bool:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
        node = node.operand
    return isinstance(node, ast.Constant) and type(node.value) in (int, float, complex)


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, (ast.List, ast.ListComp, ast.Tuple)) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def _is_float(node: ast.AST) -> bool:
    if isinstance(node, ast.UnaryOp):
        node = node.operand
    return isinstance(node, ast.Constant) and type(node.value) in (float, complex)


def _is_certain_number(node: ast.AST) -> bool:
    """Tell whether an expression is a number whatever happens: a literal, or the length of something."""
    if isinstance(node, ast.Constant) and type(node.value) is complex:
        return False
    return _is_number(node) or (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "len" and len(node.args) == 1
    )


def _is_certain_whole(node: ast.AST) -> bool:
    return _is_certain_number(node) and not _is_float(node)


def _is_literal_container(node: ast.AST) -> bool:
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str)
    return isinstance(node, (ast.Tuple, ast.List)) and all(isinstance(item, ast.Constant) for item in node.elts)


def _is_simple_slice(node: ast.AST) -> bool:
    return isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice) and node.slice.step is None


#: functions whose result is no dictionary
_GIVE_LISTS = {
    *("range", "xrange", "zip", "map", "filter", "sorted", "reversed", "enumerate", "open", "file"),
    "__py2_getslice__",
    *map(call_helper, ("split", "splitlines", "keys", "values", "items", "iterkeys", "itervalues", "iteritems")),
}

#: what old code called a parameter that takes an exception
_NAMES_OF_ERRORS = {"e", "err", "error", "exc", "exception", "why"}


def _is_exc_info(node: ast.AST) -> bool:
    """Tell whether this is ``sys.exc_info()``."""
    if not isinstance(node, ast.Call) or node.args or node.keywords:
        return False
    function = node.func
    return getattr(function, "attr", None) == "exc_info" or getattr(function, "id", None) == "exc_info"


def _makes_exception(node: ast.AST) -> bool:
    """Tell whether an expression is an exception by its looks; a variable may hold one, too."""
    if isinstance(node, ast.Call):
        name = str(getattr(node.func, "attr", getattr(node.func, "id", "")))
        return name.endswith(("Error", "Exception", "Warning"))
    if isinstance(node, ast.Subscript):
        return _is_exc_info(node.value) and isinstance(node.slice, ast.Constant) and node.slice.value == 1
    return isinstance(node, ast.Attribute) and node.attr == "exc_value"


class _Converter(ast.NodeTransformer):
    def __init__(self, syntax: Syntax, filename: str) -> None:
        self._syntax = syntax
        self._filename = filename
        self._lines = syntax.text.split("\n")
        self._scope: _Scope
        self._comprehensions: list[ast.AST] = []
        self._in_handler = 0
        self._hidden = 0
        self._before: list[ast.stmt] = []
        self._true_division = "division" in syntax.futures

    def _refuse(self, reason: str, node: ast.AST) -> CannotTranslate:
        line = getattr(node, "lineno", 1)
        text = self._lines[line - 1] if line <= len(self._lines) else None
        return CannotTranslate(reason, self._filename, line, text)

    def _new_name(self) -> str:
        self._hidden += 1
        return f".{self._hidden}"

    # -- scopes

    def module(self, tree: ast.Module) -> None:
        self._scope = self._survey(tree, None)
        tree.body = self._block(tree.body)

    def _survey(self, node: ast.AST, parent: _Scope | None) -> _Scope:
        """Collect what a scope does with names, nested list comprehensions included."""
        scope = _Scope(node, parent)
        if isinstance(node, _FUNCTIONS):
            arguments = node.args
            for argument in (*arguments.args, arguments.vararg, arguments.kwarg):
                if argument is not None:
                    scope.caught.update(_NAMES_OF_ERRORS & {argument.arg})
                    scope.stores.update(
                        _names_of(self._target(argument.arg))
                        if argument.arg in self._syntax.targets
                        else [argument.arg]
                    )
            children: Iterable[ast.AST] = node.body if isinstance(node, ast.FunctionDef) else [node.body]
        elif isinstance(node, (ast.GeneratorExp, ast.SetComp, ast.DictComp)):
            children = ast.iter_child_nodes(node)
        else:
            assert isinstance(node, (ast.Module, ast.ClassDef))
            children = node.body
        for child in children:
            self._survey_into(scope, child)
        return scope

    def _survey_into(self, scope: _Scope, node: ast.AST) -> None:
        if isinstance(node, ast.Name):
            if isinstance(node.ctx, ast.Load):
                scope.loads[node.id] += 1
            else:
                scope.stores.add(node.id)
        elif isinstance(node, ast.Global):
            scope.globals.update(node.names)
        elif isinstance(node, (ast.Yield, ast.YieldFrom)):
            scope.generator = True
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                if alias.name == "*":
                    scope.dynamic = scope.dynamic or scope.kind == "function"
                else:
                    scope.stores.add(alias.asname or alias.name.partition(".")[0])
        elif isinstance(node, ast.ExceptHandler) and node.name:
            names = _names_of(self._target(node.name))
            scope.stores.update(names)
            scope.caught.update(names)
        elif isinstance(node, ast.Assign):
            scope.caught.update(self._given_exceptions(scope, node))
        elif isinstance(node, ast.Expr) and self._is_bare_exec(node.value):
            scope.dynamic = scope.dynamic or scope.kind == "function"
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            scope.stores.add(node.name)
        if isinstance(node, _OWN_SCOPES):
            # what a nested scope reads counts as read here: it may read our variable
            scope.loads.update(_count_loads(node))
            if not isinstance(node, ast.Lambda):
                for outside in (*getattr(node, "decorator_list", ()), *getattr(node, "bases", ())):
                    self._survey_into(scope, outside)
            return
        for child in ast.iter_child_nodes(node):
            self._survey_into(scope, child)

    @staticmethod
    def _given_exceptions(scope: _Scope, node: ast.Assign) -> Iterable[str]:
        """Yield the variables that an assignment may give an exception."""
        value = node.value
        for target in node.targets:
            if _is_exc_info(value) and isinstance(target, (ast.Tuple, ast.List)) and len(target.elts) == 3:
                yield from _names_of(target.elts[1])
            elif isinstance(target, ast.Name):
                if _makes_exception(value) or (isinstance(value, ast.Name) and value.id in scope.caught):
                    yield target.id

    @staticmethod
    def _is_bare_exec(node: ast.AST) -> bool:
        return (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == "__py2_exec__"
            and len(node.args) == 1
            and not (isinstance(node.args[0], ast.Tuple) and len(node.args[0].elts) in (2, 3))
        )

    def _target(self, stand_in: str, place: ast.AST | None = None) -> ast.expr:
        """Parse the assignment target that a stand-in name is for."""
        source = self._syntax.targets[stand_in]
        statement = ast.parse("\n".join(("(", source, ") = 0"))).body[0]
        assert isinstance(statement, ast.Assign)
        target = statement.targets[0]
        if place is not None:
            for inner in ast.walk(target):
                if "lineno" in inner._attributes:
                    ast.copy_location(inner, place)
        return target

    # -- statements

    def _block(self, statements: list[ast.stmt]) -> list[ast.stmt]:
        result: list[ast.stmt] = []
        for statement in statements:
            outer, self._before = self._before, []
            changed = self.visit(statement)
            result.extend(self._before)
            self._before = outer
            if isinstance(changed, list):
                result.extend(changed)
            elif changed is not None:
                result.append(changed)
        if statements and not result:
            result.append(ast.copy_location(ast.Pass(), statements[0]))
        return result

    def generic_visit(self, node: _Node) -> _Node:
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if isinstance(block, list) and block and isinstance(node, (ast.stmt, ast.ExceptHandler)):
                # the parts before the block first: they may put statements in front of the whole statement
                setattr(node, name, _Later(block))
        super().generic_visit(node)
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if isinstance(block, _Later):
                setattr(node, name, self._block(block.statements))
        return node

    def visit__Later(self, node: _Later) -> _Later:
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        node.decorator_list = [self.visit(decorator) for decorator in node.decorator_list]
        self._defaults(node.args)
        outer, handler, comprehensions = self._scope, self._in_handler, self._comprehensions
        self._scope, self._in_handler, self._comprehensions = self._survey(node, outer), 0, []
        scope = self._scope
        first = 1 if ast.get_docstring(node, clean=False) is not None else 0
        docstring = node.body[:first]
        opening: list[ast.stmt] = []
        if scope.globals:
            opening.append(ast.Global(sorted(scope.globals)))
        if scope.dynamic:
            opening.append(ast.Assign([_store(".names")], ast.Dict([], [])))
        for argument in node.args.args:
            if argument.arg in self._syntax.targets:
                opening.append(ast.Assign([self._target(argument.arg, node)], _load(argument.arg)))
        _at(node, *opening)
        body = self._block(node.body[first:]) if node.body[first:] else []
        body = opening + body
        if scope.generator:
            # a StopIteration that left a generator ended it quietly
            ended = ast.ExceptHandler(_load("StopIteration"), None, [ast.Return(None)])
            body = _at(node, ast.Try(body or [ast.Pass()], [ended], [], []))
        node.body = docstring + body or [ast.copy_location(ast.Pass(), node)]
        self._scope, self._in_handler, self._comprehensions = outer, handler, comprehensions
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.Lambda:
        self._defaults(node.args)
        outer, comprehensions = self._scope, self._comprehensions
        self._scope, self._comprehensions = self._survey(node, outer), []
        node.body = self.visit(node.body)
        for argument in node.args.args:
            if argument.arg in self._syntax.targets:
                shape = self._target(argument.arg, node)
                names = [ast.arg(name) for name in _names_of(shape)]
                inner = ast.Lambda(ast.arguments([], names, None, [], [], None, []), node.body)
                flat = _call("__py2_flat__", ast.Constant(_shape(shape)), _load(argument.arg))
                node.body = _at(node, ast.Call(inner, [ast.Starred(flat, ast.Load())], []))[0]
        self._scope, self._comprehensions = outer, comprehensions
        return node

    def _defaults(self, arguments: ast.arguments) -> None:
        arguments.defaults = [self.visit(default) for default in arguments.defaults]

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        node.decorator_list = [self.visit(decorator) for decorator in node.decorator_list]
        node.bases = [self.visit(base) for base in node.bases]
        outer, comprehensions = self._scope, self._comprehensions
        self._scope, self._comprehensions = self._survey(node, outer), []
        node.body = self._block(node.body)
        self._scope, self._comprehensions = outer, comprehensions
        return node

    def visit_Global(self, node: ast.Global) -> ast.Global | None:
        # Python 2 only warned of a use before the declaration: each function declares first
        return None if self._scope.kind in ("function", "module") else node

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | list[ast.stmt]:
        if self._scope.kind == "function" and node.names[0].name == "*":
            star = _call("__py2_star__", ast.Constant(node.module or ""), ast.Constant(node.level), _load(".names"))
            return _at(node, ast.Expr(star), *self._locals_from_names())
        return node

    def _locals_from_names(self) -> list[ast.stmt]:
        """After code ran in the dynamic namespace of a function: take over what it did to plain variables."""
        return [
            ast.If(
                ast.Compare(ast.Constant(name), [ast.In()], [_load(".names")]),
                [ast.Assign([_store(name)], ast.Subscript(_load(".names"), ast.Constant(name), ast.Load()))],
                [],
            )
            for name in sorted(self._scope.stores - self._scope.globals)
        ]

    def visit_Expr(self, node: ast.Expr) -> ast.AST | list[ast.stmt]:
        if self._scope.kind == "function" and isinstance(node.value, ast.Call) and self._is_bare_exec(node.value):
            code = self.visit(node.value.args[0])
            return _at(
                node, ast.Expr(_call("__py2_exec_in_function__", code, _load(".names"))), *self._locals_from_names()
            )
        if (
            isinstance(node.value, ast.Call)
            and isinstance(node.value.func, ast.Name)
            and node.value.func.id == "__py2_print__"
        ):
            return self._print(node)
        return self.generic_visit(node)

    def _print(self, node: ast.Expr) -> ast.AST | list[ast.stmt]:
        """Each item of a print statement was written before the next one was looked at."""
        self.generic_visit(node)
        assert isinstance(node.value, ast.Call)
        target, newline, *items = node.value.args
        if all(isinstance(item, (ast.Constant, ast.Name)) for item in items[1:]):
            return node
        statements: list[ast.stmt] = []
        if not isinstance(target, ast.Constant):
            name = self._new_name()
            statements.append(ast.Assign([_store(name)], target))
            target = _load(name)
        last = len(items) - 1
        statements += [
            ast.Expr(_call("__py2_print__", target, newline if number == last else ast.Constant(0), item))
            for number, item in enumerate(items)
        ]
        if isinstance(target, ast.Name) and self._scope.kind != "function":
            statements.append(ast.Delete([ast.Name(target.id, ast.Del())]))
        return _at(node, *statements)

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        if node.exc is None and not self._in_handler:
            return _at(node, ast.Raise(_call("__py2_reraise__"), None))[0]
        return self.generic_visit(node)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.ExceptHandler:
        kinds = [] if node.type is None else [self.visit(node.type)]
        node.type = _call("__py2_match__", *kinds)
        opening: list[ast.stmt] = []
        if node.name:
            name = self._new_name()
            target = self._target(node.name, node)
            caught = _call("__py2_caught__", _load(name), ast.Constant(isinstance(target, (ast.Tuple, ast.List))))
            opening = self._block(_at(node, ast.Assign([target], caught)))
            node.name = name
        _at(node, node.type)
        self._in_handler += 1
        node.body = opening + self._block(node.body)
        self._in_handler -= 1
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.AST | list[ast.stmt]:
        if len(node.targets) == 1:
            target = node.targets[0]
            if _is_simple_slice(target):
                value = self.visit(node.value)
                return _at(node, ast.Expr(_call("__py2_setslice__", *self._slice_parts(target), value)))
            if isinstance(target, ast.Attribute) and target.attr in STORES:
                value = self.visit(node.value)
                return _at(
                    node, ast.Expr(_call("__py2_setattr__", self.visit(target.value), ast.Constant(target.attr), value))
                )
        return self.generic_visit(node)

    def visit_Delete(self, node: ast.Delete) -> list[ast.stmt]:
        result: list[ast.stmt] = []
        for target in node.targets:
            if _is_simple_slice(target):
                result.append(ast.Expr(_call("__py2_delslice__", *self._slice_parts(target))))
            else:
                result.append(ast.Delete([self.visit(target)]))
        return _at(node, *result)

    def _slice_parts(self, node: ast.expr) -> list[ast.expr]:
        assert isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice)
        bounds = [
            ast.Constant(None) if bound is None else self.visit(bound) for bound in (node.slice.lower, node.slice.upper)
        ]
        return [self.visit(node.value), *bounds]

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST | list[ast.stmt]:
        kind = type(node.op).__name__
        helper = (
            "__py2_imod__"
            if kind == "Mod"
            else "__py2_itruediv__"
            if kind == "Div" and self._true_division
            else "__py2_idiv__"
            if kind == "Div"
            else f"__py2_i{ARITHMETIC[kind]}__"
            if kind in ARITHMETIC and not _is_text(node.value)
            else None
        )
        sliced = _is_simple_slice(node.target)
        if helper is None and not sliced:
            return self.generic_visit(node)
        value = self.visit(node.value)
        statements: list[ast.stmt] = []
        hidden: list[str] = []

        def keep(expression: ast.expr) -> ast.expr:
            """Evaluate a part of the target once."""
            if isinstance(expression, ast.Constant):
                return expression
            name = self._new_name()
            hidden.append(name)
            statements.append(ast.Assign([_store(name)], expression))
            return _load(name)

        target = node.target
        old: ast.expr
        write: Callable[[ast.expr], ast.stmt]
        if isinstance(target, ast.Name):
            old, write = _load(target.id), lambda new: ast.Assign([_store(target.id)], new)
        elif isinstance(target, ast.Attribute):
            owner = keep(self.visit(target.value))
            old = ast.Attribute(owner, target.attr, ast.Load())
            write = lambda new: ast.Assign([ast.Attribute(owner, target.attr, ast.Store())], new)
        elif sliced:
            parts = [keep(part) for part in self._slice_parts(target)]
            old = _call("__py2_getslice__", *parts)
            write = lambda new: ast.Expr(_call("__py2_setslice__", *parts, new))
        else:
            owner, index = keep(self.visit(target.value)), self.visit(target.slice)
            index = index if isinstance(index, ast.Slice) else keep(index)
            old = ast.Subscript(owner, index, ast.Load())
            write = lambda new: ast.Assign([ast.Subscript(owner, index, ast.Store())], new)
        if helper is None:
            changed = self._new_name()
            hidden.append(changed)
            statements += [
                ast.Assign([_store(changed)], old),
                ast.AugAssign(_store(changed), node.op, value),
                write(_load(changed)),
            ]
        else:
            statements.append(write(_call(helper, old, value)))
        if hidden and self._scope.kind != "function":
            statements.append(ast.Delete([ast.Name(name, ast.Del()) for name in hidden]))
        return _at(node, *statements)

    # -- expressions

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        if node.kind == "u":
            node.kind = None
            return _at(node, _call("__py2_u__", node))[0]
        if isinstance(node.value, bytes):
            node.value = node.value.decode("latin-1")
        return node

    def visit_Name(self, node: ast.Name) -> ast.expr:
        scope = self._scope
        if (
            scope.dynamic
            and isinstance(node.ctx, ast.Load)
            and not node.id.startswith((".", "__py2_"))
            and not scope.is_local(node.id)
        ):
            known = ast.Compare(ast.Constant(node.id), [ast.In()], [_load(".names")])
            dynamic = ast.Subscript(_load(".names"), ast.Constant(node.id), ast.Load())
            return _at(node, ast.IfExp(known, dynamic, node))[0]
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        if _is_certain_number(node.left) and _is_certain_number(node.right) and not isinstance(node.op, ast.Div):
            return node
        if isinstance(node.op, ast.Div):
            true = self._true_division or _is_float(node.left) or _is_float(node.right)
            return _at(node, _call("__py2_truediv__" if true else "__py2_div__", node.left, node.right))[0]
        if type(node.op).__name__ in ARITHMETIC and not _is_text(node.left) and not _is_text(node.right):
            return _at(node, _call(f"__py2_{ARITHMETIC[type(node.op).__name__]}__", node.left, node.right))[0]
        if isinstance(node.op, ast.Mod) and not _is_certain_number(node.left):
            return _at(node, _call("__py2_mod__", node.left, node.right))[0]
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        self.generic_visit(node)
        operands = [node.left, *node.comparators]
        if len(node.ops) == 1:
            return self._comparison(node, operands[0], node.ops[0], operands[1])
        if self._scope.kind == "class" and self._comprehensions:
            raise self._refuse("a chain of comparisons in a comprehension of a class body", node)
        parts: list[ast.expr] = []
        left = operands[0]
        for number, (operator, right) in enumerate(zip(node.ops, operands[1:])):
            following = right
            if number + 1 < len(node.ops) and not isinstance(right, (ast.Constant, ast.Name)):
                name = self._new_name()
                right, following = ast.NamedExpr(_store(name), right), _load(name)
            parts.append(self._comparison(node, left, operator, right))
            left = following
        return _at(node, ast.BoolOp(ast.And(), parts))[0]

    @staticmethod
    def _comparison(node: ast.AST, left: ast.expr, operator: ast.cmpop, right: ast.expr) -> ast.expr:
        kind = type(operator).__name__
        native = (
            kind in ("Is", "IsNot")
            or (kind in ("Eq", "NotEq") and (_is_certain_whole(left) or _is_certain_whole(right)))
            or (kind in ("In", "NotIn") and _is_literal_container(right))
            or (_is_certain_number(left) and _is_certain_number(right))
        )
        if native:
            return _at(node, ast.Compare(left, [operator], [right]))[0]
        return _at(node, _call(COMPARISONS[kind], left, right))[0]

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.ctx, ast.Load) and node.attr in LOADS:
            return _at(node, _call("__py2_attr__", node.value, ast.Constant(node.attr)))[0]
        return node

    def visit_For(self, node: ast.For) -> ast.For:
        self.generic_visit(node)
        node.iter = self._in_order(node.iter)
        return node

    def visit_comprehension(self, node: ast.comprehension) -> ast.comprehension:
        self.generic_visit(node)
        node.iter = self._in_order(node.iter)
        return node

    @staticmethod
    def _in_order(items: ast.expr) -> ast.expr:
        """What is iterated over may be a dictionary, unless its looks say otherwise."""
        name = items.func.id if isinstance(items, ast.Call) and isinstance(items.func, ast.Name) else ""
        if (
            isinstance(items, (ast.Constant, ast.List, ast.Tuple, ast.ListComp, ast.GeneratorExp))
            or name in _GIVE_LISTS
        ):
            return items
        return _at(items, _call("__py2_iter__", items))[0]

    def visit_Call(self, node: ast.Call) -> ast.expr:
        function = node.func
        if isinstance(function, ast.Attribute) and function.attr in CALLS:
            owner = self.visit(function.value)
            node.func = ast.Constant(None)
            self.generic_visit(node)
            node.func = ast.copy_location(_load(call_helper(function.attr)), function)
            node.args.insert(0, owner)
            return node
        self.generic_visit(node)
        if isinstance(function, ast.Name) and function.id == "type" and len(node.args) in (1, 3) and not node.keywords:
            return _at(node, _call("__py2_type__", function, *node.args))[0]
        if isinstance(function, ast.Name) and function.id in ("list", "tuple", "enumerate") and node.args:
            if not isinstance(node.args[0], ast.Starred):
                node.args[0] = _at(node, _call("__py2_listed__", _load(function.id), node.args[0]))[0]
        if isinstance(function, ast.Name) and function.id in ("int", "float") and node.args:
            node.func = ast.copy_location(_load("__py2_number__"), function)
            node.args.insert(0, function)
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        if isinstance(node.ctx, ast.Load):
            if _is_simple_slice(node):
                return _at(node, _call("__py2_getslice__", *self._slice_parts(node)))[0]
            if _makes_exception(node.value) or getattr(node.value, "id", None) in self._scope.caught:
                error, index = self.visit(node.value), self.visit(node.slice)
                return _at(node, _call("__py2_item_of_exception__", error, index))[0]
        return self.generic_visit(node)

    # -- comprehensions: a list comprehension's variables are those of the scope around it

    def _visit_own_scope(self, node: ast.GeneratorExp | ast.SetComp | ast.DictComp) -> ast.expr:
        outer = self._scope
        self._scope = self._survey(node, outer)
        self._scope.dynamic = outer.dynamic
        if outer.dynamic:
            self._scope.stores.update(name for part in node.generators for name in _names_of(part.target))
        self._comprehensions.append(node)
        self.generic_visit(node)
        self._comprehensions.pop()
        self._scope = outer
        return node

    visit_GeneratorExp = visit_SetComp = visit_DictComp = _visit_own_scope

    def visit_ListComp(self, node: ast.ListComp) -> ast.expr:
        scope = self._scope
        if scope.kind == "class":
            return self._as_loop(node)
        names = [name for part in node.generators for name in _names_of(part.target)]
        inside = _count_loads(node)
        leaking = scope.kind == "module" or (
            scope.kind == "function"
            and any(scope.loads[name] > inside[name] or name in scope.globals for name in names)
        )
        if not leaking or scope.kind == "generator":
            self._comprehensions.append(node)
            self.generic_visit(node)
            self._comprehensions.pop()
            return self._first_iterable_outside(node)
        renamed = {name: "." + name for name in names}
        self._comprehensions.append(node)
        for part in node.generators:
            for inner in ast.walk(part.target):
                if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
                    inner.id = renamed[inner.id]
        self.generic_visit(node)
        self._comprehensions.pop()
        for part in node.generators:
            hidden = [name for name in _names_of(part.target) if name.startswith(".")]
            if hidden:
                bind = ast.List([ast.NamedExpr(_store(name[1:]), _load(name)) for name in hidden], ast.Load())
                part.ifs.insert(0, _at(node, bind)[0])
        return self._first_iterable_outside(node)

    def _first_iterable_outside(self, node: ast.ListComp) -> ast.expr:
        """Take an assignment out of the iterable of a comprehension, where Python 3 has no place for it."""
        for number, part in enumerate(node.generators):
            if any(isinstance(inner, ast.NamedExpr) for inner in ast.walk(part.iter)):
                if number:
                    raise self._refuse(
                        "a list comprehension inside a comprehension's 'in' whose variable is read afterwards", node
                    )
                name = self._new_name()
                first = ast.NamedExpr(_store(name), part.iter)
                part.iter = _load(name)
                pair = ast.Tuple([first, node], ast.Load())
                return _at(node, ast.Subscript(pair, ast.Constant(1), ast.Load()))[0]
        return node

    def _as_loop(self, node: ast.ListComp) -> ast.expr:
        """In a class body: a loop before the statement; a comprehension of Python 3 cannot see the class's names."""
        name = self._new_name()
        append = ast.Expr(ast.Call(ast.Attribute(_load(name), "append", ast.Load()), [node.elt], []))
        body: ast.stmt = append
        for part in reversed(node.generators):
            for condition in reversed(part.ifs):
                body = ast.If(condition, [body], [])
            body = ast.For(part.target, part.iter, [body], [])
        loop = _at(node, ast.Assign([_store(name)], ast.List([], ast.Load())), body)
        self._before.extend(self._block(loop))
        return ast.copy_location(_load(name), node)


class _Later(ast.AST):
    """A block that is visited after the other parts of its statement."""

    _fields = ()

    def __init__(self, statements: list[ast.stmt]) -> None:
        super().__init__()
        self.statements = statements


def _shape(target: ast.expr) -> Any:
    """Nested tuples of names, as deep as the target."""
    if isinstance(target, ast.Name):
        return target.id
    assert isinstance(target, (ast.Tuple, ast.List))
    return tuple(_shape(item) for item in target.elts)
