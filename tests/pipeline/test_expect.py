"""Names and terms that are to be expected from a place in the input on."""

from dragoman.config.settings import load_settings
from dragoman.models.base import RecognitionRequest
from dragoman.models.registry import Engines
from dragoman.models.voices import VoiceCatalogue
from dragoman.pipeline.audio.formats import pcm
from dragoman.pipeline.offload import Offload
from dragoman.pipeline.session import Session, SessionRequest
from tests.fakes.engines import FakeDetector, FakeRecognizer, s16, silence, tone


async def keywords_of_segments(*steps: bytes | tuple[str, ...]) -> list[tuple[str, ...]]:
    """What the recogniser is told to expect in each segment of a session; bytes are fed, tuples are expected."""
    heard: list[tuple[str, ...]] = []

    def hear(request: RecognitionRequest) -> str:
        heard.append(request.keywords)
        return "hello"

    engines = Engines(
        name="fake",
        detector=FakeDetector(),
        recognizers=[FakeRecognizer(hear)],
        translators=[],
        synthesizers=[],
        catalogue=VoiceCatalogue([]),
    )
    offload = Offload()
    request = SessionRequest(pcm(16_000), None, engines.plan(targets=(), keywords=("first",)), latency="quality")
    session = Session(request, engines, load_settings(), offload, session_id="s", emit=lambda event: None)
    try:
        for step in steps:
            await (session.feed(step) if isinstance(step, bytes) else session.expect(step))
        await session.end()
        await session.run()
    finally:
        offload.close()
        engines.close()
    return heard


async def test_they_count_from_the_next_segment_on() -> None:
    speech, pause = s16(tone(1.0)), s16(silence(1.0))
    assert await keywords_of_segments(speech, pause) == [("first",)]
    heard = await keywords_of_segments(speech, ("second",), speech, pause, speech, pause)
    assert heard == [("first",), ("second",)]


async def test_the_newest_take_the_place_of_those_before() -> None:
    speech = s16(tone(1.0)) + s16(silence(1.0))
    heard = await keywords_of_segments(("a", "b"), ("c",), speech, (), speech)
    assert heard == [("c",), ()]
