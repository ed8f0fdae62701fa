"""`dragoman voices`, `dragoman models` and `dragoman config`: what is there and what was chosen."""

from typing import Annotated, Any

import typer
from pydantic import SecretStr
from rich.markup import escape
from rich.table import Column, Table

from dragoman.cli.options import ConfigFile, EngineSet, console, loaded_engines, settings_or_exit
from dragoman.models.base import LanguagePair, Voice
from dragoman.models.remedies import for_translation

NAMED = ("en", "fr", "de", "es", "pt")
"""The languages that the catalogue has named voices for."""


def voices(
    config: ConfigFile = None,
    engines: EngineSet = None,
    language: Annotated[str | None, typer.Option("--language", "-l", help="Only voices of this language.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Also the languages beyond the catalogue.")] = False,
) -> None:
    """List the voices that can be asked for."""
    with loaded_engines(config, engines) as loaded:
        table = Table(
            Column("voice_id", no_wrap=True),
            "name",
            "language",
            "gender",
            "engine",
            "description",
            "also called",
            box=None,
        )
        for voice in loaded.voices():
            listed = every or language is not None or voice.language in NAMED
            if listed and language in (None, voice.language):
                table.add_row(*_voice_row(voice))
        console.print(table)


def _voice_row(voice: Voice) -> tuple[str, ...]:
    names = ", ".join(voice.aliases)
    return voice.voice_id, voice.name, voice.language, voice.gender, voice.engine, voice.description, names


def models(config: ConfigFile = None, engines: EngineSet = None) -> None:
    """Show which engine serves which language or pair, and what is missing."""
    with loaded_engines(config, engines) as loaded:
        found = loaded.describe()
    table = Table("stage", "language or pair", "engine", box=None)
    table.add_row("voice activity", "any", found["vad"])
    stages = (("recognise", found["recognise"]), ("translate", found["translate"]), ("speak", found["speak"]))
    for stage, served in stages:
        for engine, what in _by_engine(served).items():
            table.add_row(stage, what, engine)
    console.print(table)
    for reason in found["missing"]:
        console.print(f"[yellow]missing:[/yellow] {escape(reason)}", soft_wrap=True)
    for source in found["recognise"]:
        for target in NAMED:
            if source in NAMED and source != target and f"{source}→{target}" not in found["translate"]:
                pair = LanguagePair(source, target)
                console.print(f"[yellow]missing:[/yellow] {pair}. {escape(for_translation(pair))}", soft_wrap=True)


def config(config: ConfigFile = None) -> None:
    """Show the effective settings; secrets are masked."""
    settings = settings_or_exit(config)
    for line in _lines("", settings.model_dump()):
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def _by_engine(served: dict[str, str]) -> dict[str, str]:
    grouped: dict[str, list[str]] = {}
    for what, engine in served.items():
        grouped.setdefault(engine, []).append(what)
    return {engine: " ".join(what) for engine, what in grouped.items()}


def _lines(prefix: str, table: dict[str, Any]) -> list[str]:
    lines = []
    for name, value in table.items():
        if isinstance(value, dict) and value:
            lines += _lines(f"{prefix}{name}.", value)
        elif isinstance(value, tuple | list):
            shown = ["********" if isinstance(item, SecretStr) else item for item in value]
            lines.append(f"{prefix}{name} = {shown}")
        else:
            lines.append(f"{prefix}{name} = {value!r}")
    return lines
