"""Pulling models on the command line and before the server starts: what to pull, said first, and how it goes."""

import errno
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self

from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn

from dragoman.cli.options import console, errors
from dragoman.config.settings import Settings
from dragoman.models.files.catalogue import RECOGNIZER, Catalogue, Entry
from dragoman.models.files.errors import ModelFileError, NoRoom, Offline, Unreachable
from dragoman.models.files.listener import PullListener
from dragoman.models.files.manifest import Manifest
from dragoman.models.files.store import Store

if TYPE_CHECKING:
    from dragoman.models.files.http import HttpClient
    from dragoman.models.files.hub import Sources

Way = Literal["auto", "hub", "packages"]

_STEP = 10  # per cent between two lines where no bar can be drawn
_WORTH_STEPS = 20_000_000  # bytes; less is pulled without such lines


def say(text: str) -> None:
    """One line on standard output, as it is."""
    console.print(text, highlight=False, markup=False, soft_wrap=True)


def warn(text: str) -> None:
    """One line on standard error that is not the end of the command."""
    errors.print(f"[yellow]warning:[/yellow] {escape(text)}", highlight=False, soft_wrap=True)


def complain(text: str) -> None:
    """One line on standard error; the command goes on and ends with exit code 1."""
    errors.print(f"[red]error:[/red] {escape(text)}", highlight=False, soft_wrap=True)


def megabytes(size: int, *, exact: bool = True) -> str:
    """A number of bytes for people; `~` marks an estimate."""
    return f"{'' if exact else '~'}{size / 1e6:,.{0 if size >= 1e7 else 1}f} MB"


def explain(error: OSError, store: Store) -> str:
    """What a failed write or read means, and what to do."""
    place = error.filename or store.root
    if error.errno == errno.ENOSPC:
        return f"{place}: the disk is full; make room and run the same command again, it goes on where it stopped"
    if error.errno in {errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR}:
        return f"{place}: {error.strerror}; models go into {store.root}, name another with DRAGOMAN_MODELS_DIR"
    return f"{place}: {error.strerror or error}"


def languages_in(text: str) -> list[str]:
    """Codes with commas or spaces between them."""
    return list(dict.fromkeys(text.lower().replace(",", " ").split()))


def wanted(
    catalogue: Catalogue, names: Sequence[str], languages: Sequence[str], recognizer: str = RECOGNIZER
) -> list[Entry]:
    """The models of these names, and what these languages need; warns of what the catalogue lacks for them.

    Raises UnknownModel and CatalogueFault.
    """
    entries = [catalogue.get(name) for name in names]
    if languages:
        needs = catalogue.needs(languages, recognizer)
        entries += needs.entries
        for lack in needs.lacking:
            warn(lack)
    return list(dict.fromkeys(entries))


def configured(catalogue: Catalogue, text: str) -> list[Entry]:
    """What the setting `pull` asks for: languages by their two letters, and names. Raises UnknownModel."""
    items = text.replace(",", " ").split()
    languages = [item for item in items if len(item) == 2]
    return wanted(catalogue, [item for item in items if len(item) != 2], languages)


def announce(entries: Sequence[Entry], store: Store) -> None:
    """Say what will be pulled, and how much it is."""
    here = {(model.kind, model.name) for model in store.installed() if not model.fault}
    there = [entry for entry in entries if (entry.kind, entry.name) not in here]
    for entry in entries:
        size = megabytes(entry.size, exact=entry.size_is_exact) if entry in there else "installed"
        say(f"{entry.name:<28} {entry.kind:<8} {entry.serves:<13} {size:>10}  {entry.terms}")
    total = megabytes(sum(entry.size for entry in there), exact=all(entry.size_is_exact for entry in there))
    models = "1 model" if len(there) == 1 else f"{len(there)} models"
    say(f"{models} to pull into {store.root}, {total} in all" if there else "nothing to pull, all of it is installed")


def pull(entries: Sequence[Entry], store: Store, settings: Settings, way: Way = "auto") -> bool:
    """Pull models one after the other and say how it goes; gives whether all of them are there now."""
    from dragoman.models.files.hub import Sources
    from dragoman.models.files.pulling import Puller

    sources = replace(Sources.of(settings), way=way)
    return _one_by_one(
        entries,
        store,
        sources,
        lambda client, listener: Puller(store, sources, client, listener).pull,
        hopeless=(NoRoom, Offline, Unreachable),
    )


def mirror(entries: Sequence[Entry], store: Store, folder: Path, settings: Settings) -> bool:
    """Put the files of models into a folder for a web server, and say how it goes; gives whether all are there."""
    from dragoman.models.files.hub import Sources
    from dragoman.models.files.mirror import Mirror

    def add(writer: Mirror, entry: Entry) -> None:
        fetched = writer.add(entry)
        say(f"{entry.name}: in {folder}" + ("" if fetched else ", nothing had to be pulled"))

    sources = Sources.of(settings)
    return _one_by_one(
        entries, store, sources, lambda client, listener: partial(add, Mirror(folder, store, sources, client, listener))
    )


def _one_by_one(
    entries: Sequence[Entry],
    store: Store,
    sources: "Sources",
    worker: "Callable[[HttpClient, PullListener], Callable[[Entry], object]]",
    hopeless: tuple[type[ModelFileError], ...] = (),
) -> bool:
    """Give each model to what `worker` makes; where one meets what is `hopeless`, the next would meet the same."""
    from dragoman.models.files.http import HttpClient

    done, client = True, HttpClient(hub=sources.hub, token=sources.token)
    try:
        with PullProgress() as listener:
            work = worker(client, listener)
            for entry in entries:
                try:
                    work(entry)
                except ModelFileError as error:
                    complain(str(error))
                    done = False
                    if isinstance(error, hopeless):
                        break
    except OSError as error:
        complain(explain(error, store))
        return False
    finally:
        client.close()
    return done


def pull_at_start(settings: Settings) -> None:
    """Pull what the setting `pull` asks for and is not there. What cannot be had is told, and the server starts."""
    store = Store(settings.models_path)
    try:
        entries = configured(Catalogue.load(store.root), settings.pull)
    except ModelFileError as error:
        complain(f"pull: {error}")
        return
    if any((model := store.find(entry.kind, entry.name)) is None or model.fault for entry in entries):
        announce(entries, store)
        if not pull(entries, store, settings):
            warn("not everything that 'pull' asks for is here; the server starts with what there is")


class PullProgress(PullListener):
    """Bars on a terminal, lines elsewhere."""

    def __init__(self) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
        self._bars = Progress(*columns, console=console) if console.is_terminal else None
        self._task: TaskID | None = None
        self._total = self._have = self._told = 0

    def __enter__(self) -> Self:
        if self._bars is not None:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bars is not None:
            self._bars.stop()

    def begins(self, entry: Entry, total: int, have: int) -> None:
        self._total, self._have, self._told = total, have, 100 * have // max(total, 1)
        if self._bars is not None:
            self._task = self._bars.add_task(entry.name, total=total, completed=have)
        else:
            here = f", {megabytes(have)} of it are here already" if have else ""
            say(f"{entry.name}: pulling {megabytes(total)}{here}")

    def moves(self, entry: Entry, amount: int) -> None:
        self._have += amount
        if self._bars is not None and self._task is not None:
            self._bars.update(self._task, completed=max(self._have, 0))
            return
        per_cent = 100 * self._have // max(self._total, 1)
        if per_cent < self._told:
            self._told = per_cent
        elif self._total >= _WORTH_STEPS and per_cent // _STEP > self._told // _STEP and per_cent < 100:
            self._told = per_cent
            say(f"{entry.name}: {per_cent} %")

    def says(self, entry: Entry, text: str) -> None:
        say(f"{entry.name}: {text}")

    def ends(self, entry: Entry, manifest: Manifest) -> None:
        optional = {file.name for file in entry.files if file.optional}
        unchecked = [path for path in manifest.unchecked if path not in optional]
        said = "verified"
        if unchecked:
            said = f"not verified: no checksum is published for {unchecked[0] if len(unchecked) == 1 else 'its files'}"
        say(f"{entry.name} is installed, {said}")


@contextmanager
def counting(description: str, total: int) -> Iterator["Counter"]:
    """A bar for work that is measured in bytes; none where no bar can be drawn."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as bars:
        yield Counter(bars, bars.add_task(description, total=total))


class Counter:
    """Moves a bar on; call it with a number of bytes."""

    def __init__(self, bars: Progress, task: TaskID) -> None:
        self._bars = bars
        self._task = task

    def __call__(self, amount: int) -> None:
        self._bars.advance(self._task, amount)
