"""Large arguments that come again."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from biskit_pvm.messages.shared import LARGE


class Recurring:
    """Share large arguments from the second time on that they come.

    Parameters
    ----------
    share : callable(object)
        Shares one, and returns what stands for it.
    """

    def __init__(self, share: Callable[[Any], Any]) -> None:
        self._share = share
        #: by identity: the object, as long as there is one, and what stands for it
        self._seen: dict[int, tuple[Callable[[], Any], Any]] = {}

    def lighter(self, argument: Any) -> Any:
        """Return what stands for an argument, or the argument itself."""
        size = len(argument) if type(argument) is bytes else getattr(argument, "nbytes", None)
        if not isinstance(size, int) or size < LARGE:
            return argument
        key = id(argument)
        known, shared = self._seen.get(key, (None, None))
        if known is None or known() is not argument:  # an earlier one may have lived there
            try:
                self._seen[key] = weakref.ref(argument, lambda _: self._forget(key)), None
            except TypeError:  # bytes: to be held, or another one could take its place
                self._seen[key] = (lambda: argument), None
            return argument
        if shared is None:
            shared = self._share(argument)
            self._seen[key] = known, shared
        return shared

    def _forget(self, key: int) -> None:
        # calls that wait may still need what is shared, which goes with the executor
        known = self._seen.get(key)
        if known is not None and known[0]() is None:
            del self._seen[key]
