"""What a recogniser is told of what was said before: nothing that is still to be heard in the samples."""

import numpy as np
import pytest

from dragoman.models.base import Hypothesis, RecognitionRequest
from dragoman.pipeline.latency import Latency
from tests.fakes.engines import silence
from tests.fakes.readable import continuing, read, reader, spoken, text
from tests.pipeline.stages.test_recognise import heard, words

TALK = np.concatenate([spoken(50), silence(1.0), spoken(3, first=50), silence(1.0), spoken(40, first=53), silence(1.0)])


def bare(found: list[str]) -> list[str]:
    return [word.strip(".") for word in found]


@pytest.mark.parametrize("latency", ["low", "balanced", "quality"])
@pytest.mark.parametrize("times", [False, True], ids=["without word times", "with word times"])
@pytest.mark.parametrize("sentence", [8, 1000], ids=["sentences", "no sentence ends"])
async def test_a_recogniser_that_goes_on_behind_its_context_loses_nothing(
    latency: Latency, times: bool, sentence: int
) -> None:
    asked: list[RecognitionRequest] = []
    reading = continuing(reader(times=times, sentence=sentence))

    def hear(request: RecognitionRequest) -> Hypothesis:
        asked.append(request)
        return reading(request)

    events = await heard(TALK, hear, latency=latency, partials=True)
    assert bare(words(events)) == bare(text(93))
    # All that is before the samples is told, as far as there is room, and nothing of what is within.
    for request in asked:
        first = read(request.samples).text.split()
        if request.context and first and not first[0].startswith("x"):
            said = request.context.split()[-1].strip("x.")
            assert f"w{int(said.removeprefix('w')) + 1}" == first[0].strip(".")
    assert any(request.context for request in asked)


@pytest.mark.parametrize("latency", ["low", "quality"])
async def test_a_segment_that_is_cut_for_its_length_is_context_up_to_the_cut(latency: Latency) -> None:
    reading = continuing(reader(times=True))
    events = await heard(np.concatenate([spoken(110), silence(1.0)]), reading, latency=latency, paced=False)
    assert bare(words(events)) == bare(text(110))
