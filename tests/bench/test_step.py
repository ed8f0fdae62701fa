"""The figures of sessions, alone and together, on conversations that never took place."""

from dataclasses import replace

import pytest

from dragoman.bench.clauses import Clause
from dragoman.bench.client import Conversation
from dragoman.bench.crowd import Crowd
from dragoman.bench.lagging import Segment
from dragoman.bench.offline import Offline, wanted_along
from dragoman.bench.processes import Memory, Usage
from dragoman.bench.programme import programme
from dragoman.bench.recordings import Recording
from dragoman.bench.session import SessionFigures, figures_of
from dragoman.bench.step import MIB, Cost, by_minute, figures, section, step_of
from dragoman.bench.units import WORD
from tests.bench.conversations import conversation
from tests.bench.test_programme import tone

OFFLINE = [Segment(0.0, 2.0, "uno dos"), Segment(3.0, 5.0, "tres cuatro")]


def session(shift_s: float = 0.0, failure: str = "") -> SessionFigures:
    """Two clauses: heard at 3 and, because the first lasts 4 s, at 7, though it came at 6; all `shift_s` later."""
    heard = conversation(
        ("uno dos", 0.0, 2.0, 3.0 + shift_s),
        ("tres cinco", 3.0, 5.0, 6.0 + shift_s),
        sound_s=4.0,
        failure=failure,
    )
    return figures_of("n1-0", heard, OFFLINE, (), WORD)


def test_a_session_is_heard_in_order() -> None:
    first, second = session().clauses
    assert (first.heard_delay_s, first.ear_voice_s) == (1.0, 3.0)
    assert (second.text_delay_s, second.heard_delay_s, second.ear_voice_s) == (1.0, 2.0, 4.0)
    assert session().first_sound_s == 3.0


def test_a_session_is_compared_with_the_offline_sentences() -> None:
    found = session().offline
    assert found is not None
    assert found.pairs == [("uno dos", "uno dos"), ("tres cinco", "tres cuatro")]
    assert found.lagging is not None
    # Both sentences come behind their end, a second later: LAAL is the time from their beginning.
    assert found.lagging.aware_s == 3.0
    assert found.lagging.unaware_s == pytest.approx((2.0 + 2.0) / 2)
    assert session().reference is None


def test_sessions_are_taken_together() -> None:
    step = step_of([session(), session(1.0)], Crowd(), (), WORD, transcribes=False)
    assert step.text is not None
    assert step.lag is not None
    assert (step.text.count, step.text.p50) == (4, 1.5)
    assert (step.lag.least, step.lag.most) == (1.0, 3.0)
    assert step.offline is not None
    assert (step.offline.aware_s, step.offline.sentences) == (3.5, 4)
    assert step.first_sound_s == 3.5
    assert step.kept is not None
    assert 50 < step.kept.chrf < 100
    assert (step.refused, step.broken, step.cost, step.growth_s, step.error_rate) == (0, 0, None, None, None)


def test_refused_and_broken_sessions_are_counted() -> None:
    nobody = figures_of("n3-2", Conversation(failure="too many"), OFFLINE, (), WORD)
    step = step_of([session(), session(failure="went away"), nobody], Crowd(), (), WORD, transcribes=False)
    assert (step.refused, step.broken) == (1, 1)
    assert dict(figures(step, None))["refused"] == 1.0
    assert nobody.first_sound_s is None


def test_the_lag_by_minute_and_how_it_grows() -> None:
    def clause(stop_s: float, lag_s: float) -> Clause:
        return Clause("a", stop_s - 1, stop_s, stop_s, stop_s, stop_s + lag_s)

    silent = Clause("a", 1.0, 2.0, 3.0)
    found = by_minute([clause(10.0, 1.0), clause(50.0, 2.0), clause(125.0, 4.0), silent])
    assert [(one.minute, one.lag.count, one.lag.most) for one in found] == [(0, 2, 2.0), (2, 1, 4.0)]
    one = replace(session(), clauses=[clause(10.0, 1.0), clause(60.5, 9.0), clause(121.0, 1.75)])
    step = step_of([one], Crowd(), (), WORD, transcribes=False)
    assert step.growth_s == 0.75
    grids = section(step, None).grids
    assert grids[-1].title == "Lag by minute, s"
    assert "+0.75 s" in grids[-1].note
    long = [clause(second, 1.0 if second < 300 else 2.0 if second < 1501 else 1.5) for second in range(2, 1802, 3)]
    assert step_of([replace(session(), clauses=long)], Crowd(), (), WORD, transcribes=False).growth_s == 0.5


def test_what_the_server_took() -> None:
    usage = Usage(wall_s=10.0, family_s=2.0, machine_s=5.0)
    crowd = Crowd(clients_s=1.0, usage=usage, memory=[Memory(300, 200, 0, 0), Memory(400, 150, 0, 0)])
    assert Cost.of(crowd, 20.0) == Cost(0.1, 0.2, pytest.approx(0.2), 400, 200)
    assert Cost.of(Crowd(), 20.0) is None
    assert Cost.of(crowd, 0.0) is None
    step = step_of([session()], crowd, (), WORD, transcribes=False)
    named = dict(figures(step, 0.1))
    assert named["cpu_ratio"] == 0.1
    assert named["uss_mib"] == 200 / MIB
    assert named["offline_rtf"] == 0.1
    assert "0.100 s of processor time" in section(step, None).grids[0].note


KNOWN = Recording(tone(2.0, "known"), (0.5, 1.5), "en", "one two", {"es": "uno dos"})
UNKNOWN = Recording(tone(1.0, "unknown"), (0.0, 1.0), "en")


def test_references_stand_where_they_are_known() -> None:
    said = programme([KNOWN, UNKNOWN])
    offline = Offline([[Segment(0.2, 1.8, "un dos")], [Segment(0.1, 0.9, "tres")]], 0.1)
    start_s = said.places[1][1]
    assert offline.along(said) == [Segment(0.2, 1.8, "un dos"), Segment(start_s + 0.1, start_s + 0.9, "tres")]
    first, second = wanted_along(said, [KNOWN, UNKNOWN], "es", offline)
    assert first == Segment(0.5, 1.5, "uno dos")
    assert (second.text, second.counts) == ("tres", False)
    assert wanted_along(said, [KNOWN, UNKNOWN], "es", None) == []
    assert wanted_along(said, [KNOWN, UNKNOWN], "fr", offline) == []
    only = programme([KNOWN])
    assert [one.text for one in wanted_along(only, [KNOWN], "en", None)] == ["one two"]


def test_word_errors_where_the_text_is_the_transcript() -> None:
    heard = conversation(("One, too.", 0.5, 1.5, 2.0))
    one = figures_of("n1-0", heard, (), [Segment(0.5, 1.5, "one two")], WORD)
    step = step_of([one], Crowd(), (), WORD, transcribes=True)
    assert step.error_rate == 0.5
    assert "50.0 %" in section(step, None).grids[1].note


def test_figures_have_names_with_units() -> None:
    step = step_of([session()], Crowd(), [("uno dos", "uno dos")], WORD, transcribes=False)
    named = dict(figures(step, 0.1))
    assert named["ear_voice_p50_s"] == 3.5
    assert named["laal_offline_s"] == 3.0
    assert named["laal_offline_unaware_s"] == 2.0
    assert named["start_offset_offline_s"] == 3.0
    assert named["chrf_reference_offline"] == 100.0
    assert "laal_reference_s" not in named
    assert section(step, 0.1).name == "n1"
