"""What can happen to a calculation, and what can be ordered in answer.

Times are seconds of one monotonic clock; `tid` is a PVM task identifier,
`job` the number of a job: one chunk of items given to one slave.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Union

from biskit_pvm.errors import Failure
from biskit_pvm.jobs.items import Item

# -- what can happen ---------------------------------------------------------


class SlaveSpawned(NamedTuple):
    """PVM has started a slave for the slot `nickname`."""

    nickname: str
    tid: int
    now: float


class SpawnFailed(NamedTuple):
    """No slave could be started for the slot `nickname`; with `absent` because its host is not there, or silent."""

    nickname: str
    reason: str
    now: float
    absent: bool = False


class SpawningDone(NamedTuple):
    """Every slot has had its first slave, or failed to get one."""

    now: float


class SlotAdded(NamedTuple):
    """A slave is wanted at one more slot."""

    nickname: str
    host: str
    now: float


class SlotRemoved(NamedTuple):
    """No slave is wanted at a slot any more: one that is there leaves, when it has done its jobs with `finish`."""

    nickname: str
    now: float
    finish: bool = True


class SlaveUp(NamedTuple):
    """The message loop of a slave runs; `single`: it takes one job at a time, as slaves of old scripts do."""

    tid: int
    now: float
    single: bool = False


class SlaveReady(NamedTuple):
    """A slave has been initialised and can work."""

    tid: int
    now: float


class SlaveFree(NamedTuple):
    """A slave that the state asked about (`Consider`) may get jobs of up to
    `chunk_size` items; so many bytes for it wait until its line takes them."""

    tid: int
    chunk_size: int
    now: float
    queued: int = 0


class SlaveRefused(NamedTuple):
    """A slave that the state asked about must not get jobs now."""

    tid: int


class JobDone(NamedTuple):
    """A slave has returned results for `items` after `seconds` of work."""

    tid: int
    job: int
    items: Collection[Item]
    seconds: float
    now: float


class JobsDone(NamedTuple):
    """A slave has returned the results of several jobs, oldest first: number, items and seconds of each."""

    tid: int
    reports: Sequence[tuple[int, Collection[Item], float]]
    now: float


class JobsReturned(NamedTuple):
    """A slave gives jobs back that it has not begun: another one has taken it `seconds` so far."""

    tid: int
    jobs: Collection[int]
    seconds: float
    now: float


class ResultsComing(NamedTuple):
    """A slave begins to send the results of jobs, which are large."""

    tid: int
    jobs: Collection[int]
    now: float


class ResultIsNoDict(NamedTuple):
    """A slave has returned something else than {item: result}: a `kind`."""

    tid: int
    job: int
    kind: str
    now: float


class ResultsUnreadable(NamedTuple):
    """Results of a slave have come that the master cannot read, nor tell which jobs they belong to."""

    tid: int
    failure: Failure
    now: float


class JobFailed(NamedTuple):
    """A slave could not do a job."""

    tid: int
    job: int
    failure: Failure
    now: float


class SlaveFailed(NamedTuple):
    """A slave cannot work at all; its initialisation failed."""

    tid: int
    failure: Failure
    now: float


class SlaveStuck(NamedTuple):
    """A slave takes no messages, though its process seems to run, or `reason` tells why it gets none."""

    tid: int
    now: float
    reason: str = ""


class Heard(NamedTuple):
    """A slave gave a sign of life."""

    tid: int
    now: float


class SlaveExited(NamedTuple):
    """The process of a slave has ended."""

    tid: int
    now: float
    reason: str = "its process ended"


class HostLost(NamedTuple):
    """A host has left the virtual machine, and all its tasks with it."""

    host: str
    now: float


class HostAdded(NamedTuple):
    """A host has joined the virtual machine."""

    host: str
    now: float


class HostTried(NamedTuple):
    """A host that was lost has been tried, and cannot be used yet.

    `outcome` is one of those that follow; `reason` says why.
    """

    host: str
    outcome: str
    now: float
    reason: str = ""


#: what can come of trying a host: it does not answer; it cannot be used; its daemon runs, so that its slaves may be
#: heard again; somebody has deleted it from the virtual machine
DOWN, REFUSED, THERE, DELETED = "down", "refused", "there", "deleted"


class ItemsAdded(NamedTuple):
    """New items have been entered into the jobs of a running calculation."""

    now: float


class Closed(NamedTuple):
    """No further items will come."""

    now: float


class Tick(NamedTuple):
    """Time has passed; `late` seconds of it the master did not listen, so
    that the silence of slaves in them means nothing.

    `arrivals` tells when bytes have come last, {tid: time}, also those of
    messages that are not complete.
    """

    now: float
    late: float = 0.0
    arrivals: Mapping[int, float] = {}


Event = Union[
    SlaveSpawned,
    SpawnFailed,
    SpawningDone,
    SlotAdded,
    SlotRemoved,
    SlaveUp,
    SlaveReady,
    SlaveFree,
    SlaveRefused,
    JobDone,
    JobsDone,
    JobsReturned,
    ResultsComing,
    ResultIsNoDict,
    ResultsUnreadable,
    JobFailed,
    SlaveFailed,
    SlaveStuck,
    Heard,
    SlaveExited,
    HostLost,
    HostAdded,
    HostTried,
    ItemsAdded,
    Closed,
    Tick,
]


# -- what can be ordered -----------------------------------------------------


class Consider(NamedTuple):
    """Ask whether this slave may get a job; answer SlaveFree or
    SlaveRefused.

    With `first` it has just been initialised: nobody is asked, it may.
    """

    tid: int
    first: bool = False


class Give(NamedTuple):
    """Send a job to a slave; `n_left` items could have been chosen."""

    tid: int
    job: int
    items: list[Item]
    n_left: int


class Surplus(NamedTuple):
    """Do not count these results: the items had theirs before."""

    items: Collection[Item]


class SetAside(NamedTuple):
    """Give an item up."""

    item: Item
    failure: Failure
    host: str


class Reinstate(NamedTuple):
    """A result came after all for an item that had failed."""

    item: Item


class Kill(NamedTuple):
    """End the process of a slave."""

    tid: int
    reason: str


class Dismiss(NamedTuple):
    """Let a slave go that has nothing to do."""

    tid: int


class Spawn(NamedTuple):
    """Start a slave again at the slot `nickname`."""

    nickname: str
    host: str


class TryHost(NamedTuple):
    """See whether a host can be used that is lost for so many `seconds`; answer HostTried, or HostAdded.

    With `silent` nothing was heard of it, though it is in the virtual machine still.
    """

    host: str
    seconds: float
    silent: bool


class Ended(NamedTuple):
    """Record a job that came to nothing, or that others had done before.

    `outcome` is one of those in `biskit_pvm.report.history`; `given` is the
    time at which the slave began with it.
    """

    tid: int
    nickname: str
    host: str
    n_items: int
    given: float
    outcome: str
    error: str = ""


class Note(NamedTuple):
    """Tell the user."""

    text: str


class AllDone(NamedTuple):
    """Every item is finished or has failed."""


class Stranded(NamedTuple):
    """Items are left, and nobody is left to work on them."""

    reason: str


Instruction = Union[
    Consider, Give, Surplus, SetAside, Reinstate, Kill, Dismiss, Spawn, TryHost, Ended, Note, AllDone, Stranded
]
