"""Models on the screen: the table of what there is and what is installed, and in words how a model is."""

from collections.abc import Callable

from rich.table import Column, Table

from dragoman.cli.options import console
from dragoman.cli.pulling import megabytes
from dragoman.models.files.catalogue import Catalogue, Entry
from dragoman.models.files.store import Installed, Partial, Store

Shown = Callable[[Entry, bool], bool]
"""Whether an entry of the catalogue is shown; told whether it is installed, or begun to be pulled."""


def show_models(catalogue: Catalogue, store: Store, shown: Shown) -> int:
    """Print the models of the catalogue and of the store that are to be shown; gives how many of them were not."""
    installed = {(model.kind, model.name): model for model in store.installed()}
    begun = {(part.kind, part.name): part for part in store.partials()}
    table = Table(
        Column("name", no_wrap=True),
        "engine",
        Column("languages", no_wrap=True),
        Column("size", justify="right", no_wrap=True),
        "licence",
        Column("installed", overflow="fold"),
        "note",
        box=None,
    )
    hidden = 0
    for entry in catalogue:
        key = entry.kind, entry.name
        model, part = installed.pop(key, None), begun.pop(key, None)
        if not shown(entry, model is not None or part is not None):
            hidden += 1
            continue
        size = megabytes(entry.size, exact=entry.size_is_exact)
        state = _state(model, entry) if model is not None else f"begun, {megabytes(part.size)}" if part else ""
        table.add_row(entry.name, entry.kind, entry.serves, size, entry.terms, state, _note(entry))
    for model in installed.values():
        licence = model.manifest.licence if model.manifest is not None else "unknown"
        if shown(_stranger(model), True):
            table.add_row(model.name, model.kind, "?", megabytes(model.size), licence, _state(model, None), "")
    if table.row_count:
        console.print(table, highlight=False)
    else:
        text = f"no such models are installed in {store.root}; 'dragoman models list' shows what can be pulled"
        console.print(text, highlight=False, markup=False, soft_wrap=True)
    return hidden


def verdict(model: Installed, entry: Entry | None) -> str:
    """What `dragoman models verify` says of a model with which nothing is wrong."""
    if model.manifest is None:
        known = entry is not None and any(file.sha256 or file.md5 for file in entry.files) and model.kind != "argos"
        return (
            "as the catalogue says; it has no manifest"
            if known
            else "installed by hand, so there is nothing to compare"
        )
    if is_verified(model, entry):
        return "as it was published"
    return "as it came; no checksum was published then"


def is_verified(model: Installed, entry: Entry | None) -> bool:
    """Whether its files were compared with published checksums when they came."""
    if model.manifest is None:
        return False
    optional = {file.name for file in entry.files if file.optional} if entry is not None else set()
    return not set(model.manifest.unchecked) - optional


def mend(name: str, entry: Entry | None) -> str:
    """What to do about a model with which something is wrong."""
    remove = f"dragoman models rm {name}"
    return f"'{remove}' and 'dragoman models pull {entry.name}'" if entry is not None else f"'{remove}' removes it"


def resume(part: Partial) -> str:
    """What to do about a model that was begun to be pulled."""
    return (
        f"{megabytes(part.size)} are here; 'dragoman models pull {part.name}' goes on, "
        f"'dragoman models rm {part.name}' throws it away"
    )


def _state(model: Installed, entry: Entry | None) -> str:
    if model.fault:
        return f"broken: {model.fault}"
    return "yes" if is_verified(model, entry) else "yes, not verified"


def _note(entry: Entry) -> str:
    speakers = f"{entry.speakers} speakers" if entry.speakers > 1 else ""
    return "; ".join(part for part in (speakers, entry.note) if part)


def _stranger(model: Installed) -> Entry:
    return Entry(model.name, model.kind, (), "", ())
