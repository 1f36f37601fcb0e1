"""What a master decides, without a daemon: events in, instructions out."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from biskit_pvm.jobs import events as ev
from biskit_pvm.jobs.items import Jobs
from biskit_pvm.jobs.master_state import (
    BUSY,
    IDLE,
    LEAVING,
    MAX_DEPTH,
    MEANING,
    MOVES,
    SILENT,
    STARTING,
    ImpossibleMove,
    MasterState,
    State,
)
from biskit_pvm.jobs.rules import Rules

BAD = ev.Failure("ValueError", "poisoned")


class Play:
    """A master state whose orders are followed, slaves being lists.

    Whatever it is asked, a slave is valid; time is told by hand.
    """

    def __init__(self, items, places, chunk_size=2, redistribute=True, open=False, **rules):
        self.jobs = Jobs(items, redistribute)
        self.state = MasterState(
            self.jobs, dict.fromkeys(places, "host") if not isinstance(places, dict) else places, Rules(**rules), open
        )
        self.chunk_size = chunk_size
        self.now = 0.0
        self.given = []
        self.orders = []
        self.avoid = set()
        self.queued = 0
        self.spawned = 0

    def feed(self, kind, *args):
        """Feed an event, answer questions, and return the other orders."""
        waiting = self.state.handle(kind(*args, self.now) if "now" in kind._fields else kind(*args))
        done = []
        while waiting:
            order = waiting.pop(0)
            if isinstance(order, ev.Consider):
                waiting += self.state.handle(
                    ev.SlaveRefused(order.tid)
                    if order.tid in self.avoid
                    else ev.SlaveFree(order.tid, self.chunk_size, self.now, self.queued)
                )
            else:
                done.append(order)
                if isinstance(order, ev.Give):
                    self.given.append(order)
        self.state.check()
        self.orders += done
        return [order for order in done if not isinstance(order, ev.Ended)]

    def slave(self, nickname):
        """Start a slave and get it ready; return its tid and orders."""
        self.spawned += 1
        tid = self.spawned
        self.feed(ev.SlaveSpawned, nickname, tid)
        self.feed(ev.SlaveUp, tid)
        return tid, self.feed(ev.SlaveReady, tid)

    def done(self, give, seconds=1.0):
        """Report a job as done."""
        return self.feed(ev.JobDone, give.tid, give.job, list(give.items), seconds)


def gives(orders):
    return [(o.tid, o.items) for o in orders if isinstance(o, ev.Give)]


def kinds(orders):
    return [type(o) for o in orders]


def test_slaves_get_chunks_until_all_is_done():
    play = Play("abcde", ["x", "y"])
    a, first = play.slave("x")
    b, second = play.slave("y")
    play.feed(ev.SpawningDone)
    assert gives(first) == [(a, ["a", "b"])]
    assert gives(second) == [(b, ["c", "d"])]
    third = play.done(first[0])
    assert gives(third) == [(a, ["e"])]
    assert gives(play.done(second[0])) == [(b, ["e"])]  # redistributed
    assert kinds(play.done(third[0])) == [ev.AllDone]
    assert play.state.finished


def test_items_of_a_dead_slave_are_given_out_again():
    play = Play("abcd", ["x", "y"], redistribute=False)
    a, _ = play.slave("x")
    b, second = play.slave("y")
    play.feed(ev.SlaveExited, a)
    play.done(second[0])
    again = play.given[-1]
    # alone, since one of the two may have been to blame
    assert again.tid == b and again.items in (["a"], ["b"])


def test_a_second_result_of_an_item_is_surplus():
    play = Play("a", ["x", "y"])
    _, first = play.slave("x")
    _, second = play.slave("y")
    state = play.state
    state.open = True
    assert play.done(first[0]) == []
    assert play.done(second[0]) == [ev.Surplus(["a"])]
    assert state.n_surplus == 1


def test_a_failed_chunk_is_tried_item_by_item_and_only_the_culprit_set_aside():
    play = Play("abc", ["x", "y"], chunk_size=3, redistribute=False)
    play.slave("x")
    play.slave("y")
    for _ in range(20):
        if play.state.finished:
            break
        give = play.given[-1]
        for give in [g for g in play.given if g.job in play.state.slaves[g.tid].jobs]:
            if "b" in give.items:
                play.feed(ev.JobFailed, give.tid, give.job, BAD)
            else:
                play.done(give)
    assert play.state.finished
    assert list(play.state.failed) == ["b"]
    tries = [g for g in play.given if "b" in g.items]
    assert [len(g.items) for g in tries] == [3, 1, 1]


@pytest.mark.parametrize("redistribute", [True, False])
@pytest.mark.parametrize("n_slaves", [1, 2, 3])
def test_slaves_that_fail_in_turn_on_the_same_items_come_to_an_end(n_slaves, redistribute):
    play = Play(list(range(9)) + ["bad"], "xyz"[:n_slaves], chunk_size=5, redistribute=redistribute)
    for place in "xyz"[:n_slaves]:
        play.slave(place)
    for _ in range(60):
        if play.state.finished:
            break
        _, job, tid = min((number, number, slave.tid) for slave in play.state.slaves.values() for number in slave.jobs)
        items = play.state.slaves[tid].jobs[job].items
        if "bad" in items:
            play.feed(ev.JobFailed, tid, job, BAD)
        else:
            play.feed(ev.JobDone, tid, job, list(items), 0.001)
    assert play.state.finished and list(play.state.failed) == ["bad"]


def test_a_failed_item_goes_to_another_slave_while_there_is_one():
    play = Play("a", ["x", "y"], redistribute=False)
    a, first = play.slave("x")
    b, _ = play.slave("y")
    orders = play.feed(ev.JobFailed, a, first[0].job, BAD)
    assert gives(orders) == [(b, ["a"])]
    play.feed(ev.SlaveExited, b)
    assert play.given[-1].tid == a


def test_a_single_slave_tries_its_failed_item_again_itself():
    play = Play("a", ["x"], redistribute=False, max_tries=2)
    a, first = play.slave("x")
    second = play.feed(ev.JobFailed, a, first[0].job, BAD)
    assert gives(second) == [(a, ["a"])]
    end = play.feed(ev.JobFailed, a, second[0].job, BAD)
    assert kinds(end) == [ev.SetAside, ev.AllDone]


def test_a_late_result_reinstates_an_item_that_was_set_aside():
    play = Play("ab", ["x", "y"], chunk_size=1, max_tries=1)
    _, first = play.slave("x")
    b, second = play.slave("y")
    play.done(second[0])  # y gets a copy of a
    copy = play.given[-1]
    assert copy.items == ["a"]
    play.state.open = True
    play.feed(ev.JobFailed, first[0].tid, first[0].job, BAD)
    assert list(play.state.failed) == ["a"]
    assert ev.Reinstate("a") in play.done(copy)
    assert not play.state.failed


def test_an_item_without_a_result_is_tried_again():
    play = Play("ab", ["x"], redistribute=False, max_tries=2)
    a, first = play.slave("x")
    orders = play.feed(ev.JobDone, a, first[0].job, ["a"], 1.0)
    assert gives(orders) == [(a, ["b"])]
    orders = play.feed(ev.JobDone, a, orders[0].job, [], 1.0)
    assert kinds(orders) == [ev.SetAside, ev.AllDone]
    assert play.state.failed["b"].kind == "no result"


def test_an_item_that_kills_every_slave_is_set_aside():
    play = Play("ab", ["x"], redistribute=False, max_deaths=2, max_respawns=100)
    for _ in range(10):
        if "x" not in play.state.slots or play.state.finished:
            break
        tid, _ = play.slave("x")
        while tid in play.state.slaves and play.state.slaves[tid].jobs:
            give = play.given[-1]
            if "a" in give.items:
                play.feed(ev.SlaveExited, tid)
            else:
                play.done(give)
    assert play.state.finished
    assert list(play.state.failed) == ["a"]


def test_a_silent_slave_loses_its_items_and_may_come_back():
    play = Play("abcd", ["x", "y"], heartbeat=10.0)
    a, first = play.slave("x")
    b, second = play.slave("y")
    play.now = 8.0
    play.feed(ev.Heard, b)
    play.feed(ev.Tick)
    assert play.state.slaves[a].state == SILENT
    play.done(second[0])
    assert play.given[-1].tid == b and play.given[-1].items == ["a", "b"]
    play.feed(ev.Heard, a)
    assert play.state.slaves[a].state == BUSY  # with its old job
    assert not play.state.slaves[a].jobs
    orders = play.done(first[0])
    assert play.jobs.objects["a"] == 0 and ev.AllDone() in orders


def test_a_slave_that_stays_silent_is_killed():
    play = Play("ab", ["x"], heartbeat=10.0)
    a, _ = play.slave("x")
    play.now = 8.0
    play.feed(ev.Tick)
    play.now = 60.0
    assert ev.Kill in kinds(play.feed(ev.Tick))
    assert play.state.slaves[a].state == LEAVING


def test_a_slave_that_takes_no_messages_is_replaced_and_others_get_its_items():
    play = Play("abcd", ["x", "y"], chunk_size=1, redistribute=False)
    a, first = play.slave("x")
    b, second = play.slave("y")
    orders = play.feed(ev.SlaveStuck, a)
    assert kinds(orders) == [ev.Note, ev.Kill]
    assert play.state.slaves[a].state == LEAVING
    assert play.feed(ev.SlaveStuck, a) == [] == play.feed(ev.SlaveStuck, 99)
    assert gives(play.done(second[0])) == [(b, ["a"])]
    play.feed(ev.SlaveExited, a)
    assert play.state.slots["x"].restart is not None


def test_silence_while_the_master_did_not_listen_means_nothing():
    play = Play("ab", ["x"], heartbeat=10.0)
    a, _ = play.slave("x")
    play.state.handle(ev.Tick(60.0, late=55.0))
    assert play.state.slaves[a].state == BUSY
    play.state.handle(ev.Tick(63.0))
    assert play.state.slaves[a].state == SILENT


def test_a_job_that_takes_too_long_is_taken_away():
    play = Play("ab", ["x"], chunk_size=1, job_timeout=2.0, max_tries=1, redistribute=False)
    a, _ = play.slave("x")
    play.now = 3.0
    play.feed(ev.Heard, a)
    orders = play.feed(ev.Tick)
    assert kinds(orders) == [ev.SetAside, ev.Kill]
    play.feed(ev.SlaveExited, a)
    assert play.state.slots["x"].restart is not None


def test_a_slave_that_never_reports_is_killed_and_the_reason_told():
    play = Play("a", ["x"], start_timeout=100.0)
    play.feed(ev.SlaveSpawned, "x", 1)
    play.feed(ev.SpawningDone)
    play.now = 99.0
    assert play.feed(ev.Tick) == []
    play.now = 101.0
    assert kinds(play.feed(ev.Tick)) == [ev.Kill]
    assert "did not report within 100 s" in play.feed(ev.SlaveExited, 1)[-1].reason


def test_a_dead_slave_is_started_again_with_growing_pauses():
    # each dies over another item, so that no item is to blame
    play = Play("abcdefghij", ["x"], 1, max_respawns=3, max_deaths=1)
    pauses = []
    for _ in range(10):
        tid, _ = play.slave("x")
        play.feed(ev.SpawningDone)
        play.feed(ev.SlaveExited, tid)
        if play.state.stranded:
            break
        pauses.append(play.state.slots["x"].restart - play.now)
        play.now = play.state.slots["x"].restart
        assert play.feed(ev.Tick) == [ev.Spawn("x", "host")]
        assert play.feed(ev.Tick) == []
    assert pauses == [1.0, 2.0, 4.0]
    assert play.state.stranded


def test_where_no_slave_ever_came_up_there_is_one_more_chance():
    play = Play("a", ["x"])
    play.feed(ev.SlaveSpawned, "x", 5)
    play.feed(ev.SpawningDone)
    assert kinds(play.feed(ev.SlaveExited, 5)) == [ev.Note]
    play.now = 2.0
    assert kinds(play.feed(ev.Tick)) == [ev.Spawn]
    play.feed(ev.SlaveSpawned, "x", 6)
    orders = play.feed(ev.SlaveExited, 6)
    assert isinstance(orders[-1], ev.Stranded)
    assert "its process ended" in orders[-1].reason


def test_nobody_is_stranded_before_all_slaves_had_their_chance():
    play = Play("a", ["x", "y"])
    assert play.feed(ev.SpawnFailed, "x", "no such host") == []
    play.feed(ev.SlaveSpawned, "y", 1)
    assert play.feed(ev.SpawningDone) == []
    assert kinds(play.feed(ev.SlaveExited, 1)) == [ev.Note]
    play.now = 2.0
    assert kinds(play.feed(ev.Tick)) == [ev.Spawn]
    assert kinds(play.feed(ev.SpawnFailed, "y", "no")) == [ev.Stranded]


def test_without_any_slave_the_reasons_are_named():
    play = Play("a", ["x"])
    play.feed(ev.SpawnFailed, "x", "no such host")
    (order,) = play.feed(ev.SpawningDone)
    assert order == ev.Stranded("x: no such host")


def test_a_lost_host_is_used_again_when_hosts_are_watched():
    play = Play("ab", {"x": "h1", "y": "h2"}, watch_hosts=True, chunk_size=1, redistribute=False)
    a, first = play.slave("x")
    b, _ = play.slave("y")
    play.feed(ev.SpawningDone)
    play.feed(ev.HostLost, "h1")
    assert a not in play.state.slaves
    play.feed(ev.SlaveExited, a)  # PVM tells that, too
    assert play.feed(ev.HostAdded, "h1") == [ev.Spawn("x", "h1")]
    assert play.feed(ev.HostAdded, "h1") == []


def test_a_barred_slave_is_asked_again_later():
    play = Play("ab", ["x"])
    play.avoid.add(1)
    play.slave("x")
    assert play.given == []
    play.avoid.clear()
    assert gives(play.feed(ev.Tick)) == [(1, ["a", "b"])]


def test_slaves_with_short_jobs_get_several_and_the_end_is_shared():
    play = Play(range(1000), ["x", "y"], chunk_size=1)
    a, first = play.slave("x")
    b, _ = play.slave("y")
    orders = play.done(first[0], seconds=0.0001)
    assert len(gives(orders)) > 30
    assert len(play.state.slaves[a].jobs) <= MAX_DEPTH
    assert len(play.state.slaves[b].jobs) == 1


def test_a_few_short_jobs_are_shared_at_once_by_the_slaves_that_have_nothing():
    play = Play(range(2), ["x", "y"], chunk_size=1, redistribute=False, open=True)
    a, (one,) = play.slave("x")
    b, (other,) = play.slave("y")
    play.done(one, seconds=0.00002)
    play.done(other, seconds=0.00002)
    play.jobs.add(range(2, 42))
    assert [tid for tid, _ in gives(play.feed(ev.ItemsAdded))] == [a] * 20 + [b] * 20


def test_an_item_that_is_known_to_be_large_is_not_given_in_advance():
    play = Play(range(60), ["x"], chunk_size=1, redistribute=False)
    play.state.sizes.update(dict.fromkeys(range(10, 60), 40_000_000))
    a, (give,) = play.slave("x")
    assert len(gives(play.done(give, seconds=0.00001))) == 10
    for give in play.given[1:]:
        orders = play.done(give, seconds=0.00001)
    assert len(gives(orders)) <= 1
    assert len(play.state.slaves[a].jobs) == 1


def test_long_jobs_are_given_singly():
    play = Play(range(100), ["x"], chunk_size=1)
    _, first = play.slave("x")
    assert len(gives(play.done(first[0], seconds=5.0))) == 1


@pytest.mark.parametrize("job_bytes, in_hand", [(100, 256), (65_536, 5), (300_000, 1)])
def test_large_jobs_are_not_given_in_advance(job_bytes, in_hand):
    play = Play(range(2000), ["x"], chunk_size=1)
    a, (give,) = play.slave("x")
    play.state.sent(job_bytes)
    for _ in range(400):
        play.done(give, seconds=0.00001)
        give = next(g for g in play.given if g.job in play.state.slaves[a].jobs)
    assert len(play.state.slaves[a].jobs) <= in_hand
    assert len(play.state.slaves[a].jobs) > in_hand // 2 - 1


def test_a_slave_whose_line_is_slow_gets_one_job_at_a_time():
    play = Play(range(2000), ["x"], chunk_size=1)
    play.slave("x")
    in_hand = []
    for queued in (1, 0, 1):
        play.queued = queued
        for _ in range(300):
            play.done(play.given[0], seconds=0.00001)
            del play.given[0]
            in_hand.append(len(play.given))
    assert set(in_hand[:300]) == {1} and max(in_hand[300:600]) > 10 and in_hand[-1] == 1


def test_prefetched_items_of_a_dead_slave_come_back_in_order():
    play = Play(range(100), ["x", "y"], chunk_size=1, redistribute=False)
    a, first = play.slave("x")
    play.done(first[0], seconds=0.0001)
    held = [i for job in play.state.slaves[a].jobs.values() for i in job.items]
    play.feed(ev.SlaveExited, a)
    b, orders = play.slave("y")
    got = []
    while len(got) < len(held):
        give = play.given[len(play.given) - 1]
        got += give.items
        play.done(give, seconds=5.0)
    assert got == held


def with_stock(n_items=200, **rules):
    """Return a play in which slave x has several short jobs in hand, its tid, and these jobs by number."""
    play = Play(range(n_items), ["x", "y"], chunk_size=1, redistribute=False, **rules)
    tid, first = play.slave("x")
    play.done(first[0], seconds=0.0001)
    jobs = dict(play.state.slaves[tid].jobs)
    assert len(jobs) > 3
    return play, tid, jobs


def test_what_waits_behind_a_long_job_is_given_to_others_and_no_more_is_given_ahead():
    play, a, jobs = with_stock()
    long_one, *waiting = jobs
    play.feed(ev.JobsReturned, a, waiting, 0.01)
    assert list(play.state.slaves[a].jobs) == [long_one]
    b, orders = play.slave("y")
    assert gives(orders) == [(b, jobs[waiting[0]].items)]
    play.feed(ev.ItemsAdded)
    assert list(play.state.slaves[a].jobs) == [long_one]
    play.feed(ev.JobDone, a, long_one, jobs[long_one].items, 0.02)
    assert len(play.state.slaves[a].jobs) > 1


def test_a_slave_that_has_given_everything_back_is_idle_and_gets_it_again():
    play, a, jobs = with_stock()
    orders = play.feed(ev.JobsReturned, a, list(jobs), 0.01)
    assert orders and play.state.slaves[a].state == BUSY


def test_a_death_blames_only_the_item_that_the_slave_is_known_to_have_worked_on():
    play, a, jobs = with_stock(max_deaths=1, respawn_pause=0.0)
    culprit = next(reversed(jobs.values())).items[0]
    play.feed(ev.SlaveExited, a)  # over which of them, nobody can tell
    assert not play.state.failed
    place = "y"
    while not play.state.failed:
        tid, orders = play.slave(place)
        while give := next((order for order in reversed(orders) if isinstance(order, ev.Give)), None):
            assert len(play.state.slaves[tid].jobs) == 1
            if culprit in give.items:
                play.feed(ev.SlaveExited, tid)
                break
            orders = play.done(give, seconds=0.0001)
        place = "x" if place == "y" else "y"
    assert list(play.state.failed) == [culprit]


def test_a_slave_that_has_worked_long_since_its_last_report_died_over_its_oldest_job():
    play, a, jobs = with_stock(max_deaths=1)
    play.now += 1.0
    play.feed(ev.SlaveExited, a)
    assert list(play.state.failed) == next(iter(jobs.values())).items


def test_a_slave_is_let_go_and_replaced_at_once_when_it_has_done_its_share():
    play = Play(range(9), ["x"], chunk_size=1, redistribute=False, jobs_per_slave=3)
    a, _ = play.slave("x")
    for number in range(3):
        orders = play.done(play.given[number], seconds=0.0001)
    assert orders == [ev.Dismiss(a)] and play.state.slaves[a].state == LEAVING
    assert kinds(play.feed(ev.SlaveExited, a)) == []
    assert kinds(play.feed(ev.Tick)) == [ev.Spawn]


def test_a_slot_that_is_not_wanted_loses_its_slave_when_that_has_done_its_jobs():
    play = Play(range(9), ["x", "y"], chunk_size=1, redistribute=False)
    play.slave("y")
    a, (give,) = play.slave("x")
    play.feed(ev.SlotRemoved, "x")
    assert play.done(give) == [ev.Dismiss(a)]
    play.feed(ev.SlaveExited, a)
    assert list(play.state.slots) == ["y"]
    play.feed(ev.SlotAdded, "z", "host")
    assert gives(play.slave("z")[1])


def test_items_may_have_limits_and_tries_of_their_own():
    play = Play("ab", ["x", "y"], chunk_size=1, redistribute=False, max_tries=1)
    play.state.limits["a"], play.state.tries["a"] = 1.0, 2
    a, _ = play.slave("x")
    b, _ = play.slave("y")
    play.now = 1.5
    assert play.state.next_tick(1.0) == 0.001 or play.state.next_tick(0.5) == 0.5
    assert kinds(play.feed(ev.Tick)) == [ev.Kill] and not play.state.failed
    play.feed(ev.SlaveExited, a)
    play.slave("x")
    play.now = 4.0
    play.feed(ev.Tick)
    assert list(play.state.failed) == ["a"] and play.state.slaves[b].state == BUSY


def test_an_open_calculation_waits_for_items_until_it_is_closed():
    play = Play([], ["x"], open=True)
    a, _ = play.slave("x")
    play.jobs.add(["late"])
    assert gives(play.feed(ev.ItemsAdded)) == [(a, ["late"])]
    assert play.done(play.given[0]) == []
    assert play.feed(ev.Closed) == [ev.AllDone()]


def test_events_after_the_end_change_nothing():
    play = Play("a", ["x"])
    a, first = play.slave("x")
    play.done(first[0])
    assert play.state.finished
    assert play.feed(ev.SlaveExited, a) == []
    assert play.feed(ev.JobDone, a, 99, ["a"], 1.0) == []


def several(n_jobs, chunk_size=1):
    """Return a play whose only slave has so many short jobs in hand, and these."""
    play = Play(range(60), ["x"], chunk_size, redistribute=False)
    tid, (first,) = play.slave("x")
    play.feed(ev.SpawningDone)
    own = [order for order in play.done(first, 1e-4) if isinstance(order, ev.Give)][:n_jobs]
    assert len(own) == n_jobs
    return play, tid, own


def test_jobs_that_are_reported_together_count_as_those_one_by_one():
    one, tid, own = several(10)
    for give in own:
        one.feed(ev.JobDone, tid, give.job, give.items, 2e-4)
    many, tid, own = several(10)
    many.feed(ev.JobsDone, tid, [(give.job, give.items, 2e-4) for give in own])
    a, b = one.state.slaves[tid], many.state.slaves[tid]
    done = [[item for item, state in play.jobs.objects.items() if state == 0] for play in (one, many)]
    assert done[0] == done[1]
    assert a.n_done == b.n_done == 11
    assert b.mean == pytest.approx(a.mean)


def test_jobs_that_are_given_together_are_those_given_one_by_one():
    play, tid, own = several(6, chunk_size=3)
    assert [give.items for give in own] == [list(range(n, n + 3)) for n in range(3, 21, 3)]
    assert [give.n_left for give in own] == [60 - n for n in range(3, 21, 3)]
    assert [give.job for give in own] == list(play.state.slaves[tid].jobs)[:6]


def test_an_item_without_a_result_among_jobs_that_are_reported_together_is_tried_again():
    play, tid, own = several(4, chunk_size=2)
    results = [(give.job, give.items[: 1 + (give is not own[1])], 1e-4) for give in own]
    play.feed(ev.JobsDone, tid, results)
    missing = own[1].items[1]
    assert play.jobs.objects[missing] is None and play.jobs.is_alone(missing)


def test_an_item_that_came_before_is_surplus_among_those_reported_together():
    play, tid, own = several(4)
    play.jobs.finish(own[1].items[0])
    orders = play.feed(ev.JobsDone, tid, [(give.job, give.items, 1e-4) for give in own])
    assert [order.items for order in orders if isinstance(order, ev.Surplus)] == [own[1].items]
    assert play.state.n_surplus == 1


class Chaos(RuleBasedStateMachine):
    """Whatever happens in whatever order, every item ends finished or in
    errors, and nothing is counted twice."""

    def __init__(self):
        super().__init__()
        self.play = Play(
            range(8),
            {"x": "h1", "y": "h1", "z": "h2"},
            chunk_size=3,
            heartbeat=10.0,
            job_timeout=30.0,
            max_respawns=2,
            max_deaths=3,
        )
        self.counted = {}
        self.ended = set()

    def feed(self, kind, *args):
        orders = self.play.feed(kind, *args)
        for order in orders:
            if isinstance(order, ev.SetAside):
                self.counted[order.item] = self.counted.get(order.item, 0) + 1
            elif isinstance(order, ev.Reinstate):
                self.counted[order.item] -= 1
        return orders

    def tids(self, *states):
        return sorted(t for t, s in self.play.state.slaves.items() if not states or s.state in states)

    @rule(place=st.sampled_from("xyz"))
    def spawn(self, place):
        if not self.play.state.slots[place].tid and not self.play.state.finished:
            self.play.spawned += 1
            self.feed(ev.SlaveSpawned, place, self.play.spawned)

    @rule(place=st.sampled_from("xyz"))
    def fail_to_spawn(self, place):
        if not self.play.state.slots[place].tid:
            self.feed(ev.SpawnFailed, place, "no")

    @rule()
    def spawning_done(self):
        self.feed(ev.SpawningDone)

    @precondition(lambda self: self.tids(STARTING))
    @rule(data=st.data())
    def ready(self, data):
        self.feed(ev.SlaveReady, data.draw(st.sampled_from(self.tids(STARTING))))

    @precondition(lambda self: self.play.given)
    @rule(data=st.data(), seconds=st.sampled_from([1e-5, 0.1, 5.0]), part=st.booleans())
    def report(self, data, seconds, part):
        give = data.draw(st.sampled_from(self.play.given))
        if (give.tid, give.job) in self.ended:
            return
        self.ended.add((give.tid, give.job))
        items = give.items[:1] if part else give.items
        orders = self.feed(ev.JobDone, give.tid, give.job, list(items), seconds)
        surplus = [i for o in orders if isinstance(o, ev.Surplus) for i in o.items]
        if self.play.state.finished and not orders:
            return
        for item in items:
            if item not in surplus:
                self.counted[item] = self.counted.get(item, 0) + 1

    @precondition(lambda self: self.play.given)
    @rule(data=st.data(), seconds=st.sampled_from([1e-5, 0.1]), part=st.booleans())
    def report_several(self, data, seconds, part):
        tid = data.draw(st.sampled_from(sorted({give.tid for give in self.play.given})))
        own = [g for g in self.play.given if g.tid == tid and (tid, g.job) not in self.ended]
        own = own[: data.draw(st.integers(1, 4))]
        if not own or self.play.state.finished:
            return
        self.ended.update((tid, give.job) for give in own)
        results = [list(give.items[:1] if part and give is own[0] else give.items) for give in own]
        orders = self.feed(ev.JobsDone, tid, [(g.job, items, seconds) for g, items in zip(own, results)])
        surplus = [i for o in orders if isinstance(o, ev.Surplus) for i in o.items]
        for item in (item for items in results for item in items):
            if item in surplus:
                surplus.remove(item)
            else:
                self.counted[item] = self.counted.get(item, 0) + 1

    @precondition(lambda self: self.play.given)
    @rule(data=st.data())
    def fail(self, data):
        give = data.draw(st.sampled_from(self.play.given))
        if (give.tid, give.job) in self.ended:
            return
        self.ended.add((give.tid, give.job))
        self.feed(ev.JobFailed, give.tid, give.job, BAD)

    @precondition(lambda self: self.tids())
    @rule(data=st.data())
    def die(self, data):
        self.feed(ev.SlaveExited, data.draw(st.sampled_from(self.tids())))

    @precondition(lambda self: self.tids(STARTING))
    @rule(data=st.data())
    def init_fails(self, data):
        self.feed(ev.SlaveFailed, data.draw(st.sampled_from(self.tids(STARTING))), BAD)

    @precondition(lambda self: self.tids())
    @rule(data=st.data())
    def hear(self, data):
        self.feed(ev.Heard, data.draw(st.sampled_from(self.tids())))

    @rule(data=st.data())
    def gives_back(self, data):
        slaves = self.play.state.slaves
        busy = [tid for tid, slave in slaves.items() if len(slave.jobs) > 1]
        if busy:
            tid = data.draw(st.sampled_from(busy))
            jobs = list(slaves[tid].jobs)[data.draw(st.integers(0, 2)) :]
            self.ended.update((tid, job) for job in jobs)  # nothing more is heard of them
            self.feed(ev.JobsReturned, tid, jobs, 0.1)

    @precondition(lambda self: self.tids(BUSY))
    @rule(data=st.data())
    def begin_to_send(self, data):
        tid = data.draw(st.sampled_from(self.tids(BUSY)))
        self.feed(ev.ResultsComing, tid, list(self.play.state.slaves[tid].jobs)[:2])

    @rule(host=st.sampled_from(["h1", "h2"]))
    def lose_host(self, host):
        self.feed(ev.HostLost, host)

    @rule(host=st.sampled_from(["h1", "h2"]), outcome=st.sampled_from([ev.DOWN, ev.REFUSED, ev.THERE, ev.DELETED]))
    def try_host(self, host, outcome):
        self.feed(ev.HostTried, host, outcome)

    @rule(host=st.sampled_from(["h1", "h2"]))
    def add_host(self, host):
        self.feed(ev.HostAdded, host)

    @rule(seconds=st.sampled_from([0.1, 3.0, 9.0, 50.0]))
    def pass_time(self, seconds):
        self.play.now += seconds
        self.feed(ev.Tick)

    @rule(data=st.data())
    def bar(self, data):
        tids = self.tids(IDLE, BUSY)
        if tids:
            self.play.avoid ^= {data.draw(st.sampled_from(tids))}

    @invariant()
    def consistent(self):
        self.play.state.check()
        assert all(n == 1 for n in self.counted.values() if n), self.counted

    def teardown(self):
        """Let healthy slaves finish: nothing may hang, nothing be lost."""
        play = self.play
        play.avoid.clear()
        for tid in self.tids():
            self.feed(ev.SlaveExited, tid)
        play.feed(ev.SpawningDone)
        for _ in range(200):
            if play.state.finished:
                break
            play.now += 1.0
            for place in play.state.slots.values():
                if not place.tid:
                    play.slave(place.nickname)
            self.feed(ev.Tick)
            for tid in self.tids(BUSY):
                for job, work in list(play.state.slaves[tid].jobs.items()):
                    if (tid, job) not in self.ended:
                        self.ended.add((tid, job))
                        self.feed(ev.JobDone, tid, job, list(work.items), 1.0)
                    elif tid in play.state.slaves:
                        self.feed(ev.SlaveExited, tid)
        assert play.state.finished
        states = play.jobs.objects
        assert all(state == 0 for state in states.values())


TestChaos = Chaos.TestCase
TestChaos.settings = settings(max_examples=300, stateful_step_count=50, deadline=None)


@pytest.mark.parametrize("timeout", [None, 4.0])
def test_the_state_asks_for_time_often_enough(timeout):
    play = Play("a", ["x"], heartbeat=15.0, job_timeout=timeout)
    assert play.state.next_tick(0.0) <= (3.0 if timeout is None else 1.0)


def test_an_item_that_ends_its_slave_each_time_does_not_use_up_the_slot():
    play = Play("ab", ["x"], 1, max_respawns=1, max_deaths=5)
    for _ in range(5):
        tid, _ = play.slave("x")
        play.feed(ev.SpawningDone)
        play.feed(ev.SlaveExited, tid)
        if play.state.failed:
            break
        play.now = play.state.slots["x"].restart
        play.feed(ev.Tick)
    assert list(play.state.failed) == ["a"] and not play.state.stranded
    assert play.state.slots["x"].restart is not None


def test_an_item_that_times_out_does_not_use_up_the_slot():
    play = Play("ab", ["x"], 1, max_respawns=1, max_tries=3, job_timeout=10.0)
    while "a" not in play.state.failed:
        tid, _ = play.slave("x")
        play.feed(ev.SpawningDone)
        play.now += 11
        play.feed(ev.Heard, tid)
        play.feed(ev.Tick)
        play.feed(ev.SlaveExited, tid)
        assert not play.state.stranded
        play.now = play.state.slots["x"].restart
        play.feed(ev.Tick)


def test_an_impossible_move_is_refused():
    play = Play("abc", ["x"])
    tid, _ = play.slave("x")
    with pytest.raises(ImpossibleMove, match="busy to starting"):
        play.state._move(play.state.slaves[tid], STARTING)


def test_every_state_is_left_and_reached_by_the_table_of_moves():
    for state in State:
        assert state is LEAVING or any(move[0] is state for move in MOVES)
        assert state is STARTING or any(move[1] is state for move in MOVES)
        assert MEANING[state]


def test_results_that_nobody_can_read_are_blamed_on_the_oldest_job_and_the_slave_lives():
    play = Play("ab", ["x"], 1, max_tries=1)
    tid, _ = play.slave("x")
    failure = ev.Failure("AttributeError", "no such class")
    play.feed(ev.ResultsUnreadable, tid, failure)
    assert play.state.failed == {"a": failure}
    assert tid in play.state.slaves and play.state.slaves[tid].state is BUSY


def test_a_slave_of_an_old_script_gets_one_job_at_a_time():
    play = Play(range(100), ["x"], 1)
    play.feed(ev.SlaveSpawned, "x", 7)
    play.state.handle(ev.SlaveUp(7, play.now, single=True))
    play.feed(ev.SlaveReady, 7)
    for _ in range(10):
        (job,) = play.state.slaves[7].jobs
        play.feed(ev.JobDone, 7, job, play.state.slaves[7].jobs[job].items, 1e-5)
    assert len(play.state.slaves[7].jobs) == 1
