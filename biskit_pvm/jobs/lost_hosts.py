"""Hosts that are not there, and when each of them is tried again."""

from __future__ import annotations

from dataclasses import dataclass

#: longest time (s) between two tries of a host that does not answer
LONGEST_PAUSE = 10.0

#: so often a host is tried at that pace that answers but cannot be used, as one that is booting
MOST_REFUSALS = 20

#: longest time (s) between two tries of a host that goes on like that
LONGEST_REFUSED_PAUSE = 300.0


@dataclass
class _Lost:
    #: since when (s)
    since: float
    #: when it is tried again; None: it is being tried
    due: float | None
    #: how often it was tried, and how often it has answered that it cannot be used
    tries: int = 0
    refusals: int = 0
    #: it is in the virtual machine still, but nothing is heard of its slaves
    silent: bool = False
    #: whether a calculation without slaves waits for it
    awaited: bool = True
    #: what was said of it last
    told: str = ""


class LostHosts:
    """Hosts that are tried again, at growing intervals, until they can be used.

    Times are seconds of the caller's clock.
    """

    def __init__(self) -> None:
        self._hosts: dict[str, _Lost] = {}

    def __contains__(self, host: str) -> bool:
        return host in self._hosts

    def __len__(self) -> int:
        return len(self._hosts)

    def lose(self, host: str, now: float, silent: bool = False, awaited: bool = True) -> None:
        """Note that a host is not there.

        Parameters
        ----------
        host : str
        now : float
        silent : bool
            It is in the virtual machine still, as far as that knows.
        awaited : bool
            It was there before.
        """
        known = self._hosts.get(host)
        if known is None:
            self._hosts[host] = _Lost(now, now + pause(0), silent=silent, awaited=awaited)
        else:
            known.awaited |= awaited

    def forget(self, host: str) -> bool:
        """Try a host no more; return whether it was to be tried."""
        return self._hosts.pop(host, None) is not None

    def is_silent(self, host: str) -> bool:
        """Tell whether a host is lost because nothing was heard of it."""
        return host in self._hosts and self._hosts[host].silent

    def take_due(self, now: float) -> list[tuple[str, float, bool]]:
        """Return the hosts to be tried now, with the seconds for which they are lost, and whether by silence."""
        found = []
        for host, lost in self._hosts.items():
            if lost.due is not None and lost.due <= now:
                lost.due = None
                found.append((host, now - lost.since, lost.silent))
        return found

    def tried(self, host: str, now: float, refused: bool = False, why: str = "") -> bool:
        """Note that a host that was tried cannot be used yet.

        Parameters
        ----------
        host : str
        now : float
        refused : bool
            It has answered.
        why : str

        Returns
        -------
        bool
            Whether there is something to tell that was not told before.
        """
        lost = self._hosts.get(host)
        if lost is None:
            return False
        lost.tries += 1
        lost.refusals = lost.refusals + 1 if refused else 0
        lost.due = now + pause(lost.tries, lost.refusals)
        news = refused and why != lost.told
        if news:
            lost.told = why
        return news

    def next_due(self) -> float | None:
        """Return when the next host is to be tried, None when there is none."""
        return min((lost.due for lost in self._hosts.values() if lost.due is not None), default=None)

    def awaits(self, host: str) -> bool:
        """Tell whether a calculation without slaves waits for a host."""
        return host in self._hosts and self._hosts[host].awaited

    def give_up(self, now: float, patience: float) -> None:
        """Have no calculation wait any more for hosts that are lost for so many seconds; they are still tried."""
        for lost in self._hosts.values():
            if now - lost.since >= patience:
                lost.awaited = False


def pause(tries: int, refusals: int = 0) -> float:
    """Return the seconds until a host is tried again.

    Parameters
    ----------
    tries : int
        How often it was tried in vain.
    refusals : int
        How often in a row it has answered that it cannot be used, the last time included.
    """
    if refusals > MOST_REFUSALS:
        return min(LONGEST_PAUSE * 2.0 ** min(refusals - MOST_REFUSALS, 10), LONGEST_REFUSED_PAUSE)
    return min(2.0 ** min(tries, 10), LONGEST_PAUSE)
