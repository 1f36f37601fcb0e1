"""Objects that travel to each host once.

Whoever shares an object lays it on a shelf: pickled once, in a file that the processes of its host map.  In messages
a ticket stands for it.  A slave that reads a ticket finds the object on its host, or fetches it, piece by piece, from
its master, while other slaves of the host wait for it.  A piece is asked for when an earlier one has come, so nobody
is sent more than fits into its link, and all hosts get theirs at the same time.

Of what is larger the master sends only a few hosts the pieces.  It tells the others which host to ask: each that has
some of it passes it on (`spread` decides, `passing` does it).  Whoever gets nothing there comes back to the master.
"""

from __future__ import annotations

import heapq
import itertools
import os
import pickle
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from biskit_pvm.machine.log import Log
from biskit_pvm.machine.shared_memory import Draft, Store, parts_of, pieces_of, same, sweep
from biskit_pvm.machine.tags import Tag
from biskit_pvm.messages.spread import OWNER, Spread
from biskit_pvm.messages.wire import blake2b, compare_digest

if TYPE_CHECKING:
    from biskit_pvm.messages.messenger import Messenger
    from biskit_pvm.messages.passing import Address, Door, Passed

log = Log(__name__)

#: bytes that are sent at a time, and how many times as many are on their way to a host
PIECE = 500 * 1024
AHEAD = 4

#: longest time (s) to wait for a piece
FETCH_TIME = 3600.0

#: parts that are smaller stay in their pickle
IN_PLACE = 65536

#: what is smaller altogether goes to each slave by itself
LARGE = 1024 * 1024

#: bytes of an object that hosts pass on, and of it that one must have before it does
SPREADING = 4 * 1024 * 1024
ENOUGH = 1024 * 1024

#: seconds to wait until the master tells whom to ask
WHOM_TIME = 30.0

#: seconds after which one who gets an object from another host asks whether there is a faster one
SLOW_TIME = 5.0


class Ticket(NamedTuple):
    """What stands for a shared object in messages.

    Attributes
    ----------
    shelf, key : str
        Where it lies.
    size : int
        Its bytes.
    digest : bytes
        Of its first part, which is a pickle: messages vouch for tickets, but not for what is in large buffers.
    writable : bool
        Whether slaves may write to it; each then has what it changes for itself.
    """

    shelf: str
    key: str
    size: int
    digest: bytes
    writable: bool = False


class Shared:
    """An object that travels to each host once; in a message it stands for the object itself."""

    def __init__(self, shelf: Shelf, ticket: Ticket, view: memoryview) -> None:
        self._shelf, self._ticket, self._view = shelf, ticket, view

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self._ticket.size} bytes>"

    @property
    def value(self) -> Any:
        """The object, as slaves have it: its arrays are read-only."""
        body, *buffers = parts_of(self._view)
        return pickle.loads(body, buffers=buffers)

    def __reduce__(self) -> tuple[Any, ...]:
        if getattr(_pickling, "by_value", False):
            return _itself, (self.value,)
        return fetched, (self._ticket,)

    def __copy__(self) -> Shared:
        return self

    def __deepcopy__(self, memo: Any) -> Shared:
        return self

    def close(self) -> None:
        """Share it no more.  What uses it must be done."""
        self._shelf.remove(self._ticket.key)


class Parcel:
    """An object, or a call, whose large parts are shared; in a message it stands for it.

    Parameters
    ----------
    function : callable(head, ticket)
        Makes it of its parts: `loaded` or `joined`.
    head : bytes or None
        What is not shared.
    ticket : Ticket
    """

    def __init__(self, function: Callable[[Any, Ticket], Any], head: bytes | None, ticket: Ticket) -> None:
        self._function, self._head, self._ticket = function, head, ticket

    def __reduce__(self) -> tuple[Any, ...]:
        return self._function, (self._head, self._ticket)


_pickling = threading.local()


@contextmanager
def by_value() -> Iterator[None]:
    """Have shared objects pickled whole by this thread, for who cannot ask for them."""
    _pickling.by_value = True
    try:
        yield
    finally:
        _pickling.by_value = False


def _itself(value: Any) -> Any:
    return value


def digest_of(part: Any) -> bytes:
    """Return what a message says of a pickle that travels in one of its buffers, for which its seal does not vouch."""
    return blake2b(part, digest_size=16).digest()


def proved(part: Any, digest: bytes) -> Any:
    """Return a pickle that has come in a buffer, if it is what was sent."""
    if not compare_digest(digest_of(part), digest):
        raise pickle.UnpicklingError("a pickle is not what was sent")
    return part


def dumps(value: Any) -> list[Any]:
    """Pickle an object; return the pickle and the large parts that do not stand in it."""
    buffers: list[pickle.PickleBuffer] = []

    def apart(buffer: pickle.PickleBuffer) -> bool:
        if memoryview(buffer).nbytes < IN_PLACE:
            return True
        buffers.append(buffer)
        return False

    body = pickle.dumps(value, 5, buffer_callback=apart)
    return [body, *(buffer.raw() for buffer in buffers)]


# -- in the process that shares ------------------------------------------------------

_shelves: weakref.WeakValueDictionary[str, Shelf] = weakref.WeakValueDictionary()


class Shelf:
    """What one master or executor shares."""

    def __init__(self) -> None:
        self.name = os.urandom(8).hex()
        self._objects: dict[str, memoryview] = {}
        #: called with shelf and key of what is shared no more, by whatever thread
        self.on_removed: Callable[[str, str], None] | None = None
        self._store: Store | None = None
        self._lock = threading.Lock()
        self._closed = False
        _shelves[self.name] = self

    def share(self, value: Any, dumps: Callable[[Any], list[Any]] = dumps) -> Shared:
        """Share an object."""
        ticket = self.put(dumps(value))
        return Shared(self, ticket, self._objects[ticket.key])

    def put(self, parts: Sequence[Any], writable: bool = False) -> Ticket:
        """Copy the parts of an object, the first of which is a pickle, to where others can ask for them."""
        pieces = pieces_of(parts)
        size = sum(piece.nbytes for piece in pieces)
        key = os.urandom(8).hex()
        with self._lock:
            if self._closed:
                raise RuntimeError("cannot share anything after the end")
            store = self._open()
        draft = None
        if store is not None:
            try:
                draft = store.draft(key, size)
            except OSError as error:  # slaves on this host tell
                log.info("%s", error)
        in_file, draft = draft is not None, draft or Draft(size)
        try:
            for piece in pieces:
                draft.write(piece)
            view = draft.finish()
        except BaseException:
            draft.abandon()
            raise
        self._objects[key] = store.open(key) if in_file and store is not None else view.toreadonly()
        return Ticket(self.name, key, size, digest_of(parts[0]), writable)

    def _open(self) -> Store | None:
        if self._store is None:
            sweep()
            try:
                self._store = Store(self.name)
            except OSError as error:
                log.info("%s", error)
            else:
                # at the end of this process at the latest
                weakref.finalize(self, self._store.close)
        return self._store

    def view(self, key: str) -> memoryview | None:
        """Return the memory of an object; None when it is not shared any more."""
        return self._objects.get(key)

    def remove(self, key: str) -> None:
        """Share an object no more."""
        known = self._objects.pop(key, None) is not None
        if self._store is not None:
            self._store.remove(key)
        if known and self.on_removed is not None:
            self.on_removed(self.name, key)

    def close(self) -> None:
        """Share nothing any more."""
        with self._lock:
            self._closed = True
            self._objects.clear()
            store, self._store = self._store, None
        if store is not None:
            store.close()


class Common:
    """What all slaves get alike travels to each host once: their parameters, as far as these are large.

    Each slave's are pickled anew, for they may have been changed meanwhile.  Their large parts are shared as long
    as they are those of the first.

    Parameters
    ----------
    shelf : Shelf
    """

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._ticket: Ticket | None = None
        self._differs = False

    def lighter(self, value: Any) -> Any:
        """Return what stands for an object in a message to a slave; the object itself when it does not pay."""
        if self._differs or value is None:
            return value
        body, *parts = dumps(value)
        head = body
        if len(body) >= IN_PLACE:
            head = None
            parts.insert(0, body)
        else:
            parts.insert(0, b"")
        if sum(map(len, parts)) < LARGE:
            return value
        if self._ticket is None:
            self._ticket = self._shelf.put(parts, writable=True)
        elif not self._is_known(self._ticket, parts):
            self._differs = True
            return value
        return Parcel(loaded, head, self._ticket)

    def _is_known(self, ticket: Ticket, parts: list[Any]) -> bool:
        view = self._shelf.view(ticket.key)
        if view is None:
            return False
        known = parts_of(view)
        return len(known) == len(parts) and all(same(one, memoryview(other)) for one, other in zip(known, parts))


def view_of(shelf: str, key: str) -> memoryview | None:
    """Return the memory of an object that this process shares; None where it does not."""
    found = _shelves.get(shelf)
    return None if found is None else found.view(key)


class Pieces:
    """Send slaves the pieces that they have asked for.

    Whoever has most of its object is served first, so that the first host is ready soon, and not all at the end.  One
    that takes its time asks for no more meanwhile.

    Parameters
    ----------
    messenger : Messenger
        The master's.  Between two pieces its loop handles whatever else has come.
    """

    def __init__(self, messenger: Messenger) -> None:
        self._messenger = messenger
        #: what each slave has asked for: shelf, key and offset
        self._asked: dict[int, deque[tuple[str, str, int]]] = {}
        #: slaves that wait, the one that has most first
        self._waiting: list[tuple[int, int, int]] = []
        self._numbers = itertools.count()
        self._spreads: dict[tuple[str, str], Spread] = {}
        #: where slaves pass on what they have, and who has failed others
        self._doors: dict[int, Address] = {}
        self._failing: set[int] = set()

    def ask(self, tid: int, shelf: str, key: str, offset: int, failed: int | None = None) -> None:
        """Note what a slave wants; `failed` is who has not given it, or `OWNER` if it was not told whom to ask."""
        spread = self._spreads.get((shelf, key))
        if spread is not None and failed is not None:
            spread.failed(tid, failed)
        self._note(tid, shelf, key, offset)

    def whom(self, tid: int, shelf: str, key: str, offset: int, source: int | None) -> None:
        """Tell a slave whom to get an object from, or send it; `source` is somebody who gives it slowly."""
        if view_of(shelf, key) is None:
            self._note(tid, shelf, key, offset)
            return
        spread = self._spreads.setdefault((shelf, key), Spread(self._failing))
        if source is None:
            self._carry_out(shelf, key, spread.ask(tid))
        else:
            self._carry_out(shelf, key, [(tid, spread.again(tid))], offset)

    def passes(self, tid: int, shelf: str, key: str, door: Address | None, whole: bool) -> None:
        """A slave has enough of an object to pass it on, or the whole; without a door it cannot pass it on."""
        spread = self._spreads.get((shelf, key))
        if spread is None:
            return
        if whole:
            self._carry_out(shelf, key, spread.has(tid))
        if door is not None:
            self._doors[tid] = door
            self._carry_out(shelf, key, spread.passes(tid))

    def _carry_out(self, shelf: str, key: str, given: list[tuple[int, int]], offset: int = 0) -> None:
        for tid, source in given:
            if source == OWNER:
                self._note(tid, shelf, key, offset)
            else:
                where = source, self._doors[source]
                self._messenger.send(tid, Tag.SHARED, (time.time(), (shelf, key, offset, where)))

    def unshared(self, shelf: str, key: str) -> None:
        """An object is shared no more."""
        self._spreads.pop((shelf, key), None)

    def _note(self, tid: int, shelf: str, key: str, offset: int) -> None:
        asked = self._asked.setdefault(tid, deque())
        asked.append((shelf, key, offset))
        if len(asked) == 1:
            self._line_up(tid, offset)
            self._messenger.loop.work = self._send_one

    def _line_up(self, tid: int, offset: int) -> None:
        heapq.heappush(self._waiting, (-offset, next(self._numbers), tid))

    def forget(self, tid: int) -> None:
        """A slave has ended."""
        self._asked.pop(tid, None)
        for (shelf, key), spread in self._spreads.items():
            self._carry_out(shelf, key, spread.lose(tid))
        self._doors.pop(tid, None)

    def _send_one(self) -> bool:
        if self._waiting:
            tid = heapq.heappop(self._waiting)[2]
            asked = self._asked.get(tid)
            if asked:
                shelf, key, offset = asked.popleft()
                if asked:
                    self._line_up(tid, asked[0][2])
                view = view_of(shelf, key)
                piece = None if view is None else pickle.PickleBuffer(view[offset : offset + PIECE])
                self._messenger.send(tid, Tag.SHARED, (time.time(), (shelf, key, offset, piece)))
        return bool(self._waiting)


# -- in a slave ------------------------------------------------------------------------

#: how shared objects are unpickled
loads: Callable[..., Any] = pickle.loads

_lock = threading.RLock()
_asker: Messenger | None = None
_door: Door | None = None
_stores: dict[str, Store | None] = {}
_known: dict[tuple[str, str], Any] = {}


def fetched(ticket: Ticket) -> Any:
    """Return a shared object."""
    ticket = Ticket(*ticket)
    with _lock:  # it is fetched once, and by one thread
        known = ticket.shelf, ticket.key
        if known not in _known:
            body, *buffers = _parts(ticket)
            _known[known] = loads(proved(body, ticket.digest), buffers=buffers)
        return _known[known]


def drop(shelf: str, key: str) -> None:
    """Keep an object no longer, and have it on this host no longer: it is shared no more."""
    with _lock:
        _known.pop((shelf, key), None)
        if _door is not None:
            _door.withdraw((shelf, key))
        store = _stores.get(shelf)
    if store is not None:
        store.remove(key)


def loaded(body: bytes | None, ticket: Ticket) -> Any:
    """Return an object whose large parts are shared, for this process alone: it may change it."""
    first, *buffers = joined(body, ticket)[1:]
    return pickle.loads(first if body is None else body, buffers=buffers)


def joined(head: bytes | None, ticket: Ticket) -> list[Any]:
    """Return parts of which all but the first are shared, for this process alone."""
    ticket = Ticket(*ticket)
    with _lock:
        first, *others = _parts(ticket)
    return [head, proved(first, ticket.digest), *others]


def _parts(ticket: Ticket) -> list[memoryview]:
    own = view_of(ticket.shelf, ticket.key)
    if own is not None:
        return parts_of(own)
    view, why = None, ""
    try:
        view = _on_this_host(ticket)
    except OSError as error:
        why = str(error)
    if view is None:
        draft = Draft(ticket.size)
        _fetch(ticket, draft, why)
        view = draft.finish()
        if not ticket.writable:
            view = view.toreadonly()
    return parts_of(view)


def _on_this_host(ticket: Ticket) -> memoryview:
    """Map an object that lies on this host, or is fetched first; OSError when it has no room."""
    if ticket.shelf not in _stores:
        _stores[ticket.shelf] = Store(ticket.shelf)
    store = _stores[ticket.shelf]
    assert store is not None
    try:
        return store.open(ticket.key, ticket.writable)
    except KeyError:
        pass
    with store.locked(ticket.key):
        try:
            return store.open(ticket.key, ticket.writable)
        except KeyError:
            pass
        draft = store.draft(ticket.key, ticket.size)
        try:
            _fetch(ticket, draft)
        except BaseException:
            draft.abandon()
            raise
        draft.finish()
        return store.open(ticket.key, ticket.writable)


def _fetch(ticket: Ticket, draft: Draft, why: str = "") -> None:
    """Get an object from the master of this process, or from a host to which that sends it.

    Parameters
    ----------
    ticket : Ticket
    draft : Draft
        Gets its bytes.
    why : str
        Why no other process of this host has any use of it.
    """
    global _asker
    if _asker is None:
        from biskit_pvm.messages.messenger import Messenger

        _asker = Messenger()
    master = _asker.parent
    if master is None:
        raise RuntimeError("an object is shared by another program, or is not shared any more")
    fetch = _Fetch(_asker, master, ticket, draft, why)
    try:
        fetch.run()
    except BaseException:
        fetch.give_up()
        raise


class _Fetch:
    def __init__(self, messenger: Messenger, master: int, ticket: Ticket, draft: Draft, why: str) -> None:
        self._messenger, self._master = messenger, master
        self._ticket, self._draft, self._why = ticket, draft, why
        self._name = ticket.shelf, ticket.key
        self._end = 0
        self._passed: Passed | None = None

    def run(self) -> None:
        size, failed = self._ticket.size, None
        if size >= SPREADING:
            failed = self._begin()
        for offset in range(self._end, min(self._end + AHEAD * PIECE, size), PIECE):
            self._ask(offset, failed)
            failed = None
        for piece in self._pieces(FETCH_TIME) if self._end < size else ():
            if type(piece) is tuple:  # whom to ask, too late
                continue
            self._write(piece)
            if self._end == size:
                break
            if self._end + (AHEAD - 1) * PIECE < size:
                self._ask(self._end + (AHEAD - 1) * PIECE)
        if self._end < size:
            raise TimeoutError(f"the master has sent nothing of a shared object for {FETCH_TIME:g} s")
        if size >= SPREADING:
            self._tell(whole=True)

    def _begin(self) -> int | None:
        """Get a piece from the master, or all from other hosts; return who has not answered, or not to the end."""
        answer = self._whom()
        while type(answer) is tuple:
            source, address = answer
            answer = self._from_host(source, address)
            if answer is None:
                return None if self._end == self._ticket.size else source
        if answer is None:
            return OWNER
        self._write(answer)
        return None

    def _from_host(self, source: int, address: Address) -> Any:
        """Get what there is from another host; return what the master says when that takes long, if it says another."""
        from biskit_pvm.messages import passing  # where few hosts are, nobody needs it

        due = time.monotonic() + SLOW_TIME
        for data in passing.received(address, self._messenger.key, self._name, self._end):
            self._write(data)
            if self._end == self._ticket.size:
                return None
            if time.monotonic() >= due:
                answer = self._whom(source)
                if answer is not None and (type(answer) is not tuple or answer[0] != source):
                    return answer
                due = time.monotonic() + SLOW_TIME
        return None

    def _whom(self, source: int | None = None) -> Any:
        """Ask whom to get the object from; return that, or the next piece; None when nothing is said."""
        self._send(Tag.WHOM, self._end, self._why, source)
        return next(self._pieces(WHOM_TIME), None)

    def _ask(self, offset: int, failed: int | None = None) -> None:
        self._send(Tag.WANTED, offset, "" if offset else self._why, failed)

    def _send(self, tag: Tag, *arguments: Any) -> None:
        self._messenger.send(self._master, tag, (time.time(), (self._messenger.tid, *self._name, *arguments)))

    def _pieces(self, timeout: float) -> Iterator[Any]:
        for shelf, key, offset, piece in self._messenger.unread(self._master, Tag.SHARED, timeout):
            if (shelf, key, offset) != (*self._name, self._end):
                continue  # what was asked for before an error
            if piece is None:
                raise RuntimeError("an object was shared, and is not any more")
            yield piece

    def _write(self, data: Any) -> None:
        before, self._end = self._end, self._end + len(data)
        self._draft.write(data)
        if self._passed is not None:
            self._passed.grown(self._end)
        elif before < ENOUGH <= self._end and self._ticket.size >= SPREADING:
            self._pass_on()

    def _pass_on(self) -> None:
        """Let other hosts have what is there."""
        global _door
        from biskit_pvm.messages import passing

        if not self._draft.path:
            return
        try:
            if _door is None:
                _door = passing.Door(self._messenger.key)
        except OSError as error:
            log.info("nothing is passed on from here: %s", error)
            return
        self._passed = passing.Passed(self._draft.path, self._ticket.size)
        self._passed.grown(self._end)
        _door.pass_on(self._name, self._passed)
        self._tell(whole=False)

    def _tell(self, whole: bool) -> None:
        door = _door.address if _door is not None and self._passed is not None else None
        self._send(Tag.PASSING, door, whole)

    def give_up(self) -> None:
        """Nothing more comes."""
        if self._passed is not None:
            self._passed.give_up()
        if _door is not None:
            _door.withdraw(self._name)
