"""Given texts that end with silence, or as files: one session, several streams of bytes."""

import asyncio

import numpy as np
import pytest

from dragoman.config.settings import load_settings
from dragoman.models.base import Samples
from dragoman.pipeline.audio.codec_encode import CODECS
from dragoman.pipeline.audio.formats import AudioFormat, Container, media, ogg_opus, pcm, wav
from dragoman.pipeline.events import Event, Speech, Translated
from dragoman.pipeline.items import Clause, GivenText, SpokenBlock, TextEnd
from dragoman.pipeline.offload import Offload
from dragoman.pipeline.session import Session, SessionRequest
from dragoman.pipeline.stages.encode import BranchEncoder
from tests.fakes.engines import fake_engines
from tests.pipeline.audio.signals import decoded, tone

FORMATS = [pcm(24_000), wav(24_000), ogg_opus(24_000), *(media(one, 24_000) for one in CODECS)]
ENDS = TextEnd("t", 0.0, ends_stream=True, epoch=0)


def block(clause_id: int, samples: Samples) -> SpokenBlock:
    return SpokenBlock(Clause(clause_id, "x", "es", None), samples, 24_000, len(samples) / 24_000, 0.0, last=True)


def heard(fmt: AudioFormat, data: bytes) -> int:
    return len(decoded(fmt, data, 24_000)) if data else 0


@pytest.mark.parametrize("fmt", FORMATS, ids=lambda fmt: fmt.name)
def test_each_file_is_whole_and_the_clock_goes_on(fmt: AudioFormat) -> None:
    speaker, sizes, ends_s = BranchEncoder(fmt), [], []
    for number in range(3):
        pieces = [*speaker.push(block(number, tone(24_000, 12_000))), *speaker.end_text(ENDS, 0)]
        assert (pieces[-1].text_id, pieces[-1].clause_id, pieces[-1].last) == ("t", None, True)
        sizes.append(heard(fmt, b"".join(piece.audio for piece in pieces)))
        ends_s.append(pieces[-1].stop_s)
    assert ends_s == [0.5, 1.0, 1.5]
    assert sizes[0] == sizes[1] == sizes[2] == pytest.approx(12_000, abs=2_304)
    assert speaker.finish(empty=True) is None


@pytest.mark.parametrize("fmt", FORMATS, ids=lambda fmt: fmt.name)
def test_a_file_of_nothing_is_nothing(fmt: AudioFormat) -> None:
    speaker = BranchEncoder(fmt)
    assert [piece.audio for piece in speaker.end_text(ENDS, 0)] == [b""]
    assert heard(fmt, b"".join(piece.audio for piece in speaker.push(block(0, tone(24_000, 12_000))))) > 0


def test_silence_stands_behind_a_text_and_has_its_place() -> None:
    speaker = BranchEncoder(pcm(24_000))
    speaker.push(block(0, tone(24_000, 12_000)))
    (piece,) = speaker.end_text(TextEnd("t", 1.5, ends_stream=False, epoch=0), 0)
    assert (piece.start_s, piece.stop_s, piece.last, piece.text_id) == (0.5, 2.0, False, "t")
    assert piece.audio == bytes(2 * 36_000)


def test_of_an_interrupted_text_the_file_ends_but_no_silence_is_heard() -> None:
    speaker = BranchEncoder(media(Container.MP3, 24_000))
    speaker.push(block(0, tone(24_000, 12_000)))
    (piece,) = speaker.end_text(TextEnd("t", 1.5, ends_stream=True, epoch=0), 1)
    assert (piece.start_s, piece.stop_s, piece.last) == (0.5, 0.5, True)


async def test_texts_through_a_session() -> None:
    engines, offload, events = fake_engines(), Offload(), list[Event]()
    request = SessionRequest(pcm(16_000), wav(24_000), engines.plan(target="es", hears=False))
    session = Session(request, engines, load_settings(), offload, session_id="s", emit=events.append)
    try:
        session.say(GivenText("a", "Buenos días.", "es", translate=False, pause_s=0.25))
        session.say(GivenText("b", "", "es", translate=False, ends_stream=True))
        session.say(GivenText("c", "Adiós.", "es", translate=False, ends_stream=True))
        await session.end()
        await session.run()
    finally:
        await asyncio.to_thread(engines.close)
        offload.close()
    files, file = [], b""
    for event in events:
        file += event.audio if isinstance(event, Speech) else b""
        if isinstance(event, Speech) and event.text_id is not None and event.last:
            files.append((event.text_id, file))
            file = b""
    assert [text_id for text_id, _ in files] == ["b", "c"]
    assert file == b""
    assert all(data.startswith(b"RIFF") for _, data in files)
    assert not np.frombuffer(files[0][1][-8_000:], "<i2").any(), "a quarter of a second"
    assert sum(isinstance(event, Translated) for event in events) == 3
