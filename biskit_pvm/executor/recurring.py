"""Large arguments that come again: shared from their second time on, until no call can need them any more."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from typing import Any

from biskit_pvm.messages.shared import LARGE, Shared


class Argument:
    """A large argument of calls."""

    def __init__(self, get: Callable[[], Any]) -> None:
        #: returns the object, as long as there is one
        self.get = get
        #: what stands for it, from its second time on
        self.shared: Shared | None = None
        #: calls with it that are not done
        self.users = 0
        #: whether more may come
        self.wanted = True


def is_large(argument: Any) -> bool:
    """Tell whether an argument has so many bytes that it is worth sharing."""
    size = len(argument) if type(argument) is bytes else getattr(argument, "nbytes", None)
    return isinstance(size, int) and size >= LARGE


class Recurring:
    """Share large arguments that come again.

    Parameters
    ----------
    share : callable(object)
        Shares one.
    chosen : callable(object)
        Tells whether an argument may be shared.
    """

    def __init__(self, share: Callable[[Any], Shared], chosen: Callable[[Any], bool] = is_large) -> None:
        self._share, self._chosen = share, chosen
        #: by identity
        self._known: dict[int, Argument] = {}
        # Reentrant: the collector may end an object in whatever thread holds this.
        self._lock = threading.RLock()

    def lighter(self, value: Any, used: list[Argument]) -> Any:
        """Return what stands for an argument, or the argument itself.

        Parameters
        ----------
        value : object
            The argument.
        used : list
            Gets what `done` is to be told about when the call is done.
        """
        if not self._chosen(value):
            return value
        key = id(value)
        with self._lock:
            argument = self._known.get(key)
            if argument is None or argument.get() is not value:  # an earlier one may have lived there
                try:
                    get: Callable[[], Any] = weakref.ref(value, lambda reference: self._gone(key, reference))
                except TypeError:  # bytes: to be held, or another one could take its place
                    get = lambda: value  # noqa: E731
                self._known[key] = Argument(get)
                return value
            if argument.shared is None:
                argument.shared = self._share(value)
            argument.users += 1
        used.append(argument)
        return argument.shared

    def done(self, used: list[Argument], future: Any = None) -> None:
        """A call with these is done."""
        with self._lock:
            for argument in used:
                argument.users -= 1
                self._share_no_more(argument)

    def _gone(self, key: int, reference: Any) -> None:
        with self._lock:
            argument = self._known.get(key)
            if argument is not None and argument.get is reference:
                del self._known[key]
                argument.wanted = False
                self._share_no_more(argument)

    def close(self) -> None:
        """No more calls will come."""
        with self._lock:
            known, self._known = self._known, {}
            for argument in known.values():
                argument.wanted = False
                self._share_no_more(argument)

    def _share_no_more(self, argument: Argument) -> None:
        if not argument.wanted and not argument.users and argument.shared is not None:
            shared, argument.shared = argument.shared, None
            shared.close()
