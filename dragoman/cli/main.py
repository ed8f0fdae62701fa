"""`dragoman`: the commands and what they share."""

from typing import Annotated

import typer

from dragoman import __version__
from dragoman.cli import bench, models
from dragoman.cli.inspect import config, voices
from dragoman.cli.install import install
from dragoman.cli.serve import serve
from dragoman.cli.translate import translate

app = typer.Typer(
    name="dragoman",
    help="Self-hosted live speech translation that speaks the wire protocols of commercial services.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"dragoman {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    del version


for command in (serve, translate, voices, install, config):
    app.command()(command)
app.add_typer(models.app, name="models")
app.add_typer(bench.app, name="bench")
