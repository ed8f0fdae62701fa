"""Options that several commands share, and how a wrong configuration ends a command."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape

from dragoman.config.settings import Settings, SettingsError, load_settings
from dragoman.models.errors import ModelError
from dragoman.models.registry import Engines

console = Console()
errors = Console(stderr=True)

ConfigFile = Annotated[Path | None, typer.Option("--config", "-c", help="TOML file with settings.")]
EngineSet = Annotated[
    str | None, typer.Option("--engines", help="Which engines: auto, embedded, or scripted (for tests of clients).")
]


def settings_or_exit(path: Path | None, overrides: dict[str, Any] | None = None) -> Settings:
    """The effective settings; a wrong one ends the command with a line for each fault and exit code 2."""
    try:
        return load_settings(path, overrides)
    except SettingsError as error:
        fail(str(error), code=2)


@contextmanager
def loaded_engines(path: Path | None, engines: str | None) -> Iterator[Engines]:
    """The engines of the effective settings, closed at the end; exit code 1 where they cannot be loaded."""
    from dragoman.models.loading import load_engines

    settings = settings_or_exit(path, {"engines": {"set": engines}})
    try:
        loaded = load_engines(settings)
    except (ModelError, ValueError) as error:
        fail(str(error))
    try:
        yield loaded
    finally:
        loaded.close()


def fail(message: str, code: int = 1) -> NoReturn:
    """End the command with an error message."""
    errors.print(f"[red]error:[/red] {escape(message)}", highlight=False, markup=True, soft_wrap=True)
    raise typer.Exit(code)
