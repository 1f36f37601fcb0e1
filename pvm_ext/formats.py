"""``pvm_packf`` and ``pvm_unpackf``: several values by one format, as printf does it.

C's own functions take their values through a variable list of arguments, which cannot be
made at run time; so the format is read here, and each item goes to the function of its type.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from . import _pvm

_ITEM = re.compile(r"\s*%(?:(?P<init>\+)|(?P<count>\d+|\*)?(?:\.(?P<stride>\d+|\*))?(?P<type>[hlu]*[cdfxs]))")

_TYPES = {
    "c": "byte", "d": "int", "hd": "short", "ld": "long", "ud": "uint", "hud": "ushort",
    "lud": "ulong", "f": "float", "lf": "double", "x": "cplx", "lx": "dcplx", "s": "str",
}  # fmt: skip


class _Item(NamedTuple):
    type: str  # as in the names of the functions; empty for ``%+``
    times: str
    stride: str


def _items(fmt: str) -> Iterator[_Item]:
    """Read a format."""
    position = 0
    while position < len(fmt.rstrip()):
        found = _ITEM.match(fmt, position)
        if found is None:
            raise ValueError(f"cannot read the format {fmt!r} from {fmt[position:]!r} on")
        letters = found["type"] or ""
        name = _TYPES.get("".join(sorted(letters[:-1], key="hlu".index)) + letters[-1:], "")
        if not name and not found["init"]:
            raise ValueError(f"no type {letters!r} in the format {fmt!r}")
        yield _Item(name, found["count"] or "", found["stride"] or "1")
        position = found.end()


def packf(fmt: str, *values: Any) -> None:
    """Pack values by a format.

    Parameters
    ----------
    fmt : str
        For each value ``%``, a count, a dot and a stride, and a type, of which only the
        type must be there.  Types: ``c`` byte, ``d`` int, ``hd`` short, ``ld`` long, each
        of these with ``u`` unsigned, ``f`` float, ``lf`` double, ``x`` complex, ``lx``
        double complex, ``s`` string.  ``%+`` stands for `initsend`.
    *values
        An encoding for ``%+``; a number or string for an item without a count; for one with
        a count, a sequence.  A count or stride ``*`` takes an int before the sequence.

    Raises
    ------
    ValueError
        When the format is wrong, or a sequence too short for it.
    TypeError
        When there are too few or too many values.
    """
    given = iter(values)

    def take() -> Any:
        for value in given:
            return value
        raise TypeError(f"the format {fmt!r} asks for more than {len(values)} values")

    for item in list(_items(fmt)):
        if not item.type:
            _pvm.initsend(take())
            continue
        count = item.times and int(take() if item.times == "*" else item.times)
        stride = int(take() if item.stride == "*" else item.stride)
        value = take()
        if item.type == "str":
            _pvm.pkstr(value)
            continue
        if count == "":
            value = value if item.type == "byte" and isinstance(value, bytes) else [value]
            count = 1
        last = (count - 1) * stride
        if len(value) <= last:
            raise ValueError(f"%{item.type} of {fmt!r} needs {last + 1} items, not {len(value)}")
        getattr(_pvm, "pk" + item.type)(value[: last + 1], stride)
    for _ in given:
        raise TypeError(f"the format {fmt!r} does not ask for {len(values)} values")


def unpackf(fmt: str, *counts: int) -> tuple[Any, ...]:
    """Unpack values by a format.

    Parameters
    ----------
    fmt : str
        As for `packf`, without ``%+``.  Strides have no effect.
    *counts : int
        The counts and strides that the format gives as ``*``.

    Returns
    -------
    tuple
        For each item a number or string, or a list where the format has a count.

    Raises
    ------
    ValueError
        When the format is wrong.
    TypeError
        When there are too few or too many counts.
    """
    given = list(counts)
    items = list(_items(fmt))
    if not all(item.type for item in items):
        raise ValueError("%+ is only for packing")
    if len(given) != sum((item.times == "*") + (item.stride == "*") for item in items):
        raise TypeError(f"the format {fmt!r} does not ask for {len(counts)} counts")
    values: list[Any] = []
    for item in items:
        count = given.pop(0) if item.times == "*" else item.times
        if item.stride == "*":
            given.pop(0)
        if item.type == "str":
            values.append(_pvm.upkstr())
        elif count == "":
            values.append(getattr(_pvm, "upk" + item.type)(1)[0])
        else:
            values.append(getattr(_pvm, "upk" + item.type)(int(count)))
    return tuple(values)
