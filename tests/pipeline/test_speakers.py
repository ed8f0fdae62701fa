"""Clustering of voices that tests make: directions in a space of 32."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from dragoman.models.base import Voiceprint
from dragoman.pipeline.speakers import FULL_S, MOST, Speakers

SIZE = 32
THRESHOLD = 0.4
SHORTEST_S = 1.0


def voice(person: int, likeness: float = 1.0, seed: int = 0) -> Voiceprint:
    """A voice whose cosine with the person's is `likeness`; the rest of it lies where no person is."""
    found = np.zeros(2 * SIZE, np.float32)
    found[person] = likeness
    found[SIZE + seed % SIZE] = np.sqrt(1 - likeness**2)
    return found


def speakers(most: int = MOST) -> Speakers:
    return Speakers(THRESHOLD, SHORTEST_S, most)


def test_labels_are_given_in_the_order_of_first_appearance() -> None:
    heard = speakers()
    assert heard.latest is None
    assert [heard.settle(voice(person), 3.0) for person in (7, 2, 7, 9, 2, 7)] == ["1", "2", "1", "3", "2", "1"]
    assert heard.latest == "1"


def test_a_guess_changes_nothing() -> None:
    heard = speakers()
    assert heard.guess(voice(3), 3.0) == "1"
    assert heard.guess(voice(4), 3.0) == "1"  # nobody is known yet
    assert heard.latest is None
    heard.settle(voice(4), 3.0)
    assert heard.guess(voice(3), 3.0) == "2"
    assert heard.guess(voice(5), 3.0) == "2"
    assert heard.settle(voice(5), 3.0) == "2"
    assert heard.settle(voice(4), 3.0) == "1"


def test_a_short_piece_goes_to_the_nearest_and_teaches_nothing() -> None:
    heard = speakers()
    heard.settle(voice(0), 3.0)
    heard.settle(voice(1), 3.0)
    nearly = voice(0, 0.15)  # too far to be sure of
    assert heard.settle(nearly, 0.5) == "1"
    assert heard.settle(voice(2), 0.9) in ("1", "2")  # nobody new is found in a short piece
    assert heard.settle(voice(2), 1.1) == "3"
    assert heard.settle(voice(0), 3.0) == "1"


def test_the_first_piece_has_a_speaker_however_short_it_is() -> None:
    heard = speakers()
    assert heard.settle(voice(0), 0.4) == "1"
    assert heard.settle(voice(0, 0.3), 3.0) == "1"  # so little was known of them that this is near
    assert heard.settle(voice(1), 3.0) == "2"


def test_what_is_near_enough_depends_on_the_length() -> None:
    for speech_s, likeness, label in [(6.0, 0.41, "1"), (6.0, 0.39, "2"), (2.0, 0.35, "1"), (2.0, 0.30, "2")]:
        heard = speakers()
        heard.settle(voice(0), 6.0)
        assert heard.settle(voice(0, likeness), speech_s) == label, (speech_s, likeness)


def test_more_than_is_needed_of_a_voice_says_no_more() -> None:
    for speech_s in (FULL_S, 10 * FULL_S):
        heard = speakers()
        heard.settle(voice(0), speech_s)
        assert heard.settle(voice(0, THRESHOLD + 0.01), speech_s) == "1"
        assert heard.settle(voice(0, THRESHOLD - 0.01, seed=1), speech_s) == "2"


def test_whoever_comes_when_all_labels_are_given_goes_to_the_nearest() -> None:
    heard = speakers()
    assert [heard.settle(voice(person), 3.0) for person in range(MOST)] == [str(n + 1) for n in range(MOST)]
    mixed = voice(MOST + 1) + np.float32(0.2) * voice(4)
    assert heard.settle(mixed / np.linalg.norm(mixed), 3.0) == "5"
    assert heard.settle(voice(4), 3.0) == "5"
    assert heard.guess(voice(MOST + 2), 3.0) in {str(n + 1) for n in range(MOST)}


def test_a_voice_that_changes_slowly_stays_the_same_person() -> None:
    heard = speakers()
    for angle in np.linspace(0, 0.4 * np.pi, 12):
        turned = np.float32(np.cos(angle)) * voice(0) + np.float32(np.sin(angle)) * voice(1)
        assert heard.settle(turned, 4.0) == "1"


@given(
    turns=st.lists(st.tuples(st.integers(0, MOST - 1), st.floats(1.0, 20.0), st.floats(0.75, 1.0)), max_size=60),
)
def test_people_who_sound_different_are_always_told_apart(turns: list[tuple[int, float, float]]) -> None:
    heard, names = speakers(), dict[int, str]()
    for number, (person, speech_s, likeness) in enumerate(turns):
        expected = names.setdefault(person, str(len(names) + 1))
        piece = voice(person, likeness, number)
        assert heard.guess(piece, speech_s) == expected
        assert heard.settle(piece, speech_s) == expected
        assert heard.latest == expected


@st.composite
def anything(draw: st.DrawFn) -> NDArray[np.float32]:
    found = np.random.default_rng(draw(st.integers(0, 2**32))).standard_normal(4)
    made: NDArray[np.float32] = (found / np.linalg.norm(found)).astype(np.float32)
    return made


@given(turns=st.lists(st.tuples(anything(), st.floats(0.01, 100.0)), max_size=40), most=st.integers(1, MOST))
def test_whatever_comes_the_labels_are_the_next_ones(turns: list[tuple[NDArray[np.float32], float]], most: int) -> None:
    heard = speakers(most)
    given_so_far = 0
    for piece, speech_s in turns:
        guessed = heard.guess(piece, speech_s)
        assert heard.guess(piece, speech_s) == guessed
        label = heard.settle(piece, speech_s)
        assert label == guessed
        assert 1 <= int(label) <= min(most, given_so_far + 1)
        if int(label) > given_so_far:
            assert speech_s >= SHORTEST_S or not given_so_far
        given_so_far = max(given_so_far, int(label))


@pytest.mark.parametrize("speech_s", [0.001, 0.3])
def test_next_to_nothing_at_the_start_does_not_break_anything(speech_s: float) -> None:
    heard = speakers()
    assert heard.settle(voice(0), speech_s) == "1"
    assert heard.settle(voice(1), 3.0) in ("1", "2")
