"""
NumPy of today under code of then; the reference is 1.16, the last one for Python 2.

Only what translated code sees changes: NumPy itself, and the Python 3 libraries that use it, stay as they are. The one
exception is how numbers are printed (``repr`` of scalars), which NumPy keeps per process.
"""

from __future__ import annotations

import re
import sys
import types
from typing import Any, Callable

import numpy

from biskit_pvm.compat.python2.builtins import files
from biskit_pvm.compat.python2.builtins.numbers import NARROW, Long
from biskit_pvm.compat.python2.builtins.strings import Str, Unicode, as_bytes, as_text, write_with
from biskit_pvm.compat.python2.registry import StandIn, new_module

if hasattr(numpy, "_core"):
    import numpy._core.multiarray as _multiarray
    import numpy._core.numeric as _numeric
    import numpy._core.umath as _umath

    _core: Any = numpy._core
else:
    import numpy.core.multiarray as _multiarray
    import numpy.core.numeric as _numeric
    import numpy.core.umath as _umath

    _core = numpy.core


NARROW.update(
    {
        numpy.ndarray,
        numpy.float16,
        numpy.float32,
        numpy.complex64,
        numpy.int8,
        numpy.int16,
        numpy.int32,
        numpy.uint8,
        numpy.uint16,
        numpy.uint32,
        numpy.uint64,
    }
)


def _dtype(dtype: Any) -> Any:
    """A type code of then; arrays of 8-bit strings are NumPy's unicode ones."""
    if isinstance(dtype, str):
        text = str.__str__(dtype)
        bare = text.lstrip("|<>=")
        if bare == "c":
            return "U1"
        if bare[:1] in ("S", "a") and (not bare[1:] or bare[1:].isdigit()):
            return "U" + bare[1:]
        return text
    if dtype is Long:
        return numpy.int64
    return dtype


_TEXT = re.compile(r"<U(\d+)")
_TEXT_OF_ARRAY = re.compile(r"(?<=dtype=')<U(\d+)")


def array(obj: Any, dtype: Any = None, copy: Any = True, *args: Any, **named: Any) -> Any:
    """
    Do NumPy 1.16's ``array``.

    Parameters
    ----------
    obj : any
    dtype : any
    copy : bool
        False: only where necessary; NumPy 2 refuses then.

    Returns
    -------
    ndarray
        Of objects for nested sequences of different lengths.
    """
    characters = isinstance(dtype, str) and dtype == "c"
    if characters and isinstance(obj, str):
        obj = list(str.__str__(obj))
    elif characters and isinstance(obj, (list, tuple)):
        obj = [list(text) if isinstance(text, str) and len(text) != 1 else text for text in obj]
    options = dict(zip(("order", "subok", "ndmin"), args))
    options.update(named)
    copy = bool(copy) or (None if _copy_may_be_none else False)
    dtype = _dtype(dtype)
    try:
        return numpy.array(obj, dtype, copy=copy, **options)
    except ValueError as error:
        if dtype is not None or "inhomogeneous" not in str(error):
            raise
        return numpy.array(obj, object, copy=copy, **options)


_copy_may_be_none = int(numpy.__version__.partition(".")[0]) >= 2


def asarray(obj: Any, dtype: Any = None, order: Any = None) -> Any:
    """
    Do NumPy 1.16's ``asarray``.

    Parameters
    ----------
    obj, dtype, order : any

    Returns
    -------
    ndarray
    """
    return array(obj, dtype, False, **({} if order is None else {"order": order}))


def fromstring(string: Any, dtype: Any = float, count: int = -1, sep: str = "") -> Any:
    """
    Do NumPy 1.16's ``fromstring``: of bytes, too.

    Parameters
    ----------
    string : str
        8-bit.
    dtype : any
    count : int
    sep : str
        Empty: the string is binary data.

    Returns
    -------
    ndarray
    """
    if sep:
        return numpy.fromstring(as_text(as_bytes(string)), _dtype(dtype), count, sep=sep)
    if isinstance(dtype, str) and dtype == "c":
        return numpy.array(list(string), "U1")
    return numpy.frombuffer(as_bytes(string), dtype, count).copy()


def _for_binary_files(function: Callable) -> Callable:
    def call(*args: Any, **named: Any) -> Any:
        args = tuple(arg.binary if isinstance(arg, files.File) else arg for arg in args)
        return function(*args, **named)

    call.__name__ = function.__name__
    return call


def _load(file: Any, mmap_mode: Any = None, *args: Any, **named: Any) -> Any:
    named.setdefault("allow_pickle", True)
    named.setdefault("encoding", "latin1")
    return numpy.load(file.binary if isinstance(file, files.File) else file, mmap_mode, **named)


def _divide(a: Any, b: Any, out: Any = None, **named: Any) -> Any:
    a, b = numpy.asarray(a), numpy.asarray(b)
    whole = all(x.dtype.kind in "iub" for x in (a, b))
    return (numpy.floor_divide if whole else numpy.true_divide)(a, b, out, **named)


def _rank(a: Any) -> int:
    return numpy.asarray(a).ndim


def _deprecate(*args: Any, **named: Any) -> Any:
    """The decorator that marks old functions: it takes a function, or gives the decorator."""
    if args and callable(args[0]):
        return args[0]
    return lambda function: function


# -- methods of arrays that went away


def tostring(obj: Any, order: str = "C") -> str:
    """
    Give an array's bytes.

    Parameters
    ----------
    obj : ndarray
    order : str

    Returns
    -------
    str
        8-bit; one character per element for text.
    """
    if obj.dtype.kind == "U":
        return as_text(obj.astype("S").tobytes(order))
    return as_text(obj.tobytes(order))


def astype(obj: Any, dtype: Any, *args: Any, **named: Any) -> Any:
    """
    Do ``obj.astype(dtype)``.

    Parameters
    ----------
    obj : ndarray
    dtype : any

    Returns
    -------
    ndarray
    """
    return obj.astype(_dtype(dtype), *args, **named)


def ptp(obj: Any, *args: Any, **named: Any) -> Any:
    """
    Do ``obj.ptp()``.

    Parameters
    ----------
    obj : ndarray

    Returns
    -------
    ndarray or scalar
    """
    return numpy.ptp(obj, *args, **named)


def itemset(obj: Any, *args: Any) -> None:
    """
    Do ``obj.itemset(index, value)``.

    Parameters
    ----------
    obj : ndarray
    args : any
    """
    *index, value = args
    if not index:
        obj[(0,) * obj.ndim] = value
    elif isinstance(index[0], tuple):
        obj[index[0]] = value
    else:
        obj.flat[index[0]] = value


def newbyteorder(obj: Any, order: str = "S") -> Any:
    """
    Do ``obj.newbyteorder()``.

    Parameters
    ----------
    obj : ndarray
    order : str

    Returns
    -------
    ndarray
        A view.
    """
    return obj.view(obj.dtype.newbyteorder(order))


_MAKES = {"array": array, "asarray": asarray, "fromstring": fromstring}


def _with_dtype(name: str, position: int) -> Callable:
    function = getattr(numpy, name)

    def call(*args: Any, **named: Any) -> Any:
        if len(args) > position:
            args = (*args[:position], _dtype(args[position]), *args[position + 1 :])
        elif "dtype" in named:
            named["dtype"] = _dtype(named["dtype"])
        return function(*args, **named)

    call.__name__ = name
    return call


def _numpy() -> types.ModuleType:
    try:
        # repr(numpy.float64(0.5)) was '0.5'
        numpy.set_printoptions(legacy="1.21")
    except (TypeError, ValueError):
        pass
    # arrays of 8-bit strings
    write_with(numpy.dtype, lambda kind: _TEXT.sub(r"|S\1", str(kind)), lambda kind: _TEXT.sub(r"S\1", repr(kind)))
    write_with(numpy.ndarray, None, lambda values: _TEXT_OF_ARRAY.sub(r"|S\1", repr(values)))
    names: dict[str, Any] = {
        **_MAKES,
        "int": int,
        "float": float,
        "bool": bool,
        "object": object,
        "complex": complex,
        "str": Str,
        "long": Long,
        "unicode": Unicode,
        "float_": numpy.float64,
        "int_": numpy.int64,
        "complex_": numpy.complex128,
        "string_": numpy.str_,
        "unicode_": numpy.str_,
        "str_": numpy.str_,
        "object0": object,
        "bool8": numpy.bool_,
        "singlecomplex": numpy.complex64,
        "cfloat": numpy.complex128,
        "longfloat": numpy.longdouble,
        "Inf": numpy.inf,
        "Infinity": numpy.inf,
        "infty": numpy.inf,
        "PINF": numpy.inf,
        "NINF": -numpy.inf,
        "NaN": numpy.nan,
        "NAN": numpy.nan,
        "PZERO": 0.0,
        "NZERO": -0.0,
        "rank": _rank,
        "product": numpy.prod,
        "cumproduct": numpy.cumprod,
        "sometrue": numpy.any,
        "alltrue": numpy.all,
        "round_": numpy.round,
        "in1d": lambda a, b, *r, **k: numpy.isin(numpy.ravel(a), b, *r, **k),
        "asscalar": lambda a: a.item(),
        "alen": len,
        "row_stack": numpy.vstack,
        "msort": lambda a: numpy.sort(a, axis=0),
        "asfarray": lambda a, dtype=numpy.float64: asarray(a, dtype),
        "deprecate": _deprecate,
        "divide": _divide,
        "trapz": getattr(numpy, "trapezoid", None) or numpy.trapz,
        "load": _load,
        "fromfile": _for_binary_files(numpy.fromfile),
        "save": _for_binary_files(numpy.save),
        "savez": _for_binary_files(numpy.savez),
        "loadtxt": _for_binary_files(numpy.loadtxt),
        "genfromtxt": _for_binary_files(numpy.genfromtxt),
        "savetxt": _for_binary_files(numpy.savetxt),
        "mat": numpy.asmatrix,
        "safe_eval": _safe_eval,
        **{name: _with_dtype(name, 1) for name in ("zeros", "ones", "empty", "dtype")},
    }
    names["dtype"] = numpy.dtype
    # `from numpy import *` left these built-ins alone
    kept = set("""abs all any bool complex float int long max min object pow round str sum unicode""".split()) - {
        "all",
        "any",
        "sum",
    }
    names["__all__"] = sorted({*numpy.__all__, *names} - kept)
    return StandIn(numpy, names, name="numpy")


def _safe_eval(text: str) -> Any:
    import ast

    return ast.literal_eval(text)


def _old_core(real: types.ModuleType, name: str, extra: dict[str, Any] | None = None) -> types.ModuleType:
    names = {key: value for key, value in _MAKES.items() if hasattr(real, key) or real is _multiarray}
    return StandIn(real, {**names, **(extra or {})}, name=name)


# -- Numeric and numpy.oldnumeric: axis 0 by default, one-letter type codes


def array_constructor(shape: Any, typecode: str, data: Any, endian: bool = sys.byteorder == "little") -> Any:
    """
    Make the array of a Numeric pickle.

    Parameters
    ----------
    shape : tuple of int
    typecode : str
    data : str or list
        The elements as bytes, or the objects themselves.
    endian : bool
        Written on a little-endian machine.

    Returns
    -------
    ndarray
    """
    made = numpy.array(data, "O") if typecode == "O" else fromstring(data, _typecode(typecode))
    made.shape = shape
    return made if endian == (sys.byteorder == "little") else made.byteswap(True)


def _typecode(code: Any, default: Any = None) -> Any:
    if code is None:
        return default
    return {"1": "b", "b": "B", "s": "h", "w": "H", "u": "I"}.get(code, code) if isinstance(code, str) else code


def _old_numeric(name: str) -> types.ModuleType:
    def old(function: Callable, axis: int) -> Callable:
        return lambda a, axis=axis, **named: function(a, axis=axis, **named)

    def with_code(function: Callable, default: Any) -> Callable:
        def call(first: Any, typecode: Any = None, savespace: int = 0, dtype: Any = None) -> Any:
            return function(first, _dtype(_typecode(typecode, default) if dtype is None else dtype))

        return call

    def make(sequence: Any, typecode: Any = None, copy: Any = 1, savespace: int = 0, dtype: Any = None) -> Any:
        return array(sequence, _typecode(typecode) if dtype is None else dtype, copy)

    def nonzero(a: Any) -> Any:
        found = numpy.nonzero(a)
        if len(found) != 1:
            raise ValueError("Input argument must be 1d")
        return found[0]

    def arange(start: Any, stop: Any = None, step: Any = 1, typecode: Any = None, dtype: Any = None) -> Any:
        bounds = (0, start) if stop is None else (start, stop)
        return numpy.arange(*bounds, step, _typecode(typecode) if dtype is None else dtype)

    names: dict[str, Any] = {
        key: value for key, value in vars(numpy).items() if isinstance(value, numpy.ufunc) and not key.startswith("_")
    }
    names.update(
        {
            key: getattr(numpy, key)
            for key in "sort clip sign shape putmask allclose size transpose concatenate dot vdot inner outer diagonal "
            "searchsorted choose where resize array2string array_repr array_str convolve swapaxes put around "
            "cross ravel reshape logical_and logical_or logical_not".split()
        }
    )
    names.update(
        array=make,
        asarray=lambda a, typecode=None, dtype=None: asarray(a, _typecode(typecode) if dtype is None else dtype),
        sarray=make,
        zeros=with_code(numpy.zeros, "l"),
        ones=with_code(numpy.ones, "l"),
        empty=with_code(numpy.empty, "l"),
        identity=with_code(numpy.identity, "l"),
        arange=arange,
        arrayrange=arange,
        take=lambda a, indices, axis=0: numpy.take(a, indices, axis),
        repeat=lambda a, repeats, axis=0: numpy.repeat(a, repeats, axis),
        compress=lambda condition, m, axis=-1: numpy.compress(condition, m, axis),
        sum=old(numpy.sum, 0),
        product=old(numpy.prod, 0),
        sometrue=old(numpy.any, 0),
        alltrue=old(numpy.all, 0),
        cumsum=old(numpy.cumsum, 0),
        cumproduct=old(numpy.cumprod, 0),
        argmax=old(numpy.argmax, -1),
        argmin=old(numpy.argmin, -1),
        average=lambda a, axis=0, weights=None, returned=False: numpy.average(a, axis, weights, returned),
        argsort=lambda x, axis=-1: numpy.argsort(x, axis),
        nonzero=nonzero,
        fromstring=lambda s, typecode="l", count=-1: fromstring(s, _typecode(typecode), count),
        rank=_rank,
        matrixmultiply=numpy.dot,
        innerproduct=numpy.inner,
        outerproduct=numpy.outer,
        cross_product=numpy.cross,
        divide=_divide,
        NewAxis=None,
        ArrayType=numpy.ndarray,
        arraytype=numpy.ndarray,
        UfuncType=numpy.ufunc,
        array_constructor=array_constructor,
        pi=numpy.pi,
        e=numpy.e,
        Int="l",
        Int0="b",
        Int8="b",
        Int16="h",
        Int32="i",
        Int64="l",
        UInt8="B",
        UInt16="H",
        UInt32="I",
        UnsignedInteger="L",
        UnsignedInt8="B",
        UnsignedInt16="H",
        UnsignedInt32="I",
        Float="d",
        Float0="f",
        Float8="f",
        Float16="f",
        Float32="f",
        Float64="d",
        Complex="D",
        Complex32="F",
        Complex64="D",
        Character="c",
        PyObject="O",
        typecodes=dict(Character="c", Integer="bhil", UnsignedInteger="BHIL", Float="fd", Complex="FD"),
    )
    return new_module(name, names)


def _linear_algebra(name: str) -> types.ModuleType:
    linalg = numpy.linalg
    return new_module(
        name,
        {
            "LinAlgError": linalg.LinAlgError,
            "solve_linear_equations": linalg.solve,
            "inverse": linalg.inv,
            "determinant": linalg.det,
            "eigenvalues": linalg.eigvals,
            "generalized_inverse": linalg.pinv,
            "linear_least_squares": linalg.lstsq,
            "cholesky_decomposition": linalg.cholesky,
            "Heigenvalues": linalg.eigvalsh,
            "eigenvectors": lambda a: _rows(linalg.eig(a)),
            "Heigenvectors": lambda a: _rows(linalg.eigh(a)),
            "singular_value_decomposition": lambda a, full_matrices=0: linalg.svd(a, full_matrices),
        },
    )


def _rows(pair: tuple) -> tuple:
    """Numeric gave eigenvectors as rows."""
    values, vectors = pair
    return values, numpy.transpose(vectors)


def _random_array(name: str) -> types.ModuleType:
    draw = numpy.random
    return new_module(
        name,
        {
            "random": lambda shape=(): draw.random_sample(shape),
            "seed": lambda x=0, y=0: draw.seed(x or y or None),
            "uniform": lambda low, high, shape=(): draw.uniform(low, high, shape),
            "normal": lambda mean, std, shape=(): draw.normal(mean, std, shape),
            "standard_normal": lambda shape=(): draw.standard_normal(shape),
            "permutation": draw.permutation,
            "randint": lambda low, high=None, shape=(): draw.randint(low, high, shape),
            "ArgumentError": ValueError,
        },
    )


MODULES = {
    "numpy": _numpy,
    "numpy.core": lambda: StandIn(_core, _MAKES, name="numpy.core"),
    "numpy.core.multiarray": lambda: _old_core(_multiarray, "numpy.core.multiarray"),
    "numpy.core.umath": lambda: StandIn(_umath, {"divide": _divide}, name="numpy.core.umath"),
    "numpy.core.numeric": lambda: _old_core(_numeric, "numpy.core.numeric", {"deprecate": _deprecate}),
    "numpy.oldnumeric": lambda: _old_numeric("numpy.oldnumeric"),
    "Numeric": lambda: _old_numeric("Numeric"),
    "numpy.oldnumeric.linear_algebra": lambda: _linear_algebra("numpy.oldnumeric.linear_algebra"),
    "LinearAlgebra": lambda: _linear_algebra("LinearAlgebra"),
    "numpy.oldnumeric.random_array": lambda: _random_array("numpy.oldnumeric.random_array"),
    "RandomArray": lambda: _random_array("RandomArray"),
}
