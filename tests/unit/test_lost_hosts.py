"""When hosts that were lost are tried again, and what a master makes of it."""

from biskit_pvm.jobs import events as ev
from biskit_pvm.jobs.lost_hosts import LONGEST_PAUSE, LONGEST_REFUSED_PAUSE, MOST_REFUSALS, LostHosts, pause

from .test_master_state import BUSY, IDLE, LEAVING, Play, gives, kinds


def notes(orders):
    return [order.text for order in orders if isinstance(order, ev.Note)]


def tries(orders):
    return [order for order in orders if isinstance(order, ev.TryHost)]


def test_pauses_grow_but_a_host_that_answers_is_found_within_30_s():
    pauses = [pause(n) for n in range(12)]
    assert pauses[0] == 1 and pauses == sorted(pauses) and pauses[-1] == LONGEST_PAUSE
    assert LONGEST_PAUSE <= 15  # the rest of 30 s is for ssh, the daemon and the slave


def test_a_host_that_answers_but_cannot_be_used_is_tried_less_and_less():
    pauses = [pause(100, n) for n in range(MOST_REFUSALS + 10)]
    assert set(pauses[: MOST_REFUSALS + 1]) == {LONGEST_PAUSE}  # it may be booting
    assert pauses == sorted(pauses) and pauses[-1] == LONGEST_REFUSED_PAUSE


def test_a_host_is_tried_by_one_at_a_time_at_the_end_of_each_pause():
    hosts = LostHosts()
    hosts.lose("h1", 100.0)
    assert hosts.next_due() == 101.0 and hosts.take_due(100.5) == []
    assert hosts.take_due(103.0) == [("h1", 3.0, False)]
    assert hosts.take_due(110.0) == [] and hosts.next_due() is None  # it is being tried
    hosts.tried("h1", 110.0)
    assert hosts.next_due() == 112.0
    assert hosts.forget("h1") and not hosts.forget("h1")
    hosts.tried("h1", 113.0)  # the answer of a try that was under way
    assert "h1" not in hosts


def test_why_a_host_cannot_be_used_is_told_once():
    hosts = LostHosts()
    hosts.lose("h1", 0.0)
    assert not hosts.tried("h1", 1.0, refused=False, why="down")
    assert hosts.tried("h1", 1.0, refused=True, why="another machine")
    assert not hosts.tried("h1", 2.0, refused=True, why="another machine")
    assert hosts.tried("h1", 3.0, refused=True, why="asks for a password")


def lost(**rules):
    """Return a play with a slave at each of two hosts, the first of which has left, and the tid of the other."""
    play = Play("abc", {"x": "h1", "y": "h2"}, 1, redistribute=False, **rules)
    play.slave("x")
    other, _ = play.slave("y")
    play.feed(ev.SpawningDone)
    play.feed(ev.HostLost, "h1")
    return play, other


def test_a_host_that_has_left_is_tried_until_it_is_back_and_gets_a_slave():
    play, _ = lost()
    assert tries(play.feed(ev.Tick)) == []
    assert play.state.next_tick(play.now) == 1.0
    play.now = 1.0
    assert tries(play.feed(ev.Tick)) == [ev.TryHost("h1", 1.0, False)]
    play.now = 5.0
    assert play.feed(ev.HostTried, "h1", ev.DOWN) == []
    play.now = 7.0
    assert tries(play.feed(ev.Tick)) == [ev.TryHost("h1", 7.0, False)]
    assert play.feed(ev.HostAdded, "h1") == [ev.Spawn("x", "h1")]
    play.now = 100.0
    assert tries(play.feed(ev.Tick)) == []


def test_unwatched_hosts_are_neither_tried_nor_used_again():
    play, _ = lost(watch_hosts=False)
    play.now = 60.0
    assert tries(play.feed(ev.Tick)) == []
    assert play.feed(ev.HostAdded, "h1") == []


def test_a_host_is_silent_when_all_its_slaves_are():
    play = Play("abcd", {"x": "h1", "x_1": "h1", "y": "h2"}, 1, redistribute=False, heartbeat=10.0)
    a, b, c = (play.slave(name)[0] for name in ("x", "x_1", "y"))
    play.feed(ev.SpawningDone)
    play.now = 9.0
    for tid in (b, c):
        play.feed(ev.Heard, tid)
    play.now = 11.0
    assert "h1" not in play.state.lost_hosts and not notes(play.feed(ev.Tick))[1:]
    play.now = 19.5
    play.feed(ev.Heard, c)
    (text,) = [text for text in notes(play.feed(ev.Tick)) if text.startswith("h1")]
    assert "silent for 10 s" in text
    play.now = 21.0
    play.feed(ev.Heard, c)
    assert tries(play.feed(ev.Tick)) == [ev.TryHost("h1", 1.5, True)]
    play.feed(ev.HostTried, "h1", ev.THERE)
    play.feed(ev.Heard, a)
    assert tries(play.feed(ev.Tick)) == [] and "h1" not in play.state.lost_hosts


def test_slaves_that_are_not_up_yet_do_not_make_their_host_silent():
    play = Play("ab", {"x": "h1"}, 1, heartbeat=1.0)
    play.feed(ev.SlaveSpawned, "x", 1)
    play.feed(ev.SpawningDone)
    play.now = 100.0
    assert tries(play.feed(ev.Tick)) == [] and len(play.state.lost_hosts) == 0


def test_a_host_that_somebody_has_deleted_is_left_alone_until_it_is_added():
    play, _ = lost()
    play.now = 1.0
    play.feed(ev.Tick)
    assert "was deleted" in notes(play.feed(ev.HostTried, "h1", ev.DELETED))[0]
    play.now = 100.0
    assert tries(play.feed(ev.Tick)) == []
    assert play.feed(ev.HostAdded, "h1") == [ev.Spawn("x", "h1")]


def test_a_calculation_waits_for_its_hosts_when_all_are_lost_but_not_for_ever():
    play, other = lost(start_timeout=50.0, heartbeat=15.0)
    assert "waiting for h1, h2" in notes(play.feed(ev.HostLost, "h2"))[-1]
    for moment in (10.0, 40.0):
        play.now = moment
        orders = play.feed(ev.Tick)
        assert not play.state.stranded and not notes(orders)
        for order in tries(orders):
            play.feed(ev.HostTried, order.host, ev.DOWN)
    play.now = 51.0
    assert ev.Stranded in kinds(play.feed(ev.Tick))


def test_a_host_that_was_not_there_at_the_start_is_tried_but_not_waited_for():
    play = Play("ab", {"x": "h1", "y": "h2"}, 1)
    play.state.handle(ev.SpawnFailed("x", "not in the virtual machine", 0.0, absent=True))
    other, _ = play.slave("y")
    play.feed(ev.SpawningDone)
    play.now = 2.0
    assert tries(play.feed(ev.Tick)) == [ev.TryHost("h1", 2.0, False)]
    play.feed(ev.HostTried, "h1", ev.REFUSED)
    play.state.slots["y"].starts = 100
    assert ev.Stranded in kinds(play.feed(ev.SlaveExited, other))


def test_a_slot_whose_start_took_too_long_is_tried_when_its_host_answers():
    play = Play("ab", {"x": "h1", "y": "h2"}, 1)
    play.state.handle(ev.SpawnFailed("x", "no answer within 60 s", 0.0, absent=True))
    play.slave("y")
    play.feed(ev.SpawningDone)
    play.now = 2.0
    play.feed(ev.Tick)
    assert play.feed(ev.HostTried, "h1", ev.THERE) == [ev.Spawn("x", "h1")]
    assert play.feed(ev.HostTried, "h1", ev.THERE) == []


def test_slaves_of_a_removed_host_finish_what_they_have_and_leave():
    play = Play("abcd", {"x": "h1", "y": "h2"}, 1, redistribute=False)
    a, first = play.slave("x")
    b, second = play.slave("y")
    play.feed(ev.SpawningDone)
    assert play.state.handle(ev.SlotRemoved("x", play.now)) == []
    assert play.state.slaves[a].state is BUSY
    assert play.done(first[0]) == [ev.Dismiss(a)]
    assert gives(play.done(second[0])) == [(b, ["c"])]


def test_or_others_get_their_items_at_once():
    play = Play("abcd", {"x": "h1", "y": "h2"}, 1, redistribute=False)
    a, _ = play.slave("x")
    b, second = play.slave("y")
    play.feed(ev.SpawningDone)
    (kill,) = play.state.handle(ev.SlotRemoved("x", play.now, finish=False))[1:]
    assert kill == ev.Kill(a, "its host is removed") and play.state.slaves[a].state is LEAVING
    assert gives(play.done(second[0])) == [(b, ["a"])]
    play.feed(ev.SlaveExited, a)
    assert list(play.state.slots) == ["y"] and not play.state.failed


def test_a_removed_host_is_not_tried_again():
    play, _ = lost()
    play.state.handle(ev.SlotRemoved("x", play.now))
    play.now = 10.0
    assert tries(play.feed(ev.Tick)) == []
    play.state.handle(ev.SlotRemoved("y", play.now))
    play.feed(ev.HostLost, "h2")
    assert play.state.slots == {} and len(play.state.lost_hosts) == 0


def test_an_idle_slave_of_a_removed_host_goes_at_once():
    play = Play("a", {"x": "h1", "y": "h2"}, 1, redistribute=False)
    play.slave("x")
    b, _ = play.slave("y")
    play.feed(ev.SpawningDone)
    assert play.state.slaves[b].state is IDLE
    assert play.state.handle(ev.SlotRemoved("y", play.now)) == [ev.Dismiss(b)]
