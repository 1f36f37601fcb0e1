"""Arguments that travel to each host once."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Sequence
from typing import Any

from biskit_pvm.executor import packing
from biskit_pvm.machine.log import Log
from biskit_pvm.machine.shared_memory import Store, sweep

log = Log(__name__)


class Shared:
    """An object that an executor shares; as an argument it stands for the object itself.

    Attributes
    ----------
    value : object
    """

    def __init__(self, shelf: Shelf, key: str, value: Any) -> None:
        self._shelf, self._key, self.value = shelf, key, value

    def __reduce__(self) -> tuple[Any, ...]:
        return fetched, (self._shelf.name, self._key)

    def close(self) -> None:
        """Share it no more.  Calls that use it must be done."""
        self._shelf.remove(self._key)


class Shelf:
    """What an executor shares."""

    def __init__(self) -> None:
        self.name = os.urandom(8).hex()
        self._objects: dict[str, Any] = {}
        self._store: Store | None = None
        self._told = False

    def share(self, value: Any) -> Shared:
        """Share an object: write it where the processes of this host can map it."""
        key = f"object{len(self._objects)}-{os.urandom(4).hex()}"
        try:
            if self._store is None:
                sweep()
                self._store = Store(self.name)
            self._store.put(key, _parts(value))
        except OSError as error:
            if not self._told:
                self._told = True
                log.warning("shared objects go to each worker instead of each host: %s", error)
        self._objects[key] = value
        return Shared(self, key, value)

    def parts(self, key: str) -> list[Any]:
        """Return the parts of an object, to be sent; empty when it is not shared any more."""
        return _parts(self._objects[key]) if key in self._objects else []

    def remove(self, key: str) -> None:
        """Share an object no more."""
        self._objects.pop(key, None)
        if self._store is not None:
            self._store.remove(key)

    def close(self) -> None:
        """Share nothing any more."""
        self._objects.clear()
        store, self._store = self._store, None
        if store is not None:
            store.close()


def _parts(value: Any) -> list[Any]:
    buffers = packing.Buffers()
    return [packing.dumps(value, buffers), *(buffer.raw() for buffer in buffers)]


# -- in a slave ------------------------------------------------------------------

#: asks the master for the parts of an object
ask: Callable[[str], Sequence[Any]] | None = None

_stores: dict[str, Store | None] = {}
_known: dict[tuple[str, str], Any] = {}


def fetched(name: str, key: str) -> Any:
    """Return a shared object, which lies on this host once."""
    try:
        return _known[name, key]
    except KeyError:
        pass

    def fetch() -> Sequence[Any]:
        parts = ask(key) if ask is not None else ()
        if not parts:
            raise RuntimeError("an argument was shared, and is not any more")
        return parts

    if name not in _stores:
        try:
            _stores[name] = Store(name)
        except OSError:  # no tmpfs here
            _stores[name] = None
    store = _stores[name]
    if store is not None:
        value = store.get_or_fetch(key, fetch)
    else:
        body, *buffers = fetch()
        value = pickle.loads(body, buffers=buffers)
    _known[name, key] = value
    return value
