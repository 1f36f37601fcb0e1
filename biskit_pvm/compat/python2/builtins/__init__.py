"""
What translated code needs while it runs: Python 2's built-in names and the helpers that `translate.meaning` calls.

Both are one namespace, `NAMESPACE`, the dictionary of the module that translated code imports as ``__builtin__``. Every
translated module, and every function in it, has it as its ``__builtins__``: nothing is put into the script's own
namespaces, and Python 3 code is not touched.
"""

from __future__ import annotations

import builtins
import sys
import types
from typing import Any

from biskit_pvm.compat.python2.builtins import (
    attributes,
    classes,
    containers,
    errors,
    execution,
    files,
    hash_tables,
    hashing,
    imports,
    kinds,
    numbers,
    ordering,
    strings,
)
from biskit_pvm.compat.python2.translate.names import CALLS, call_helper

__all__ = ["NAMESPACE", "builtin_module"]

#: what translated code imports as ``__builtin__``
builtin_module = types.ModuleType("__builtin__", "Python 2's built-in names.")

#: the ``__builtins__`` of translated code
NAMESPACE: dict[str, Any] = builtin_module.__dict__


def _fill() -> None:
    kept = """ArithmeticError AssertionError AttributeError BaseException BufferError BytesWarning DeprecationWarning
        EOFError Ellipsis Exception False FloatingPointError FutureWarning GeneratorExit ImportError ImportWarning
        IndentationError IndexError KeyError KeyboardInterrupt LookupError MemoryError NameError None NotImplemented
        NotImplementedError OverflowError PendingDeprecationWarning ReferenceError RuntimeError RuntimeWarning
        StopIteration SyntaxError SyntaxWarning SystemError SystemExit TabError True TypeError UnboundLocalError
        UnicodeDecodeError UnicodeEncodeError UnicodeError UnicodeTranslateError UnicodeWarning UserWarning ValueError
        Warning ZeroDivisionError __debug__ abs all any bin bool classmethod complex copyright credits delattr dict
        divmod enumerate exit float format frozenset globals help id int len license list next object ord
        pow property quit reversed set setattr slice staticmethod super tuple type""".split()
    for name in kept:
        if hasattr(builtins, name):
            NAMESPACE[name] = getattr(builtins, name)
    NAMESPACE.update(
        IOError=errors.IOError,
        OSError=errors.OSError2,
        EnvironmentError=OSError,
        StandardError=errors.StandardError,
        apply=containers.apply,
        basestring=strings.Basestring,
        buffer=_buffer,
        bytearray=_ByteArray,
        bytes=strings.Str,
        callable=attributes.callable_,
        chr=containers.chr_,
        cmp=ordering.compare,
        coerce=containers.coerce,
        compile=execution.compile_,
        dir=execution.dir_,
        eval=execution.evaluate,
        execfile=execution.execute_file,
        file=files.File,
        filter=containers.filter_,
        getattr=attributes.get_attribute,
        hasattr=attributes.has_attribute,
        hash=hashing.hash_,
        hex=numbers.hexadecimal,
        input=execution.input_,
        intern=_intern,
        isinstance=attributes.is_instance,
        iter=containers.iter_,
        issubclass=attributes.is_subclass,
        locals=execution.locals_,
        long=numbers.Long,
        map=containers.map_,
        max=ordering.extreme(max, 1),
        memoryview=memoryview,
        min=ordering.extreme(min, -1),
        oct=numbers.octal,
        open=files.File,
        print=files.print_function,
        range=containers.range_,
        raw_input=files.raw_input,
        reduce=containers.reduce_,
        reload=imports.reload,
        repr=strings.to_repr,
        round=numbers.round_half_away,
        sorted=ordering.sort,
        str=strings.Str,
        sum=numbers.total,
        unichr=containers.unichr,
        unicode=strings.Unicode,
        vars=execution.vars_,
        xrange=range,
        zip=containers.zip_,
        __build_class__=classes.build_class,
        __import__=imports.import_,
    )
    NAMESPACE.update(
        __py2_lt__=ordering.less,
        __py2_le__=ordering.less_equal,
        __py2_gt__=ordering.greater,
        __py2_ge__=ordering.greater_equal,
        __py2_eq__=ordering.equal,
        __py2_ne__=ordering.unequal,
        __py2_in__=ordering.contains,
        __py2_not_in__=ordering.contains_not,
        __py2_add__=numbers.add,
        __py2_sub__=numbers.subtract,
        __py2_mul__=numbers.multiply,
        __py2_pow__=numbers.power,
        __py2_truediv__=numbers.true_divide,
        __py2_iadd__=numbers.add_in_place,
        __py2_isub__=numbers.subtract_in_place,
        __py2_imul__=numbers.multiply_in_place,
        __py2_ipow__=numbers.power_in_place,
        __py2_itruediv__=numbers.true_divide_in_place,
        __py2_div__=numbers.divide,
        __py2_idiv__=numbers.divide_in_place,
        __py2_mod__=numbers.modulo,
        __py2_imod__=numbers.modulo_in_place,
        __py2_type__=kinds.type_call,
        __py2_number__=numbers.number_call,
        __py2_iter__=hash_tables.in_order,
        __py2_listed__=containers.listed,
        __py2_attr__=attributes.attribute,
        __py2_setattr__=attributes.set_attribute,
        __py2_getslice__=classes.get_slice,
        __py2_setslice__=classes.set_slice,
        __py2_delslice__=classes.delete_slice,
        __py2_item_of_exception__=errors.item_of_exception,
        __py2_u__=strings.u,
        __py2_long__=numbers.Long,
        __py2_repr__=strings.to_repr,
        __py2_print__=files.print_statement,
        __py2_exec__=execution.execute,
        __py2_exec_in_function__=execution.execute_in_function,
        __py2_star__=execution.import_star,
        __py2_raise__=errors.raise_,
        __py2_reraise__=errors.reraise,
        __py2_match__=errors.match,
        __py2_caught__=errors.caught,
        __py2_flat__=_flat,
    )
    for name, value in NAMESPACE.items():
        if isinstance(value, types.FunctionType) and not name.startswith("__"):
            value.__name__ = value.__qualname__ = name
    for name in CALLS:
        NAMESPACE[call_helper(name)] = attributes.METHOD_CALLS[name]


def _flat(shape: Any, values: Any) -> list:
    """Take values apart as deep as nested parameters ask for."""
    parts = list(values)
    if len(parts) != len(shape):
        raise ValueError(
            "too many values to unpack" if len(parts) > len(shape) else f"need more than {len(parts)} values to unpack"
        )
    flat: list = []
    for part, value in zip(shape, parts):
        flat.extend([value] if isinstance(part, str) else _flat(part, value))
    return flat


def _intern(text: str) -> str:
    return sys.intern(text)


def _buffer(obj: Any, offset: int = 0, size: int = -1) -> str:
    """Python 2's ``buffer`` as the 8-bit string that it was used as."""
    data = strings.as_bytes(obj)
    return strings.as_text(data[offset:] if size < 0 else data[offset : offset + size])


class _ByteArray(bytearray):
    """``bytearray`` that takes 8-bit strings."""

    def __init__(self, source: Any = b"", *args: Any) -> None:
        super().__init__(strings.as_bytes(source) if isinstance(source, str) and not args else source, *args)

    def __str__(self) -> str:
        return strings.as_text(bytes(self))


_ByteArray.__name__ = _ByteArray.__qualname__ = "bytearray"

_fill()
