"""Python 2's integers, longs, division and rounding, for Python's own numbers and for NumPy's."""

from __future__ import annotations

import math
import operator
import sys
from typing import Any, Callable

from biskit_pvm.compat.python2.builtins.strings import Unicode, as_text, percent

MAXINT = sys.maxsize


class Long(int):
    """
    Python 2's ``long``, where it is small enough to be an ``int``.

    It stays long under arithmetic; integers beyond `MAXINT` count as long whatever their class.
    """

    def __new__(cls, value: Any = 0, *base: int) -> Long:
        if isinstance(value, str) and value.strip()[-1:] in "lL":
            value = value.strip()[:-1]
        method = getattr(type(value), "__long__", None) if not isinstance(value, (int, str, float)) else None
        return int.__new__(cls, *(_digits(value if method is None else method(value)), *base))

    def __repr__(self) -> str:
        return int.__repr__(self) + "L"

    def __str__(self) -> str:
        return int.__repr__(self)

    def __reduce__(self):
        return Long, (int(self),)

    __hash__ = int.__hash__


def _long_operation(name: str) -> Callable:
    method = getattr(int, name)

    def call(self, *args):
        result = method(self, *args)
        if type(result) is int:
            return int.__new__(Long, result)
        if type(result) is tuple:
            return tuple(int.__new__(Long, part) for part in result)
        return result

    call.__name__ = name
    return call


for _name in (
    "add sub mul floordiv mod divmod pow lshift rshift and or xor radd rsub rmul rfloordiv rmod rdivmod rpow "
    "rlshift rrshift rand ror rxor neg pos abs invert"
).split():
    setattr(Long, f"__{_name}__", _long_operation(f"__{_name}__"))
Long.__name__ = Long.__qualname__ = "long"
#: the name under which pickles know it
long = Long


def is_long(value: int) -> bool:
    """
    Tell whether Python 2 would have held an integer as ``long``.

    Parameters
    ----------
    value : int

    Returns
    -------
    bool
    """
    return isinstance(value, Long) or not -MAXINT - 1 <= value <= MAXINT


def _digits(text: Any) -> Any:
    """Refuse the underscores that only Python 3 takes in numbers."""
    if isinstance(text, str) and "_" in text:
        raise ValueError(f"invalid literal for int() with base 10: {text!r}")
    return text


def number_call(function: Any, *args: Any, **named: Any) -> Any:
    """
    Do ``function(...)`` where the function is called ``int`` or ``float``.

    Parameters
    ----------
    function : any
        The built-in, unless the script has one of its own.
    args, named : any

    Returns
    -------
    any

    Raises
    ------
    ValueError
        For a number with underscores, which only Python 3 reads.
    """
    if args and isinstance(args[0], str) and "_" in args[0] and (function is int or function is float):
        what = "int() with base 10" if function is int else "float()"
        raise ValueError(
            f"invalid literal for {what}: {args[0]}"
            if function is float
            else f"invalid literal for {what}: {args[0]!r}"
        )
    return function(*args, **named)


def _numpy():
    """NumPy, where the script uses it; never imported for its own sake."""
    return sys.modules.get("numpy")


def _is_array(value: Any) -> bool:
    numpy = _numpy()
    return numpy is not None and isinstance(value, (numpy.ndarray, numpy.generic))


# -- arithmetic with NumPy 1's rules for numbers of different sizes

#: types of results about which NumPy 1 may have thought otherwise; filled when a script uses NumPy
NARROW: set[type] = set()

# what a dtype's kind can hold, in the order of NumPy's promotion
_RANK = {"b": 0, "u": 1, "i": 1, "f": 2, "c": 3}


def arithmetic(name: str, function: Callable, in_place: Callable | None = None) -> Callable:
    """
    Make an operator that gives the numbers of NumPy 1.

    There a number of Python's counted as 64 bits beside a single number of NumPy's, and by its value beside an array; in
    NumPy 2 it counts as nothing beside both.

    Parameters
    ----------
    name : str
    function : callable
        The operator.
    in_place : callable, optional
        The one that is wanted; `function` is then its plain form.

    Returns
    -------
    callable
    """
    operate = in_place or function

    def call(a: Any, b: Any) -> Any:
        try:
            result = operate(a, b)
        except OverflowError:
            return _as_numpy1(function, a, b, None)
        if type(result) in NARROW and result is not a:
            return _as_numpy1(function, a, b, result)
        return result

    call.__name__ = name
    return call


def _as_numpy1(function: Callable, a: Any, b: Any, result: Any) -> Any:
    numpy = _numpy()
    try:
        single_a, single_b = (not (isinstance(x, numpy.ndarray) and x.ndim) for x in (a, b))
        if not single_a and not single_b and result is not None:
            return result
        kinds = [_kind(numpy, x) for x in (a, b)]
    except (TypeError, AttributeError):
        kinds = [None]
    if any(kind is None for kind in kinds):
        return function(a, b) if result is None else result
    wanted = numpy.promote_types(*kinds)
    if single_a == single_b:
        if result is not None and result.dtype == wanted:
            return result
        return function(wanted.type(a), wanted.type(b)) if single_a else function(a, b)
    array, number = (b, a) if single_a else (a, b)
    if _RANK[kinds[single_a is False].kind] <= _RANK[array.dtype.kind]:
        # within its kind an array keeps its size, unless the number does not fit
        least = numpy.min_scalar_type(number)
        if least.kind == "u":
            signed = numpy.min_scalar_type(-int(number) - 1)
            least = signed if array.dtype.kind == "i" else least
        wanted = numpy.promote_types(array.dtype, least)
    if result is not None and result.dtype == wanted:
        return result
    array, number = array.astype(wanted, copy=False), wanted.type(number)
    return function(number, array) if single_a else function(array, number)


def _kind(numpy: Any, value: Any) -> Any:
    """The dtype of a number or array as NumPy 1 saw it."""
    if isinstance(value, (numpy.ndarray, numpy.generic)):
        return value.dtype if value.dtype.kind in _RANK else None
    if type(value) is bool:
        return numpy.dtype(bool)
    if isinstance(value, (int, float, complex)):
        return None if isinstance(value, int) and is_long(value) else numpy.asarray(value).dtype
    return None


def narrowed(a: Any, b: Any) -> tuple[Any, Any]:
    """
    Give two operands of a comparison such that they are compared with NumPy 1's precision.

    Parameters
    ----------
    a, b : any
        One of them is of a type in `NARROW`.

    Returns
    -------
    (any, any)
    """
    numpy = _numpy()
    single_a, single_b = (not (isinstance(x, numpy.ndarray) and x.ndim) for x in (a, b))
    if single_a and single_b:
        return (float(x) if isinstance(x, numpy.floating) else x for x in (a, b))
    if single_a and isinstance(a, numpy.generic) and a.dtype.kind in "iufb":
        return a.item(), b
    if single_b and isinstance(b, numpy.generic) and b.dtype.kind in "iufb":
        return a, b.item()
    return a, b


add = arithmetic("add", operator.add)
subtract = arithmetic("subtract", operator.sub)
multiply = arithmetic("multiply", operator.mul)
power = arithmetic("power", operator.pow)
true_divide = arithmetic("true_divide", operator.truediv)
floor_divide = arithmetic("floor_divide", operator.floordiv)
add_in_place = arithmetic("add_in_place", operator.add, operator.iadd)
subtract_in_place = arithmetic("subtract_in_place", operator.sub, operator.isub)
multiply_in_place = arithmetic("multiply_in_place", operator.mul, operator.imul)
power_in_place = arithmetic("power_in_place", operator.pow, operator.ipow)
true_divide_in_place = arithmetic("true_divide_in_place", operator.truediv, operator.itruediv)


def total(numbers: Any, start: Any = 0) -> Any:
    """
    Do the built-in ``sum``.

    Parameters
    ----------
    numbers : iterable
    start : any

    Returns
    -------
    any
    """
    if not NARROW:
        return sum(numbers, start)
    numbers = numbers if isinstance(numbers, (list, tuple)) else list(numbers)
    result = sum(numbers, start)
    if type(result) in NARROW:
        result = start
        for number in numbers:
            result = add(result, number)
    return result


def divide(a: Any, b: Any) -> Any:
    """
    Do ``a / b`` of a module without ``from __future__ import division``.

    Parameters
    ----------
    a, b : any

    Returns
    -------
    any
        The floor for two integers, arrays of integers included.
    """
    kind, other = type(a), type(b)
    if kind is float or other is float:
        if (kind is float and other is float) or other is int or kind is int:
            return a / b
    if kind is int and other is int:
        return a // b
    if isinstance(a, int) and isinstance(b, int):
        return a // b
    if _is_array(a) or _is_array(b):
        return _divide_arrays(a, b)
    for method, first, second in (("__div__", a, b), ("__rdiv__", b, a)):
        function = getattr(type(first), method, None)
        if function is not None:
            result = function(first, second)
            if result is not NotImplemented:
                return result
    return a / b


def _all_integers(numpy, a: Any, b: Any) -> bool:
    try:
        return all(numpy.asarray(x).dtype.kind in "iub" for x in (a, b))
    except Exception:  # what cannot become an array divides by its own rules
        return False


def _divide_arrays(a: Any, b: Any, **out: Any) -> Any:
    numpy = _numpy()
    for method, first, second in (("__div__", a, b), ("__rdiv__", b, a)):
        function = getattr(type(first), method, None)
        if function is not None:
            return function(first, second)
    if _all_integers(numpy, a, b):
        return numpy.floor_divide(a, b, **out) if out else floor_divide(a, b)
    if any(getattr(x, "dtype", None) is not None and x.dtype.kind == "O" for x in (a, b)):
        return numpy.frompyfunc(divide, 2, 1)(a, b)
    return numpy.true_divide(a, b, **out) if out else true_divide(a, b)


def divide_in_place(a: Any, b: Any) -> Any:
    """
    Do ``a /= b`` of a module without ``from __future__ import division``.

    Parameters
    ----------
    a, b : any

    Returns
    -------
    any
        What the target is set to; an array is changed in place.
    """
    numpy = _numpy()
    if numpy is not None and isinstance(a, numpy.ndarray):
        if a.dtype.kind == "O":
            a[...] = _divide_arrays(a, b)
            return a
        return _divide_arrays(a, b, out=a)
    function = getattr(type(a), "__idiv__", None)
    if function is not None:
        result = function(a, b)
        if result is not NotImplemented:
            return result
    return divide(a, b)


def modulo(a: Any, b: Any) -> Any:
    """
    Do ``a % b``: the rest of a division, or formatting with Python 2's texts of the values.

    Parameters
    ----------
    a, b : any

    Returns
    -------
    any
    """
    if type(a) is str:
        return percent(a, b)
    if type(a) is bytes:
        return percent(as_text(a), b)
    if isinstance(a, str) and not isinstance(a, Unicode) and type(a).__mod__ is str.__mod__:
        return percent(str(a), b)
    return a % b


def modulo_in_place(a: Any, b: Any) -> Any:
    """
    Do ``a %= b``.

    Parameters
    ----------
    a, b : any

    Returns
    -------
    any
    """
    return modulo(a, b) if isinstance(a, (str, bytes)) else operator.imod(a, b)


def round_half_away(value: Any, digits: int = 0) -> float:
    """
    Do Python 2's ``round``: halves away from zero, and a float.

    Parameters
    ----------
    value : float
    digits : int

    Returns
    -------
    float
    """
    value = float(value)
    if not math.isfinite(value) or digits > 323:
        return value
    if digits < -308:
        return math.copysign(0.0, value)
    # Python 3's result is the correctly rounded decimal; only exact halves go another way
    result = float(round(value, digits))
    from decimal import ROUND_HALF_UP, Decimal

    exact = Decimal(value)
    step = Decimal(1).scaleb(-digits)
    if abs(exact) < Decimal(10) ** 25:
        return math.copysign(float(exact.copy_abs().quantize(step, rounding=ROUND_HALF_UP)), value)
    return result


def octal(value: Any) -> str:
    """
    Do Python 2's ``oct``: ``'0755'``.

    Parameters
    ----------
    value : int or object with ``__oct__``

    Returns
    -------
    str
    """
    method = getattr(type(value), "__oct__", None)
    if method is not None:
        return method(value)
    number = operator.index(value)
    sign = "-" if number < 0 else ""
    return f"{sign}0{abs(number):o}{'L' if is_long(value) else ''}" if number else "0" + "L" * is_long(value)


def hexadecimal(value: Any) -> str:
    """
    Do Python 2's ``hex``.

    Parameters
    ----------
    value : int or object with ``__hex__``

    Returns
    -------
    str
    """
    method = getattr(type(value), "__hex__", None)
    if method is not None:
        return method(value)
    return hex(operator.index(value)) + ("L" if is_long(value) else "")
