"""What is told beside certain words: what is still supposed behind them, and how far all has been recognised."""

from itertools import pairwise

import numpy as np
import pytest

from dragoman.pipeline.events import Event, Recognised, SpeechEnded, Transcript
from dragoman.pipeline.latency import Latency
from tests.fakes.engines import silence, tone
from tests.fakes.readable import reader, spoken, text
from tests.pipeline.stages.test_recognise import finals, heard


def transcripts(events: list[tuple[float, Event]]) -> list[Transcript]:
    return [event for _, event in events if isinstance(event, Transcript)]


@pytest.mark.parametrize("latency", ["low", "balanced", "quality"])
@pytest.mark.parametrize("times", [False, True], ids=["without word times", "with word times"])
async def test_a_final_says_what_is_supposed_behind_it(latency: Latency, times: bool) -> None:
    audio = np.concatenate([spoken(80), silence(1.0), spoken(5, first=80), silence(1.0)])
    said = transcripts(await heard(audio, reader(times=times), latency=latency, partials=True))
    inner = [(one, other) for one, other in pairwise(said) if one.final and not one.closes]
    assert inner
    for certain, after in inner:
        assert certain.rest
        supposed = [word.text.strip(".") for word in certain.rest]
        if not after.final:
            assert [word.text.strip(".") for word in after.words][: len(supposed) - 1] == supposed[:-1]
    assert all(not one.rest for one in said if one.closes)


@pytest.mark.parametrize("times", [False, True], ids=["without word times", "with word times"])
@pytest.mark.parametrize("latency", ["balanced", "quality"])
async def test_a_segment_that_is_cut_leaves_what_was_supposed_behind_the_cut(latency: Latency, times: bool) -> None:
    events = await heard(spoken(80), reader(times=times, sentence=1000), latency=latency, partials=True)
    shown = list[str]()
    for one in transcripts(events):
        shown = [word.text.strip(".") for word in (one.rest if one.final else one.words)]
        if one.final and not one.closes:
            numbers = [int(word.strip("xw")) for word in shown]
            last = int(one.words[-1].text.strip("xw."))
            assert numbers == list(range(last + 1, last + 1 + len(numbers)))


async def test_who_wants_no_partials_is_told_of_no_rest() -> None:
    said = transcripts(await heard(np.concatenate([spoken(40), silence(1.0)]), reader(times=False)))
    assert all(one.final and not one.rest for one in said)


async def test_how_far_all_has_been_recognised_is_told_behind_every_segment_even_an_empty_one() -> None:
    recognizer = reader(times=False)
    audio = np.concatenate([spoken(5), silence(1.0), tone(0.5, level=0.012), silence(1.0), spoken(5), silence(1.0)])
    events = [event for _, event in await heard(audio, recognizer, latency="quality")]
    ends = [event.at_s for event in events if isinstance(event, SpeechEnded)]
    told = [event for event in events if isinstance(event, Recognised)]
    assert [event.at_s for event in told] == ends
    assert len(ends) == 3
    before = [[event for event in events[: events.index(one)] if isinstance(event, Transcript)] for one in told]
    assert [len(said) for said in before] == [1, 1, 2]
    assert [word for _, one in finals([(0.0, event) for event in events]) for word in one.text.split()] == [
        *text(4),
        "w4.",
        *text(4),
        "w4.",
    ]
