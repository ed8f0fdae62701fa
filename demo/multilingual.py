"""Four languages become English, and two people talk in two languages: what can be done with Whisper installed.

`make demo-multilingual` pulls its model `base` first. The speech is made by the voices that are installed; who hears,
translates and speaks is said for each language, and depends on what is installed too.
"""

import asyncio
import os
from collections.abc import Mapping

import numpy as np
import soxr

from demo.demo import console, translate, who
from demo.two_people import RATE_HZ, read_packaged, talk
from dragoman.config.settings import load_settings
from dragoman.models.base import SynthesisRequest
from dragoman.models.errors import NoVoice
from dragoman.models.loading import load_engines
from dragoman.testing import RunningServer, running_server

SAID = {
    "es": "El viejo puente sobre el río está cerrado. ¿Me puede decir dónde hay otro camino a la estación?",
    "fr": "Le vieux pont sur la rivière est fermé. Pouvez-vous me dire où il y a un autre chemin vers la gare ?",
    "de": "Die alte Brücke über den Fluss ist gesperrt. Können Sie mir sagen, wie ich sonst zum Bahnhof komme?",
    # Portuguese is spoken by espeak-ng, of whose longer sentences Whisper base understands little.
    "pt": "Bom dia. Muito obrigado pela sua ajuda. Até amanhã.",
}
ANSWERS = (
    "Buenos días. ¿Cómo está usted hoy? Yo estoy muy bien.",
    "Muchas gracias por su ayuda. Hasta mañana.",
)
"""What the Spanish side of the conversation says between the English recordings."""

_PAUSE = bytes(2 * RATE_HZ)


async def _speak(texts: Mapping[str, tuple[str, ...]]) -> dict[str, list[bytes]]:
    """The texts of each language in its default voice, 16-bit at RATE_HZ; without languages that have none."""
    engines = load_engines(load_settings(overrides={"engines": {"set": "embedded"}}))
    found: dict[str, list[bytes]] = {}
    try:
        for language, said in texts.items():
            try:
                voice = engines.default_voice(language)
            except NoVoice as error:
                console.print(str(error))
                continue
            found[language] = []
            for text in said:
                blocks = [block.samples async for block in engines.synthesize(SynthesisRequest(text, voice), "demo")]
                samples = soxr.resample(np.concatenate(blocks), engines.sample_rate_hz(voice), RATE_HZ)
                found[language].append((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    finally:
        engines.close()
    return found


def to_english(server: RunningServer, spoken: Mapping[str, list[bytes]]) -> None:
    """Each language's speech through the server, one after the other."""
    for language, text in SAID.items():
        if language not in spoken:
            continue
        console.print(f"\n[bold]{language}[/bold] ({who(server, language, 'en')}): {text}")
        try:
            asyncio.run(translate(server.url, spoken[language][0] + _PAUSE, RATE_HZ, "en", language))
        except Exception as error:  # noqa: BLE001  (a language that nobody here translates; the others go on)
            console.print(f"[yellow]{error}[/yellow]")


def conversation(server: RunningServer, answers: list[bytes]) -> None:
    """English and Spanish in turns, each translated for the other side."""
    console.print("\n[bold]English and Spanish in turns[/bold]")
    first, second = read_packaged("beckett.wav", 0.0, 3.2), read_packaged("two_cities.wav", 0.0, 5.4)
    talk(server.url, _PAUSE.join([first, answers[0], second, answers[1], b""]), ("en", "es"), 1.0)


def main() -> None:
    """Make the speech, start a server, and hold the talks."""
    texts = {language: (text,) for language, text in SAID.items()}
    spoken = asyncio.run(_speak({**texts, "es": (SAID["es"], *ANSWERS)}))
    kept = {name: os.environ[name] for name in ("DRAGOMAN_MODELS_DIR",) if name in os.environ}
    with running_server("auto", environment=kept) as server:
        to_english(server, spoken)
        if "es" in spoken:
            conversation(server, spoken["es"][1:])


if __name__ == "__main__":
    main()
