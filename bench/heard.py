"""How well voices are understood: each says the same sentences, a recogniser writes them down, the errors are counted.

`make voices-heard`, or `python -m bench.heard --help`. Whisper hears every language where a model of it is installed;
else Moonshine hears English, and the other languages are left out. What it shows is the order of the voices: the
recogniser's own errors are in every figure.
"""

import argparse
import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from os import getpid

import numpy as np
import soxr
from rich.console import Console

from bench.heard_texts import SENTENCES
from dragoman.bench.processes import family_cpu_s
from dragoman.bench.quality import word_errors
from dragoman.bench.report import Grid
from dragoman.bench.units import WORD
from dragoman.config.settings import load_settings
from dragoman.models.base import SAMPLE_RATE_HZ, RecognitionRequest, Samples, SynthesisRequest, Voice
from dragoman.models.errors import ModelError
from dragoman.models.loading import load_engines
from dragoman.models.plan import Plan
from dragoman.models.registry import Engines

SESSION = "heard"
PASSAGE_S = 16.0
"""A passage ends with the sentence that makes it longer: recognisers hear 30 s at most."""

_PAD = np.zeros(SAMPLE_RATE_HZ // 2, np.float32)  # around each sentence, as in speech


@dataclass(frozen=True, slots=True)
class Heard:
    """What was heard of one voice: errors and words over all sentences, seconds of sound and of processor time."""

    voice: Voice
    recognizer: str
    errors: int
    words: int
    sound_s: float
    cpu_s: float
    texts: tuple[str, ...] = ()

    @property
    def wer(self) -> float:
        """Word error rate in percent."""
        return 100 * self.errors / max(self.words, 1)


def grid(found: Sequence[Heard]) -> Grid:
    """The table, best voice of each language first."""
    rows = [
        [
            one.voice.language,
            f"{one.voice.engine} {one.voice.engine_voice}",
            one.voice.gender,
            f"{one.wer:.1f}",
            f"{one.cpu_s / max(one.sound_s, 0.1):.3f}",
            f"{60 * one.words / max(one.sound_s, 0.1):.0f}",
        ]
        for one in sorted(found, key=lambda one: (one.voice.language, one.wer, one.voice.engine))
    ]
    heard = ", ".join(sorted({one.recognizer for one in found})) or "nobody"
    note = f"Heard by {heard}; {len(SENTENCES['en'])} sentences."
    columns = ("language", "voice", "gender", "WER %", "processor s / s", "words / minute")
    return Grid("Voices, heard back", columns, rows, note)


def named_voices(named: Sequence[str]) -> list[Voice]:
    """Voices that need not be in any catalogue, from `ENGINE:LANGUAGE:ENGINE_VOICE`."""
    return [Voice(name, name, *_parts(name), "neutral") for name in named]


def _parts(name: str) -> tuple[str, str, str]:
    engine, language, voice = name.split(":", 2)
    return language, engine, voice


async def listen(engines: Engines, plan: Plan, voice: Voice) -> Heard:
    """Let one voice speak and hear it, a passage of sentences at a time. Raises ModelError."""
    errors = words = 0
    sound_s = cpu_s = 0.0
    texts = []
    passage: list[Samples] = [_PAD]
    wanted: list[str] = []
    for sentence in SENTENCES[voice.language]:
        began_s = family_cpu_s(getpid())
        samples = await _speak(engines, sentence, voice)
        cpu_s += family_cpu_s(getpid()) - began_s
        rate_hz = engines.sample_rate_hz(voice)
        sound_s += samples.size / rate_hz
        passage += [soxr.resample(samples, rate_hz, SAMPLE_RATE_HZ), _PAD]
        wanted.append(sentence)
        if sum(part.size for part in passage) > PASSAGE_S * SAMPLE_RATE_HZ or sentence == SENTENCES[voice.language][-1]:
            request = RecognitionRequest(np.concatenate(passage), voice.language)
            said = (await engines.recognize(plan, request, SESSION)).text
            wrong, length = word_errors(said, " ".join(wanted), WORD)
            errors, words = errors + wrong, words + length
            texts.append(said)
            passage, wanted = [_PAD], []
    return Heard(voice, plan.recognizer, errors, words, sound_s, cpu_s, tuple(texts))


async def _speak(engines: Engines, sentence: str, voice: Voice) -> Samples:
    blocks = [block.samples async for block in engines.synthesize(SynthesisRequest(sentence, voice), SESSION)]
    return np.concatenate([np.empty(0, np.float32), *blocks])


async def _all(engines: Engines, voices: Sequence[Voice], console: Console) -> list[Heard]:
    found = []
    plans: dict[str, Plan | None] = {}
    for voice in voices:
        language = voice.language
        if language not in plans:
            plans[language] = (
                engines.plan(source=language, targets=()) if language in engines.source_languages else None
            )
            if plans[language] is None:
                console.print(f"nothing here hears '{language}': its voices are left out", soft_wrap=True)
        plan = plans[language]
        if plan is not None:
            try:
                found.append(await listen(engines, plan, voice))
                console.print(f"{voice.language} {voice.engine} {voice.engine_voice}: {found[-1].wer:.1f} %")
            except ModelError as error:
                console.print(f"{voice.engine} {voice.engine_voice}: {error}", soft_wrap=True)
    return found


def _wanted(engines: Engines, chosen: argparse.Namespace) -> Iterator[Voice]:
    for voice in named_voices(chosen.voice) or engines.voices():
        if voice.language in SENTENCES and voice.language in (chosen.language or voice.language).split(","):
            yield voice


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what was asked for and print the table."""
    parser = argparse.ArgumentParser("python -m bench.heard", description="Measure voices by recognising them back.")
    parser.add_argument("--language", default="", help="only these, with commas: " + ",".join(SENTENCES))
    parser.add_argument("--voice", nargs="+", default=[], help="these instead of all: ENGINE:LANGUAGE:ENGINE_VOICE")
    parser.add_argument("--texts", action="store_true", help="print what was heard, too")
    chosen = parser.parse_args(arguments)
    console = Console(highlight=False)
    engines = load_engines(load_settings())
    try:
        found = asyncio.run(_all(engines, list(_wanted(engines, chosen)), console))
    finally:
        engines.close()
    grid(found).show(console)
    for one in found if chosen.texts else ():
        for text in one.texts:
            console.print(f"{one.voice.engine_voice}: {text}", markup=False, soft_wrap=True)


if __name__ == "__main__":
    main()
