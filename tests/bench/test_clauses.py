"""Which sound belongs to which text, and when a player comes to it."""

import pytest

from dragoman.bench.clauses import clauses_of, nearest, sound_delays
from dragoman.bench.client import Arrival, Conversation, Message


def text(at_s: float, words: str, source_stop_s: float) -> Arrival:
    return Arrival(at_s, Message("text", words, source_start_s=source_stop_s - 1, source_stop_s=source_stop_s))


def sound(at_s: float, start_s: float, stop_s: float) -> Arrival:
    return Arrival(at_s, Message("audio", start_s=start_s, stop_s=stop_s))


def test_the_first_audio_behind_a_text_is_its_first_sound() -> None:
    found = clauses_of(
        [text(2.0, "a", 1.0), sound(2.1, 0, 0.3), sound(2.2, 0.3, 0.6), text(5, "b", 4), sound(5.5, 1, 2)]
    )
    assert [(clause.text, clause.text_delay_s, clause.sound_delay_s) for clause in found] == [
        ("a", 1.0, pytest.approx(1.1)),
        ("b", 1.0, 1.5),
    ]


def test_a_text_without_a_sound_does_not_take_the_next_ones() -> None:
    silent, loud = clauses_of([text(2.0, "a", 1.0), text(2.0, "b", 1.5), sound(2.5, 0, 1)])
    assert silent.sound_at_s is None
    assert silent.sound_delay_s is None
    assert silent.heard_delay_s is None
    assert loud.sound_delay_s == 1.0
    assert sound_delays([silent, loud]) == [1.0]


def test_a_clause_is_heard_when_the_one_before_has_been_played() -> None:
    found = clauses_of([text(2, "a", 1), sound(2, 0, 2), sound(2.1, 2, 4), text(3, "b", 2.5), sound(3, 4, 5)])
    assert [clause.heard_at_s for clause in found] == [2, 6]
    late = clauses_of([text(2, "a", 1), sound(2, 0, 1), text(9, "b", 8), sound(9, 1, 2)])
    assert [clause.heard_at_s for clause in late] == [2, 9]


def test_sound_before_any_text_belongs_to_none() -> None:
    assert clauses_of([sound(1, 0, 0.1)]) == []


def test_a_server_that_tells_no_source_times_is_noticed() -> None:
    with pytest.raises(ValueError, match="no source times with 'a'"):
        clauses_of([Arrival(1.0, Message("text", "a"))])


def test_the_nearest_end_only_where_it_is_near() -> None:
    ends_s = [1.0, 3.0, 3.2]
    assert nearest(ends_s, 1.1) == 1.0
    assert nearest(ends_s, 0.9) == 1.0
    assert nearest(ends_s, 3.12) == 3.2
    assert nearest(ends_s, 9.0) is None
    assert nearest(ends_s, 2.0) is None
    assert nearest([], 2.0) is None


def test_the_last_sound_of_a_conversation() -> None:
    heard = Conversation(finished_s=5.0, arrivals=[sound(4.0, 0, 1), sound(6.0, 1, 2), text(7.0, "a", 6.0)])
    assert heard.last_sound_s == 6.0
    assert Conversation(finished_s=5.0, arrivals=[sound(4.0, 0, 1)]).last_sound_s == 5.0
    assert Conversation(finished_s=5.0).last_sound_s == 5.0
