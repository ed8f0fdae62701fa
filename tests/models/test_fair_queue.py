"""The queue discipline by itself: examples first, then a model that any history must agree with."""

import itertools
import queue
from collections import defaultdict

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from dragoman.models.fair_queue import FairQueue, Priority

FINAL, PARTIAL = Priority.FINAL, Priority.PARTIAL


def filled(*items: tuple[str, str, Priority], max_size: int = 100) -> FairQueue[str]:
    waiting: FairQueue[str] = FairQueue(max_size)
    for item, session_id, priority in items:
        assert waiting.put(item, session_id=session_id, priority=priority) is None
    return waiting


def test_sessions_take_turns() -> None:
    waiting = filled(*((f"a{n}", "a", FINAL) for n in range(3)), ("b0", "b", FINAL), ("c0", "c", FINAL))
    assert waiting.drain() == ["a0", "b0", "c0", "a1", "a2"]


def test_finals_go_before_partials() -> None:
    waiting = filled(("p", "a", PARTIAL), ("f", "b", FINAL), ("g", "a", FINAL))
    assert waiting.peek() == "f"
    assert waiting.drain() == ["f", "g", "p"]


def test_newer_partial_takes_the_turn_of_the_older() -> None:
    waiting = filled(("a0", "a", PARTIAL), ("b0", "b", PARTIAL))
    assert waiting.put("a1", session_id="a", priority=PARTIAL) == "a0"
    assert waiting.drain() == ["a1", "b0"]


def test_full_queue_refuses() -> None:
    waiting = filled(("a0", "a", FINAL), ("a1", "a", FINAL), max_size=2)
    for priority in Priority:
        with pytest.raises(queue.Full):
            waiting.put("b0", session_id="b", priority=priority)
    assert len(waiting) == 2


def test_final_takes_the_room_of_the_last_partial() -> None:
    waiting = filled(("a0", "a", PARTIAL), ("b0", "b", PARTIAL), max_size=2)
    assert waiting.put("c0", session_id="c", priority=FINAL) == "b0"
    assert waiting.drain() == ["c0", "a0"]


def test_partial_may_replace_its_older_in_a_full_queue() -> None:
    waiting = filled(("a0", "a", PARTIAL), max_size=1)
    assert waiting.put("a1", session_id="a", priority=PARTIAL) == "a0"
    assert waiting.drain() == ["a1"]


def test_remove() -> None:
    waiting = filled(("a0", "a", FINAL), ("a1", "a", FINAL))
    assert waiting.remove("a0", session_id="a", priority=FINAL)
    assert not waiting.remove("a0", session_id="a", priority=FINAL)
    assert not waiting.remove("a1", session_id="b", priority=FINAL)
    assert waiting.drain() == ["a1"]


def test_empty() -> None:
    waiting: FairQueue[str] = FairQueue(1)
    assert len(waiting) == 0
    with pytest.raises(IndexError):
        waiting.take()
    with pytest.raises(IndexError):
        waiting.peek()


def test_size_must_be_positive() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        FairQueue(0)


class FairQueueModel(RuleBasedStateMachine):
    """Plain lists per session and priority, and who was served while each session waited."""

    MAX_SIZE = 6

    def __init__(self) -> None:
        super().__init__()
        self.queue: FairQueue[int] = FairQueue(self.MAX_SIZE)
        self.waiting: dict[tuple[str, Priority], list[int]] = defaultdict(list)
        self.passed_by: dict[tuple[str, Priority], list[str]] = defaultdict(list)
        self.next_item = 0

    def size(self, priority: Priority | None = None) -> int:
        return sum(len(items) for (_, p), items in self.waiting.items() if priority in {None, p})

    @rule(session_id=st.sampled_from("abcd"), priority=st.sampled_from(Priority))
    def put(self, session_id: str, priority: Priority) -> None:
        item, key = self.next_item, (session_id, priority)
        self.next_item += 1
        replaces = priority is PARTIAL and bool(self.waiting[key])
        full = self.size() == self.MAX_SIZE
        if full and not replaces and (priority is PARTIAL or not self.size(PARTIAL)):
            with pytest.raises(queue.Full):
                self.queue.put(item, session_id=session_id, priority=priority)
            return
        displaced = self.queue.put(item, session_id=session_id, priority=priority)
        assert (displaced is not None) == (replaces or full)
        if displaced is not None:
            losers = [k for k, items in self.waiting.items() if displaced in items]
            assert [k[1] for k in losers] == [PARTIAL]
            assert losers == [key] or not replaces
            self.waiting[losers[0]].remove(displaced)
        if not self.waiting[key] and not replaces:
            self.passed_by[key] = []
        self.waiting[key].append(item)

    @rule()
    def take(self) -> None:
        if not self.size():
            return
        expected = self.queue.peek()
        item = self.queue.take()
        assert item == expected
        key = next(key for key, items in self.waiting.items() if item in items)
        session_id, priority = key
        assert priority is FINAL or not self.size(FINAL)
        assert self.waiting[key].pop(0) == item, "first come, first served within a session"
        for other, items in self.waiting.items():
            if items and other[1] is priority and other != key:
                assert session_id not in self.passed_by[other], "served twice while another session waited"
                self.passed_by[other].append(session_id)
        self.passed_by[key] = []

    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        keys = [key for key, items in self.waiting.items() if items]
        if not keys:
            return
        session_id, priority = data.draw(st.sampled_from(keys))
        item = data.draw(st.sampled_from(self.waiting[session_id, priority]))
        assert self.queue.remove(item, session_id=session_id, priority=priority)
        self.waiting[session_id, priority].remove(item)

    @invariant()
    def nothing_is_lost_and_partials_are_single(self) -> None:
        assert len(self.queue) == self.size() <= self.MAX_SIZE
        assert all(len(items) <= 1 for (_, p), items in self.waiting.items() if p is PARTIAL)

    def teardown(self) -> None:
        assert sorted(self.queue.drain()) == sorted(itertools.chain(*self.waiting.values()))


TestFairQueueModel = FairQueueModel.TestCase
TestFairQueueModel.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
