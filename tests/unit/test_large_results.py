"""What a master makes of results that are long on their way."""

from biskit_pvm.jobs import events as ev

from .test_master_state import BUSY, IDLE, SILENT, Play, gives, kinds


def test_bytes_that_arrive_are_a_sign_of_life():
    play = Play("ab", ["x", "y"], 1, redistribute=False, heartbeat=10.0)
    a, _ = play.slave("x")
    b, _ = play.slave("y")
    for moment in (6.0, 12.0, 18.0):
        play.now = moment
        play.state.handle(ev.Tick(moment, 0.0, {a: moment - 1.0, 999: moment}))
    assert play.state.slaves[a].state is BUSY
    assert play.state.slaves[b].state is SILENT


def test_bytes_of_a_slave_that_was_silent_bring_it_back():
    play = Play("ab", ["x"], 1, heartbeat=10.0)
    a, _ = play.slave("x")
    play.now = 9.0
    play.feed(ev.Tick)
    assert play.state.slaves[a].state is SILENT
    play.now = 12.0
    orders = play.state.handle(ev.Tick(12.0, 0.0, {a: 11.5}))
    assert "heard again" in orders[0].text and play.state.slaves[a].state is BUSY


def test_bytes_of_long_ago_are_no_news():
    play = Play("a", ["x"], 1, heartbeat=10.0)
    a, _ = play.slave("x")
    play.now = 9.0
    play.state.handle(ev.Tick(9.0, 0.0, {a: 0.0}))
    assert play.state.slaves[a].state is SILENT


def test_what_is_on_its_way_is_given_to_nobody_else():
    play = Play("ab", ["x", "y"], 1)
    a, first = play.slave("x")
    b, second = play.slave("y")
    play.feed(ev.ResultsComing, a, [first[0].job])
    assert gives(play.done(second[0])) == [] and play.state.slaves[b].state is IDLE
    assert kinds(play.done(first[0])) == [ev.AllDone]


def test_it_is_when_its_sender_has_gone():
    play = Play("ab", ["x", "y"], 1)
    a, first = play.slave("x")
    b, second = play.slave("y")
    play.feed(ev.ResultsComing, a, [first[0].job])
    play.done(second[0])
    assert gives(play.feed(ev.SlaveExited, a)) == [(b, ["a"])]


def test_other_items_are_still_given_to_several():
    play = Play("abc", ["x", "y", "z"], 1)
    a, first = play.slave("x")
    play.slave("y")
    c, third = play.slave("z")
    play.feed(ev.ResultsComing, a, [first[0].job])
    assert gives(play.done(third[0])) == [(c, ["b"])]


def test_items_with_large_results_are_so_only_when_they_take_longer_than_others():
    play = Play("abc", ["x", "y"], 1, heartbeat=1000.0)
    _, first = play.slave("x")
    b, second = play.slave("y")
    play.feed(ev.ResultsComing, b, [second[0].job])
    play.now = 10.0
    (third,) = [order for order in play.done(second[0]) if isinstance(order, ev.Give)]
    play.feed(ev.ResultsComing, b, [third.job])
    play.now = 20.0
    assert gives(play.done(third)) == []
    play.now = 28.0
    assert gives(play.feed(ev.Tick)) == []
    play.now = 31.0
    assert gives(play.feed(ev.Tick)) == [(b, ["a"])]


def test_a_job_takes_no_longer_than_until_its_result_is_sent():
    play = Play("ab", ["x"], 1, job_timeout=5.0, heartbeat=100.0)
    a, first = play.slave("x")
    play.now = 4.0
    play.feed(ev.ResultsComing, a, [first[0].job])
    play.now = 60.0
    assert play.feed(ev.Tick) == []
    again = play.done(first[0])
    assert gives(again) == [(a, ["b"])]
    play.now = 66.0
    assert ev.Kill in kinds(play.feed(ev.Tick))


def test_a_slave_with_large_results_has_one_job_at_a_time():
    play = Play(range(100), ["x"], 1)
    a, first = play.slave("x")
    play.feed(ev.ResultsComing, a, [first[0].job])
    (give,) = [order for order in play.done(first[0], seconds=1e-4) if isinstance(order, ev.Give)]
    assert len(play.state.slaves[a].jobs) == 1
    play.done(give, seconds=1e-4)  # a small one
    assert len(play.state.slaves[a].jobs) > 1


def test_news_of_results_that_have_come_already_mean_nothing():
    play = Play("ab", ["x"], 1)
    a, first = play.slave("x")
    play.done(first[0])
    play.feed(ev.ResultsComing, a, [first[0].job])
    assert not play.state.slaves[a].coming
    assert play.feed(ev.ResultsComing, 999, [1]) == []
