from dragoman.pipeline.patience import Patience
from tests.fakes.clock import FakeLoop


def patience() -> tuple[FakeLoop, Patience, list[float]]:
    loop, lost = FakeLoop(), list[float]()
    return loop, Patience(lambda _: lost.append(loop.time()), loop.as_loop()), lost


def test_it_is_lost_after_the_limit_and_again_after_as_long() -> None:
    loop, waiting, lost = patience()
    waiting.wait(10)
    loop.advance(9.9)
    assert lost == []
    loop.advance(20.2)
    assert lost == [10, 20, 30]


def test_messages_put_it_off_and_set_no_timers() -> None:
    loop, waiting, lost = patience()
    for _ in range(1000):
        waiting.wait(10)
        loop.advance(0.125)
        waiting.heard()
    assert lost == []
    assert loop.set_timers < 15  # 125 s in waits of 10 s
    waiting.wait(10)
    loop.advance(10)
    assert lost == [135]


def test_what_takes_the_reader_long_is_not_the_clients_silence() -> None:
    loop, waiting, lost = patience()
    waiting.wait(10)
    waiting.heard()
    loop.advance(100)
    waiting.wait(10)
    loop.advance(9.9)
    assert lost == []
    loop.advance(0.1)
    assert lost == [110]


def test_a_shorter_limit_holds_at_once_and_a_longer_one_too() -> None:
    loop, waiting, lost = patience()
    waiting.wait(300)
    waiting.heard()
    waiting.wait(20)
    loop.advance(20)
    assert lost == [20]
    waiting.heard()
    waiting.wait(300)
    loop.advance(299)
    assert lost == [20]


def test_stopped_it_leaves_no_timer() -> None:
    loop, waiting, lost = patience()
    waiting.wait(10)
    waiting.stop()
    loop.advance(100)
    assert (lost, loop.timers) == ([], 0)
