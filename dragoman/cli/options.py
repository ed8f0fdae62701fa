"""Options that several commands share, and how a wrong configuration ends a command."""

from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape

from dragoman.config.settings import Settings, SettingsError, load_settings

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


def fail(message: str, code: int = 1) -> NoReturn:
    """End the command with an error message."""
    errors.print(f"[red]error:[/red] {escape(message)}", highlight=False, markup=True, soft_wrap=True)
    raise typer.Exit(code)
