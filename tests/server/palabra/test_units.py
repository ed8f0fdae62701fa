"""Words in, units out: the clauses that a session translates."""

import math
from itertools import count

from dragoman.models.base import Word
from dragoman.pipeline.events import Transcript
from dragoman.pipeline.latency import POLICIES, Latency
from dragoman.server.protocols.palabra.units import Unit, Units
from tests.fakes.hearing import FakeHearing


class Listening:
    """Units of what a session tells."""

    def __init__(self, latency: Latency = "quality") -> None:
        numbers = count()
        self.units = Units(lambda: f"u{next(numbers)}")
        self._hearing = FakeHearing(POLICIES[latency])

    def push(self, said: Transcript) -> tuple[list[Unit], Unit | None]:
        return self.units.push(self._hearing.heard(said))

    def at(self, start_s: float) -> tuple[str, float]:
        return self.units.at(start_s)


def words(text: str, start_s: float = 0.0) -> tuple[Word, ...]:
    return tuple(
        Word(word, start_s + number * 0.5, start_s + number * 0.5 + 0.5) for number, word in enumerate(text.split())
    )


def final(text: str, start_s: float = 0.0, *, complete: bool = False, language: str = "en") -> Transcript:
    found = words(text, start_s)
    stop_s = found[-1].stop_s if found else start_s
    return Transcript(text, language, start_s, stop_s, words=found, complete=complete, closes=complete)


def test_a_clause_is_a_unit() -> None:
    found, open_ = Listening("low").push(final("When it rains, we stay home today"))
    assert [(unit.unit_id, unit.text, unit.start_s, unit.stop_s) for unit in found] == [
        ("u0", "When it rains,", 0.0, 1.5)
    ]
    assert open_ is None


def test_the_words_before_go_on_in_what_is_supposed() -> None:
    one = Listening()
    assert one.push(final("We stay")) == ([], None)
    partial = Transcript("at home", "en", 1.0, 2.0, final=False, words=words("at home", 1.0))
    assert one.push(partial) == ([], Unit("u0", "We stay at home", "en", 0.0, 2.0))
    assert one.push(partial) == ([], None)
    found, open_ = one.push(final("at home.", 1.0, complete=True))
    assert found == [Unit("u0", "We stay at home.", "en", 0.0, 2.0)]
    assert open_ is None


def test_another_language_is_another_unit() -> None:
    one = Listening()
    one.push(final("We stay"))
    found, _ = one.push(final("Nous restons.", 2.0, complete=True, language="fr"))
    assert [(unit.text, unit.language) for unit in found] == [("We stay", "en"), ("Nous restons.", "fr")]


def test_a_clause_that_begins_within_a_unit_belongs_to_it() -> None:
    one = Listening()
    one.push(final("One two three.", complete=True))
    one.push(final("Four five.", 5.0, complete=True))
    assert [one.at(at_s)[0] for at_s in (0.0, 1.0, 4.9, 5.0, 60.0)] == ["u0", "u0", "u0", "u1", "u1"]
    assert one.at(5.0)[1] == 6.0


def test_the_unit_that_is_open_has_no_end() -> None:
    one = Listening()
    one.push(final("One two.", complete=True))
    one.push(final("Three four", 5.0))
    assert one.at(5.0) == ("u1", math.inf)
    assert one.at(4.0) == ("u0", 1.0)


def test_nothing_said_is_no_unit() -> None:
    assert Listening().push(final("", complete=True)) == ([], None)
    assert Listening().at(1.0) == ("u0", math.inf)


def test_languages_without_blanks_are_written_without() -> None:
    said = Transcript("你好世界", "zh", 0.0, 1.0)
    (unit,), _ = Listening().push(said)
    assert unit.text == "你好世界"
