"""The files of a Piper voice, looked at without loading it.

A voice is a network, `KEY.onnx`, and its description, `KEY.onnx.json`; KEY is like `es_ES-davefx-medium`. They lie in
`piper/KEY/`, or beside other voices in `piper/`. The description's form is that of piper/config.py of Piper 1.6 to
1.8 (https://github.com/OHF-Voice/piper1-gpl).
"""

import json
import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from reprlib import repr  # noqa: A004  (what a file says may be of any length)
from typing import Any, TypeGuard

from dragoman.models.errors import EngineUnavailable
from dragoman.models.files.onnx_file import check_onnx_file

NAME = "piper"

PHONEMIZERS = frozenset({"espeak", "text", "hebrew"})
"""The kinds of phonemes that the installed Piper makes by itself. For pinyin it downloads a model, and for Japanese and
Thai it needs packages of their own."""

_KEY = re.compile(r"[a-z]{2,3}_[A-Z]{2}-[^-/]+-[a-z_]+")
_LANGUAGE = re.compile(r"[a-z]{2}")
_ESPEAK_NAMES = {"cmn": "zh", "nb": "no"}
_MARKS = ("_", "^", "$")  # between phonemes, before the first, behind the last
_QUALITIES = {name: rank for rank, name in enumerate(("medium", "high", "low", "x_low"))}
_SCALES = ("length_scale", "noise_scale", "noise_w")
_MAX_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class PiperVoiceFile:
    """One voice. `config` is its description, for Piper; `speakers` are its speakers' names by number, "" where a
    speaker has none."""

    key: str
    model: Path
    language: str
    country: str
    quality: str
    rate_hz: int
    phonemizer: str
    speakers: tuple[str, ...]
    config: Mapping[str, Any]

    @property
    def length_scale(self) -> float:
        """How slowly it speaks: 1.0 is as its speaker did."""
        return float(self.config.get("inference", {}).get("length_scale", 1.0))

    def speaker(self, wanted: str) -> int | None:
        """The number of a speaker: `wanted` is a number, a name, or empty for the first. None where there is none."""
        if not wanted:
            return 0
        number = int(wanted) if re.fullmatch(r"0|[1-9][0-9]{0,6}", wanted) else len(self.speakers)
        if number < len(self.speakers):
            return number
        return self.speakers.index(wanted) if wanted in self.speakers else None


def installed_voices(folder: Path) -> tuple[list[PiperVoiceFile], list[EngineUnavailable]]:
    """The voices in `folder`, those to prefer first, and what is wrong with those that cannot be used.

    Medium quality comes before the others: `high` takes seven times the processor time, the low ones sound worse.
    """
    voices: dict[str, PiperVoiceFile] = {}
    faults: list[EngineUnavailable] = []
    for model in voice_models(folder):
        try:
            voice = read_voice(model)
        except EngineUnavailable as fault:
            faults.append(fault)
        else:
            voices.setdefault(voice.key, voice)  # its own folder comes first
    preferred = sorted(voices.values(), key=lambda voice: (_QUALITIES.get(voice.quality, len(_QUALITIES)), voice.key))
    return preferred, faults


def voice_models(folder: Path) -> list[Path]:
    """Where the networks of the voices in `folder` are or should be; what begins with a full stop is being pulled."""
    if not folder.is_dir():
        return []
    places = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    models = [_model_in(path) for path in places if path.is_dir()]
    loose = {path.name.removesuffix(".json"): path for path in places if path.name.endswith((".onnx", ".onnx.json"))}
    return models + [path.with_name(name) for name, path in sorted(loose.items()) if not path.is_dir()]


def read_voice(model: Path) -> PiperVoiceFile:
    """Look at the voice whose network is `model`. Raises EngineUnavailable, saying what is wrong with it."""
    key = unicodedata.normalize("NFC", model.name.removesuffix(".onnx"))
    try:
        check_onnx_file(model)
        config = _description(model.with_name(model.name + ".json"))
        speakers = _speakers(config)
        _check_symbols(config)
        _check_scales(config)
        return PiperVoiceFile(
            key=key,
            model=model,
            language=_language(key, config),
            country=_text(config, "language", "country_english"),
            quality=_text(config, "audio", "quality") or key.rpartition("-")[2],
            rate_hz=_rate_hz(config),
            phonemizer=_phonemizer(config),
            speakers=speakers,
            config=config,
        )
    except _Unsupported as error:
        raise broken(key, str(error), "Take another voice: dragoman models list") from error
    except ValueError as error:
        raise broken(key, str(error)) from error


def broken(key: str, reason: str, remedy: str = "") -> EngineUnavailable:
    """The error that says what is wrong with the voice `key`, and what to do."""
    pulled = f"Pull it again: dragoman models pull {key}" if _KEY.fullmatch(key) else "Put a whole voice in its place"
    return EngineUnavailable(f"piper voice {key}", " ".join(reason.split()), remedy or pulled)


class _Unsupported(ValueError):
    """Nothing is wrong with the voice, but it cannot be spoken here."""


def _model_in(folder: Path) -> Path:
    """The network in a voice's folder. Names are compared as people read them: "ã" may be one code point or two."""
    wanted = folder / f"{folder.name}.onnx"
    same = unicodedata.normalize("NFC", wanted.name)
    return next((path for path in folder.glob("*.onnx") if unicodedata.normalize("NFC", path.name) == same), wanted)


def _description(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            config = json.loads(file.read(_MAX_BYTES))
    except FileNotFoundError as error:
        raise ValueError(f"it has no {path.name}") from error
    except OSError as error:
        raise ValueError(f"its {path.name} cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise ValueError(f"its {path.name} is not JSON") from error
    if not isinstance(config, dict) or not isinstance(config.get("audio"), dict):
        raise ValueError(f"its {path.name} does not describe a Piper voice")
    return config


def _rate_hz(config: dict[str, Any]) -> int:
    rate = config["audio"].get("sample_rate")
    if not isinstance(rate, int) or not 8_000 <= rate <= 48_000:
        raise ValueError(f"its sample_rate is {repr(rate)}")
    return rate


def _phonemizer(config: dict[str, Any]) -> str:
    kind = config.get("phoneme_type", "espeak")
    if not isinstance(kind, str) or kind not in PHONEMIZERS:
        known = ", ".join(sorted(PHONEMIZERS))
        raise _Unsupported(f"its phonemes are of the type {repr(kind)}, and here only these can be made: {known}")
    if not _text(config, "espeak", "voice"):
        raise ValueError("it names no voice of espeak")
    return kind


def _speakers(config: dict[str, Any]) -> tuple[str, ...]:
    count, names = config.get("num_speakers"), config.get("speaker_id_map", {})
    if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= 100_000:
        raise ValueError(f"its num_speakers is {repr(count)}")
    if not isinstance(names, dict) or not all(number in range(count) for number in names.values()):
        raise ValueError(f"its speaker_id_map does not fit num_speakers, which is {count}")
    by_number = {number: name for name, number in names.items()}
    return tuple(by_number.get(number, "") for number in range(count))


def _check_symbols(config: dict[str, Any]) -> None:
    symbols, count = config.get("phoneme_id_map"), config.get("num_symbols")
    if not isinstance(symbols, dict) or not all(mark in symbols for mark in _MARKS):
        raise ValueError("it has no phoneme_id_map")
    numbers = [number for numbers in symbols.values() for number in (numbers if isinstance(numbers, list) else [None])]
    if not isinstance(count, int) or not all(isinstance(number, int) and 0 <= number < count for number in numbers):
        raise ValueError(f"its phoneme_id_map does not fit num_symbols, which is {repr(count)}")


def _check_scales(config: dict[str, Any]) -> None:
    scales = config.get("inference", {})
    values = [scales.get(name, 1.0) for name in _SCALES] if isinstance(scales, dict) else [None]
    if not all(_is_number(value) and 0 <= value <= 10 for value in values) or not values[0]:
        raise ValueError(f"its inference settings are {repr(scales)}")


def _language(key: str, config: dict[str, Any]) -> str:
    """As the description says; early ones do not, but their names do, or the voice of espeak."""
    espeak = _text(config, "espeak", "voice").partition("-")[0]
    named = key.partition("_")[0] if _KEY.fullmatch(key) else _ESPEAK_NAMES.get(espeak, espeak)
    language = _text(config, "language", "family") or named
    if not _LANGUAGE.fullmatch(language):
        raise ValueError(f"its language {repr(language)} has no two-letter code")
    return language


def _text(config: dict[str, Any], table: str, name: str) -> str:
    """A text inside a table, empty where either is not there."""
    inner = config.get(table)
    value = inner.get(name) if isinstance(inner, dict) else None
    return value if isinstance(value, str) else ""


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
