"""Python 2's integers, longs, division and rounding, for Python's own numbers and for NumPy's."""

from __future__ import annotations

import math
import operator
import sys
from typing import Any, Callable

from .strings import Unicode, as_text, percent

MAXINT = sys.maxsize


class Long(int):
    """
    Python 2's ``long``, where it is small enough to be an ``int``.

    It stays long under arithmetic; integers beyond `MAXINT` count as long whatever their class.
    """

    def __new__(cls, value: Any = 0, *base: int) -> Long:
        if isinstance(value, str) and value.strip()[-1:] in "lL":
            value = value.strip()[:-1]
        return int.__new__(cls, *(_digits(value), *base))

    def __repr__(self) -> str:
        return int.__repr__(self) + "L"

    def __str__(self) -> str:
        return int.__repr__(self)

    def __reduce__(self):
        return Long, (int(self),)

    def __hash__(self) -> int:
        return int.__hash__(self)


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


for _name in ("add sub mul floordiv mod divmod pow lshift rshift and or xor radd rsub rmul rfloordiv rmod rdivmod rpow "
              "rlshift rrshift rand ror rxor neg pos abs invert").split():
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
        raise ValueError(f"invalid literal for {what}: {args[0]}" if function is float else
                         f"invalid literal for {what}: {args[0]!r}")
    return function(*args, **named)


def _numpy():
    """NumPy, where the script uses it; never imported for its own sake."""
    return sys.modules.get("numpy")


def _is_array(value: Any) -> bool:
    numpy = _numpy()
    return numpy is not None and isinstance(value, (numpy.ndarray, numpy.generic))


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
        return numpy.floor_divide(a, b, **out)
    if any(getattr(x, "dtype", None) is not None and x.dtype.kind == "O" for x in (a, b)):
        return numpy.frompyfunc(divide, 2, 1)(a, b)
    return numpy.true_divide(a, b, **out)


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
