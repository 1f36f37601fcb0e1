"""
The texts of errors that Python itself raises, as Python 2.7 put them: scripts print them, compare them, and take them apart.

Each pattern is a whole text of Python 3.9 to 3.14 that nobody else writes; what a script or this package says itself stays as it is.
"""

from __future__ import annotations

import ast
import re
from types import CodeType, FrameType, TracebackType
from typing import Any, Callable, Union

from biskit_pvm.compat.python2.builtins.classic import is_classic_name, known_as

_Text = Union[str, Callable[[Any, "re.Match[str]"], str]]


def reword(error: BaseException) -> None:
    """
    Change the text of an exception to that of Python 2, where Python has made it.

    Parameters
    ----------
    error : BaseException
        Changed in place.
    """
    known = _TEXTS.get(known_as(type(error))) or _TEXTS.get(type(error))
    if known is None or len(error.args) != 1 and not isinstance(error, SyntaxError):
        return
    before = error.msg if isinstance(error, (ImportError, SyntaxError)) else error.args[0]
    if type(before) is not str:
        return
    for pattern, text in known:
        match = pattern.fullmatch(before)
        if match is not None:
            after = match.expand(text) if isinstance(text, str) else text(error, match)
            if isinstance(error, (ImportError, SyntaxError)):
                error.msg = after
            error.args = (after, *error.args[1:])
            return


def _plural(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def _frame(error: BaseException) -> FrameType | None:
    """The frame in which an exception was raised."""
    trace: TracebackType | None = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return None if trace is None else trace.tb_frame


# -- calls


def _too_many(error: BaseException, match: re.Match[str]) -> str:
    name, least, most, given = match.groups()
    if int(most) == 0:
        return f"{name}() takes no arguments ({given} given)"
    return f"{name}() takes {'at most' if least else 'exactly'} {_plural(int(most), 'argument')} ({given} given)"


def _too_few(error: BaseException, match: re.Match[str]) -> str:
    path, name, missing = match.groups()
    function = _called(f"{path}{name}", name, _frame(error))
    if function is None:
        return f"{name}(){match.string.partition('()')[2]}"
    code: CodeType = function.__code__
    defaults = len(function.__defaults__ or ())
    needed = code.co_argcount - defaults
    form = "at least" if defaults or code.co_flags & 4 else "exactly"
    return f"{name}() takes {form} {_plural(needed, 'argument')} ({needed - int(missing)} given)"


def _called(path: str, name: str, frame: FrameType | None) -> Any:
    """Look for a function that was called in a frame."""
    if frame is None:
        return None
    first = path.split(".")[0]
    candidates = [scope[key] for scope in (frame.f_locals, frame.f_globals) for key in (first, name) if key in scope]
    candidates += frame.f_locals.values()
    for candidate in candidates:
        function = getattr(candidate, "__func__", candidate)
        if getattr(function, "__qualname__", None) != path or not hasattr(function, "__code__"):
            kind = candidate if isinstance(candidate, type) else type(candidate)
            function = next((vars(each)[name] for each in kind.__mro__ if name in vars(each)), None)
        function = getattr(function, "__func__", function)
        if getattr(function, "__name__", None) == name and isinstance(getattr(function, "__code__", None), CodeType):
            return function
    return None


# -- names and attributes


def _no_name(error: BaseException, match: re.Match[str]) -> str:
    frame = _frame(error)
    in_function = frame is not None and frame.f_code.co_flags & 1
    return f"{'global name' if in_function else 'name'} {match.group(1)!r} is not defined"


def _no_attribute(error: BaseException, match: re.Match[str]) -> str:
    kind, name = match.groups()
    if is_classic_name(kind):
        return f"{kind} instance has no attribute {name!r}"
    return f"{kind!r} object has no attribute {name!r}"


def _no_class_attribute(error: BaseException, match: re.Match[str]) -> str:
    kind, name = match.groups()
    return f"class {kind} has no attribute {name!r}" if is_classic_name(kind) else match.string


def _no_constructor(error: BaseException, match: re.Match[str]) -> str:
    return "this constructor takes no arguments" if is_classic_name(match.group(1)) else "object() takes no parameters"


# -- values

_BUILT_IN = {
    kind.__name__: kind
    for kind in (int, float, complex, bool, type, type(None), type(_plural), type(len), set, frozenset, slice)
}


def _no_item(error: BaseException, match: re.Match[str]) -> str:
    kind = match.group(1)
    if kind in _BUILT_IN or kind in ("module", "generator", "instancemethod", "method"):
        return f"{kind!r} object has no attribute '__getitem__'"
    return f"{kind!r} object does not support indexing"


def _not_iterable(error: BaseException, match: re.Match[str]) -> str:
    return (
        "iteration over non-sequence"
        if is_classic_name(match.group(1))
        else f"{match.group(1)!r} object is not iterable"
    )


def _operands(error: BaseException, match: re.Match[str]) -> str:
    operator, *kinds = match.groups()
    if operator in ("+", "+=") and kinds[0] == "unicode":
        return f"coercing to Unicode: need string or buffer, {kinds[1]} found"
    first, second = ("instance" if is_classic_name(kind) else kind for kind in kinds)
    return f"unsupported operand type(s) for {operator}: {first!r} and {second!r}"


def _no_float(error: BaseException, match: re.Match[str]) -> str:
    text = ast.literal_eval(match.group(1))
    begins_well = re.match(r"\s*[+-]?(\d|\.\d|inf|nan)", text, re.I)
    return f"invalid literal for float(): {text}" if begins_well else f"could not convert string to float: {text}"


def _no_real_number(error: BaseException, match: re.Match[str]) -> str:
    frame = _frame(error)
    formats = frame is not None and frame.f_code.co_name == "percent"
    return f"float argument required, not {match.group(1)}" if formats else "a float is required"


def _too_few_values(error: BaseException, match: re.Match[str]) -> str:
    return f"need more than {_plural(int(match.group(1)), 'value')} to unpack"


def _bad_escape(error: BaseException, match: re.Match[str]) -> str:
    return f"bogus escape: {match.group(1)!r}"


_AT = r"(?: at position \d+.*)?"
_PATH = r"((?:[\w<>]+\.)*)"
_TEXTS: dict[type, list[tuple[re.Pattern[str], _Text]]] = {
    kind: [(re.compile(pattern, re.S), text) for pattern, text in texts.items()]
    for kind, texts in {
        TypeError: {
            r"can only concatenate str \(not \"(.+)\"\) to str": r"cannot concatenate 'str' and '\1' objects",
            r"unsupported operand type\(s\) for (\S+(?: or pow\(\))?): '(\w+)' and '(\w+)'": _operands,
            r"(?:[\w<>]+\.)*([\w<>]+)\(\) takes (?:from (\d+) to )?(\d+) positional arguments? but (\d+) (?:was|were) given": _too_many,
            _PATH + r"([\w<>]+)\(\) missing (\d+) required positional arguments?: .*": _too_few,
            r"(?:[\w<>]+\.)*([\w<>]+)\(\) got multiple values for argument ('\w+')": r"\1() got multiple values for keyword argument \2",
            r"(?:[\w<>]+\.)+([\w<>]+\(\) (?:got an unexpected|argument after).*)": r"\1",
            r"(\w+)\(\) takes no arguments": _no_constructor,
            r"'(\w+)' object is not subscriptable": _no_item,
            r"'(\w+)' object is not iterable": _not_iterable,
            r"cannot unpack non-iterable (\w+) object": r"'\1' object is not iterable",
            r"argument of type '(\w+)' is not a container or iterable": r"argument of type '\1' is not iterable",
            r"cannot use '.+' as a (?:dict key|set element) \((unhashable type: .+)\)": r"\1",
            r"int\(\) argument must be a string, a bytes-like object or a (?:real )?number, not ('\w+')": r"int() argument must be a string or a number, not \1",
            r"float\(\) argument must be a string or a (?:real )?number, not '\w+'": r"float() argument must be a string or a number",
            r"(list|tuple) indices must be integers or slices, not ([\w.]+)": r"\1 indices must be integers, not \2",
            r"string indices must be integers, not '(\w+)'": r"string indices must be integers, not \1",
            r"sequence item (\d+): expected str instance, (\w+) found": r"sequence item \1: expected string, \2 found",
            r"(%\w format): a (?:real )?number is required, (not \w+)": r"\1: a number is required, \2",
            r"'\w+' object cannot be interpreted as an integer": "an integer is required",
            r"isinstance\(\) arg 2 must be a type.*": "isinstance() arg 2 must be a class, type, or tuple of classes and types",
            r"issubclass\(\) arg 2 must be a class.*": "issubclass() arg 2 must be a class or tuple of classes",
            r"reduce\(\) of empty iterable with no initial value": "reduce() of empty sequence with no initial value",
            r"must be real number, not (\w+)": _no_real_number,
        },
        ValueError: {
            r"too many values to unpack \(expected .*\)": "too many values to unpack",
            r"not enough values to unpack \(expected .*, got (\d+)\)": _too_few_values,
            r"could not convert string to float: ('.*'|\".*\")": _no_float,
            r"(max|min)\(\) iterable argument is empty": r"\1() arg is an empty sequence",
            r"expected a (?:nonnegative|positive|noninteger).* input.*": "math domain error",
            r"I/O operation on closed file\.": "I/O operation on closed file",
        },
        ZeroDivisionError: {
            r"integer modulo by zero": "integer division or modulo by zero",
            r"float modulo by zero": "float modulo",
            r"float floor division by zero": "float divmod()",
        },
        NameError: {
            r"name '(\w+)' is not defined.*": _no_name,
            r"cannot access free variable ('\w+') where it is not associated with a value in enclosing scope": r"free variable \1 referenced before assignment in enclosing scope",
        },
        UnboundLocalError: {
            r"cannot access local variable ('\w+') where it is not associated with a value": r"local variable \1 referenced before assignment",
        },
        AttributeError: {
            r"module '[\w.]+' has no attribute ('\w+').*": r"'module' object has no attribute \1",
            r"type object '(\w+)' has no attribute '(\w+)'": _no_class_attribute,
            r"'(\w+)' object has no attribute '(\w+)'(?: and no __dict__ for setting new attributes)?": _no_attribute,
            r"(?:property '\w+' of '\w+' object has no setter|can't set attribute '\w+')": "can't set attribute",
            r"(?:property '\w+' of '\w+' object has no deleter|can't delete attribute '\w+')": "can't delete attribute",
        },
        re.error: {
            rf"missing \), unterminated (?:subpattern|comment){_AT}": "unbalanced parenthesis",
            rf"unterminated character set{_AT}": "unexpected end of regular expression",
            rf"min repeat greater than max repeat{_AT}": "bad repeat interval",
            rf"bad escape \(end of pattern\){_AT}": "bogus escape (end of line)",
            rf"bad escape (\\.*?){_AT}": _bad_escape,
            rf"unknown group name ('\w+'){_AT}": r"unknown group name: \1",
            rf"unknown extension .*{_AT}": "unexpected end of pattern",
            rf"bad character range .*{_AT}": "bad character range",
            rf"missing >, unterminated name{_AT}": "unterminated name",
            r"(.+) at position \d+.*": r"\1",
        },
        ImportError: {r"cannot import name '(\w+)' from .*": r"cannot import name \1"},
        SyntaxError: {r"no Python 2 syntax: .*": "invalid syntax", r"invalid syntax\. .*": "invalid syntax"},
        RecursionError: {r"(maximum recursion depth exceeded).*": r"\1"},
    }.items()
}
