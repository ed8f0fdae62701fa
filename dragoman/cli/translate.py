"""`dragoman translate`: a file through the same pipeline as a live session, without a server."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from dragoman.cli.options import ConfigFile, EngineSet, console, errors, fail, settings_or_exit


def translate(
    source: Annotated[Path, typer.Argument(metavar="IN", help="A recording, in any format that FFmpeg reads.")],
    to: Annotated[str, typer.Option("--to", "-t", help="Target language, e.g. es.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The translated speech: .wav, .ogg or .opus.")],
    from_: Annotated[str | None, typer.Option("--from", "-f", help="Language of the recording.")] = None,
    voice: Annotated[str | None, typer.Option(help="Voice id or alias; see `dragoman voices`.")] = None,
    srt: Annotated[Path | None, typer.Option(help="Also write subtitles for the recording as SubRip.")] = None,
    vtt: Annotated[Path | None, typer.Option(help="Also write subtitles for the recording as WebVTT.")] = None,
    config: ConfigFile = None,
    engines: EngineSet = None,
) -> None:
    """Translate a recording. Each clause is placed where it was spoken, or right behind the one before."""
    from dragoman.cli.rendition import Rendition, check_output, open_recording
    from dragoman.models.errors import ModelError
    from dragoman.models.loading import load_engines
    from dragoman.pipeline.audio.errors import AudioError

    settings = settings_or_exit(config, {"engines": {"set": engines}})
    loaded = None
    try:
        check_output(out)
        recording = open_recording(source)
        loaded = load_engines(settings)
        plan = loaded.plan(source=from_, target=to, voice_id=voice)
        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
        with Progress(*columns, TimeElapsedColumn(), console=errors) as progress:
            bar: TaskID = progress.add_task(source.name, total=recording.duration_s)
            rendition = Rendition(plan, loaded, settings, lambda done_s: progress.update(bar, completed=done_s))
            asyncio.run(rendition.run(recording))
            progress.update(bar, completed=recording.duration_s)
        rendition.write_audio(out)
        if srt is not None:
            srt.write_text(rendition.subtitles(vtt=False), encoding="utf-8")
        if vtt is not None:
            vtt.write_text(rendition.subtitles(vtt=True), encoding="utf-8")
    except (ModelError, AudioError, OSError, ValueError) as error:
        fail(str(error))
    finally:
        if loaded is not None:
            loaded.close()
    for clause in rendition.clauses:
        console.print(clause.text, highlight=False, markup=False, soft_wrap=True)
