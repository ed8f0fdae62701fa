"""Piper behind the registry, as sessions meet it: several at once, block by block, stopped in the middle."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from dragoman.models.base import Samples, SynthesisRequest, Synthesizer
from dragoman.models.engines.espeak.synthesizer import EspeakSynthesizer
from dragoman.models.engines.piper.listing import piper_voices
from dragoman.models.engines.piper.synthesizer import PiperSynthesizer
from dragoman.models.errors import EngineFailed, NoVoice, UnknownVoice
from dragoman.models.registry import Engines
from dragoman.models.voices import VoiceCatalogue, espeak_voices
from tests.fakes.engines import FakeDetector, FakeRecognizer
from tests.fakes.piper_voice import KEY, RATE_HZ, in_language, speaker_hz, write_voice
from tests.models.engines.piper.test_synthesizer import engine, gate, pitch_hz
from tests.waiting import until_async

SPANISH = "es_ES-duo-medium"
THREE = "One. Two. Three."


def write_voices(folder: Path) -> None:
    write_voice(folder)
    write_voice(folder, SPANISH, speakers={"M": 0, "F": 1}, **in_language("es_ES", "es"))


@asynccontextmanager
async def served(folder: Path, spoken: PiperSynthesizer, *others: Synthesizer) -> AsyncIterator[Engines]:
    """A registry with these synthesizers and the catalogue that a server would have."""
    languages = [code for other in others for code in other.languages]
    engines = Engines(
        name="piper",
        detector=FakeDetector(),
        recognizers=[FakeRecognizer(lambda request: "hello")],
        translators=[],
        synthesizers=[spoken, *others],
        catalogue=VoiceCatalogue.load(more=espeak_voices(languages), installed=piper_voices(folder)),
    )
    try:
        yield engines
    finally:
        await asyncio.to_thread(engines.close)


async def said(
    engines: Engines, name: str, text: str = THREE, tempo: float = 1.0, session_id: str = "s"
) -> list[Samples]:
    request = SynthesisRequest(text, engines.catalogue.get(name), tempo)
    return [block.samples async for block in engines.synthesize(request, session_id)]


async def test_sessions_speak_at_once_each_with_its_own_voice(tmp_path: Path) -> None:
    write_voices(tmp_path)
    async with served(tmp_path, engine(tmp_path, workers=3)) as engines:
        wanted = {KEY: 0, f"{SPANISH}#M": 0, f"{SPANISH}#1": 1}
        alone = {name: [block.size for block in await said(engines, name)] for name in wanted}
        assert all(len(sizes) == 3 for sizes in alone.values())

        async def session(number: int) -> None:
            name = list(wanted)[number % 3]
            for _ in range(4):
                blocks = await said(engines, name, session_id=f"s{number}")
                assert [block.size for block in blocks] == alone[name]
                assert pitch_hz(np.concatenate(blocks)) == pytest.approx(speaker_hz(wanted[name]), abs=15)

        await asyncio.gather(*(session(number) for number in range(9)))


async def test_the_first_block_is_there_before_the_last_is_made(tmp_path: Path) -> None:
    write_voices(tmp_path)
    spoken = engine(tmp_path, workers=1)
    session = gate(spoken, gated=3)
    async with served(tmp_path, spoken) as engines:
        speech = engines.synthesize(SynthesisRequest(THREE, engines.catalogue.get(KEY)), "s")
        first = await anext(speech)
        assert not first.last
        assert session.runs in (2, 3)  # and the third waits at the gate
        session.gate.set()
        assert [block.last async for block in speech] == [False, True]


async def test_a_session_that_goes_stops_its_clause_and_no_other(tmp_path: Path) -> None:
    write_voices(tmp_path)
    spoken = engine(tmp_path, workers=1)
    session = gate(spoken, gated=3)
    async with served(tmp_path, spoken) as engines:
        leaving = engines.synthesize(SynthesisRequest(THREE + " Four. Five. Six.", engines.catalogue.get(KEY)), "gone")
        await anext(leaving)
        await until_async(lambda: session.runs == 3)
        await leaving.aclose()
        staying = asyncio.create_task(said(engines, KEY, session_id="here"))
        session.gate.set()
        assert len(await staying) == 3
        assert session.runs == 6  # three of the six sentences, and these


async def test_two_clauses_of_one_voice_are_computed_at_the_same_time(tmp_path: Path) -> None:
    write_voices(tmp_path)
    spoken = engine(tmp_path, workers=2)
    session = gate(spoken, gated=1)
    async with served(tmp_path, spoken) as engines:
        tasks = [asyncio.create_task(said(engines, KEY, "One.", session_id=f"s{number}")) for number in range(3)]
        await until_async(lambda: session.most_at_once == 2)
        session.gate.set()
        assert [len(blocks) for blocks in await asyncio.gather(*tasks)] == [1, 1, 1]
        assert session.most_at_once == 2


async def test_tempo_reaches_the_voice(tmp_path: Path) -> None:
    write_voices(tmp_path)
    async with served(tmp_path, engine(tmp_path)) as engines:
        normal, quick = [sum(map(len, await said(engines, KEY, tempo=tempo))) for tempo in (1.0, 2.0)]
    assert quick == pytest.approx(normal / 2, rel=0.02)


async def test_a_failing_clause_reaches_its_own_session_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_voices(tmp_path)
    spoken = engine(tmp_path, workers=2)
    loaded = spoken._load(spoken._places[KEY])
    real = loaded.speak

    def speak(sentence: list[int], speaker: int, tempo: float) -> Samples:
        if tempo == 1.5:
            raise RuntimeError("broken on this one")
        return real(sentence, speaker, tempo)

    monkeypatch.setattr(loaded, "speak", speak)
    async with served(tmp_path, spoken) as engines:
        results = await asyncio.gather(
            *(said(engines, KEY, tempo=tempo, session_id=f"s{tempo}") for tempo in (1.0, 1.5, 2.0)),
            return_exceptions=True,
        )
    kinds = [type(result) for result in results]
    assert kinds == [list, EngineFailed, list]
    assert "broken on this one" in str(results[1])


async def test_a_broken_voice_is_not_offered_and_the_others_speak(tmp_path: Path) -> None:
    write_voices(tmp_path)
    write_voice(tmp_path, "de_DE-bad-medium", speakers=2, onnx_file=b"\x08\x08\x3a\x00", **in_language("de_DE", "de"))
    spoken = engine(tmp_path)
    async with served(tmp_path, spoken) as engines:
        assert {voice.language for voice in engines.voices()} == {"en", "es", "de"}
        spoken.warm(["de", "en"])
        assert {voice.language for voice in engines.voices()} == {"en", "es"}
        assert engines.describe()["speak"] == {"en": "piper", "es": "piper"}
        with pytest.raises(NoVoice):
            engines.default_voice("de")
        assert engines.default_voice("en").engine_voice == KEY
        assert len(await said(engines, SPANISH)) == 3


async def test_named_voices_are_offered_when_they_are_installed(tmp_path: Path) -> None:
    write_voice(tmp_path, "es_ES-sharvard-medium", speakers={"M": 0, "F": 1}, **in_language("es_ES", "es"))
    async with served(tmp_path, engine(tmp_path)) as engines:
        assert [voice.voice_id for voice in engines.voices()] == ["es-sharvf-piper1", "es-sharvm-piper1"]
        assert engines.default_voice("es").gender == "female"
        (samples,) = await said(engines, "es-sharvf-piper1", "Hola.")
        assert pitch_hz(samples) == pytest.approx(speaker_hz(1), abs=15)
        assert engines.sample_rate_hz(engines.default_voice("es")) == RATE_HZ
        with pytest.raises(UnknownVoice):
            engines.catalogue.get("es_ES-nobody-medium")


@pytest.mark.embedded
async def test_piper_goes_before_espeak_where_it_has_the_language(tmp_path: Path) -> None:
    write_voices(tmp_path)
    async with served(tmp_path, engine(tmp_path), EspeakSynthesizer()) as engines:
        assert engines.default_voice("es").engine_voice == f"{SPANISH}#0"
        assert engines.default_voice("fr").engine == "espeak"
        assert (engines.describe()["speak"]["en"], engines.describe()["speak"]["it"]) == ("piper", "espeak")
        both = [said(engines, name, session_id=name) for name in (KEY, "es-lucia-espeak1", SPANISH, "de-clara-espeak1")]
        assert [len(blocks) for blocks in await asyncio.gather(*both)] == [3, 1, 3, 1]


async def test_closing_the_registry_frees_the_voices(tmp_path: Path) -> None:
    write_voices(tmp_path)
    spoken = engine(tmp_path)
    async with served(tmp_path, spoken) as engines:
        await said(engines, KEY)
        assert spoken.loaded == {KEY}
    assert spoken.loaded == frozenset()
