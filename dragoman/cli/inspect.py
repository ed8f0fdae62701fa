"""`dragoman voices` and `dragoman config`: what is there and what was chosen."""

from typing import Annotated, Any

import typer
from pydantic import SecretStr
from rich.table import Column, Table

from dragoman.cli.models import NAMED
from dragoman.cli.options import ConfigFile, EngineSet, console, loaded_engines, settings_or_exit
from dragoman.models.base import Voice


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


def config(config: ConfigFile = None) -> None:
    """Show the effective settings; secrets are masked."""
    settings = settings_or_exit(config)
    for line in _lines("", settings.model_dump()):
        console.print(line, highlight=False, markup=False, soft_wrap=True)


def _lines(prefix: str, table: dict[str, Any]) -> list[str]:
    lines = []
    for name, value in table.items():
        if isinstance(value, dict) and value:
            lines += _lines(f"{prefix}{name}.", value)
        elif isinstance(value, tuple | list):
            shown = ["********" if isinstance(item, SecretStr) else item for item in value]
            lines.append(f"{prefix}{name} = {shown}")
        else:
            # A secret's text is asterisks, or empty as it is itself.
            lines.append(f"{prefix}{name} = {(str(value) if isinstance(value, SecretStr) else value)!r}")
    return lines
