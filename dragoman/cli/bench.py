"""`dragoman bench`: measure a running server as its clients see it; the work is done in `dragoman/bench/`."""

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from dragoman.cli.options import console, fail

REMEDY = "run `pip install 'dragoman[bench]'`"
RUN = "run"


class _RunsWithoutAsking(TyperGroup):
    """`dragoman bench URL` is `dragoman bench run URL`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = [RUN, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_RunsWithoutAsking,
    no_args_is_help=True,
    help="Measure a running server: `dragoman bench URL`. Compare two runs: `dragoman bench compare A.json B.json`.",
)


@app.command(RUN)
def run(
    url: Annotated[str, typer.Argument(metavar="URL", help="The server, e.g. http://127.0.0.1:8000.")],
    audio: Annotated[
        list[Path] | None, typer.Option(help="A recording, any format; may be repeated. Default: the packaged ones.")
    ] = None,
    target: Annotated[str, typer.Option("--target", "-t", help="Target language.")] = "es",
    source: Annotated[str, typer.Option(help="Language of the recordings. Default: the server finds out.")] = "",
    latency: Annotated[str, typer.Option(help="low, balanced or quality. Default: as the server is set.")] = "",
    voice: Annotated[str, typer.Option(help="Voice id or alias.")] = "",
    key: Annotated[str, typer.Option(help="API key.", envvar="DRAGOMAN_BENCH_KEY")] = "bench",
    sessions: Annotated[str, typer.Option(help="Sessions at once, one step for each number: 1,4,8.")] = "1",
    minutes: Annotated[float, typer.Option(min=0.0, help="Repeat the recordings until a talk is so long.")] = 0.0,
    pid: Annotated[
        int | None, typer.Option(help="The server's process, where it runs here: for processor time and memory.")
    ] = None,
    offline: Annotated[
        bool, typer.Option("--offline/--no-offline", help="Also send the talk at once, to compare with.")
    ] = True,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the results.")] = Path("dragoman-bench"),
) -> None:
    """Measure the server at URL through its Gradium socket, at the speed of speech."""
    try:
        import psutil

        from dragoman.bench.client import SessionFailed, Wish, endpoint_of
        from dragoman.bench.machine import About
        from dragoman.bench.recordings import read_all
        from dragoman.bench.run import Order, measure
        from dragoman.bench.talk import packaged_recordings
    except ModuleNotFoundError as error:
        fail(f"{error.name} is not installed: {REMEDY}")
    asked = {"target": target, "source": source, "latency": latency, "voice": voice, "sessions": sessions}
    asked |= {"minutes": f"{minutes:g}" if minutes else "", "offline": "" if offline else "no"}
    try:
        endpoint_of(url)
        sizes = _sizes(sessions)
        paths = audio or packaged_recordings()
        wish = Wish(target, source, latency, voice, key)
        about = About.here(
            [path.name for path in paths], [url, *(f"{name}={text}" for name, text in asked.items() if text)]
        )
        order = Order(url, read_all(paths), wish, sizes, minutes, pid, offline)
        measured = asyncio.run(measure(order, console.print))
        for section in measured.sections():
            for grid in section.grids:
                grid.show(console)
        path = measured.write(out, about)
    except (SessionFailed, ValueError, OSError, psutil.Error) as error:
        fail(str(error))
    console.print(f"wrote {path} and what lies beside it", highlight=False, soft_wrap=True)


@app.command()
def compare(
    first: Annotated[Path, typer.Argument(metavar="A.json", help="The figures of a run.")],
    second: Annotated[Path, typer.Argument(metavar="B.json", help="Those of another one.")],
) -> None:
    """Show the figures of two runs and their ratios."""
    try:
        from dragoman.bench.compare import compare as show
    except ModuleNotFoundError as error:
        fail(f"{error.name} is not installed: {REMEDY}")
    try:
        show(first, second, console)
    except (OSError, ValueError) as error:
        fail(str(error))


def _sizes(text: str) -> tuple[int, ...]:
    """The numbers of sessions. Raises ValueError."""
    try:
        sizes = tuple(int(part) for part in text.split(","))
    except ValueError:
        sizes = ()
    if not sizes or min(sizes) < 1 or len(set(sizes)) < len(sizes):
        raise ValueError(f"--sessions must be numbers of sessions like 1,4,8, not '{text}'")
    return sizes
