"""Let all slaves begin at the same time."""

from __future__ import annotations

import threading

from biskit_pvm.TrackingJobMaster import TrackingJobMaster


class StartTogether(TrackingJobMaster):
    """A master whose slaves wait for each other before the first job.

    A slave that is ready early waits until all are, for :attr:`patience` seconds at most. So even a
    calculation that takes less time than starting a slave does is shared by all of them. Where the
    work takes longer than that, there is no need for it.
    """

    #: Seconds that the first slave waits at most.
    patience = 1.0

    __waiting: list[int] | None = None  # None: nobody waits any more
    __gate = threading.Lock()

    def start(self) -> None:
        """Start the calculation; returns at once."""
        self.__waiting = []
        super().start()

    def initializationDone(self, slave_tid: int) -> None:
        """Hold a slave back until all are ready, or the first one has waited long enough.

        Parameters
        ----------
        slave_tid : int
            Task id of the slave.
        """
        with self.__gate:
            waiting = self.__waiting
            if waiting is not None:
                waiting.append(slave_tid)
        if waiting is None:
            super().initializationDone(slave_tid)
        elif len(waiting) >= len(self.hosts):
            self.__open()
        elif len(waiting) == 1:
            timer = threading.Timer(self.patience, self.__open)
            timer.daemon = True
            timer.start()

    def __open(self) -> None:
        with self.__gate:
            waiting, self.__waiting = self.__waiting, None
        for slave_tid in waiting or ():
            super().initializationDone(slave_tid)
