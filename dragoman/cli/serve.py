"""`dragoman serve`."""

from typing import Annotated

import typer

from dragoman.cli.options import ConfigFile, EngineSet, fail, settings_or_exit
from dragoman.cli.pulling import pull_at_start
from dragoman.config.settings import SettingsError


def serve(
    config: ConfigFile = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="TCP port; 0 takes a free one.")] = None,
    engines: EngineSet = None,
    script: Annotated[
        str | None, typer.Option(help="For --engines scripted: a file with one utterance a line.")
    ] = None,
    log_format: Annotated[str | None, typer.Option(help="text or json.")] = None,
) -> None:
    """Serve until SIGTERM or Ctrl-C, which let running sessions finish first."""
    settings = settings_or_exit(
        config,
        {"host": host, "port": port, "log_format": log_format, "engines": {"set": engines, "script": script}},
    )
    # Imported here so that `dragoman --help` need not wait for a web framework.
    from dragoman.models.loading import load_engines
    from dragoman.server.logs import configure_logging
    from dragoman.server.runner import serve as run

    configure_logging(settings)
    if settings.pull:
        pull_at_start(settings)
    try:
        run(settings, load_engines)
    except SettingsError as error:
        fail(str(error), code=2)
