"""A folder that any web server can serve to others in the place of the hub, of Argos and of Mozilla's service.

Each file lies under the path that it has there (`Sources.place`), so that one address stands for all three:

    Systran/faster-whisper-small/resolve/<revision>/model.bin
    v1/translate-en_de-1_3.argosmodel
    main-workspace/translations-models/<number>.bin
"""

import os
import shutil
from contextlib import suppress
from functools import partial
from pathlib import Path
from urllib.parse import unquote

from dragoman.models.files.catalogue import Entry
from dragoman.models.files.download import Watch, download
from dragoman.models.files.errors import NotPublished, Offline
from dragoman.models.files.http import HttpClient
from dragoman.models.files.hub import Sources
from dragoman.models.files.jobs import Job, jobs_of
from dragoman.models.files.listener import PullListener
from dragoman.models.files.store import Store

PART = ".part"


class Mirror:
    """Adds models to a folder, one after the other. What is installed is taken from there, if its sum is right."""

    def __init__(
        self, folder: Path, store: Store, sources: Sources, client: HttpClient, listener: PullListener | None = None
    ) -> None:
        self._folder = folder
        self._store = store
        self._sources = sources
        self._client = client
        self._listener = listener or PullListener()

    def add(self, entry: Entry) -> bool:
        """Put every file of a model there, checked; gives whether anything had to be pulled.

        Raises ModelFileError, and OSError where something cannot be written; what is there by then is gone on with.
        """
        watch = Watch(moved=partial(self._listener.moves, entry), said=partial(self._listener.says, entry))
        self._listener.begins(entry, entry.size, 0)
        fetched = False
        for job in jobs_of(entry, self._sources, self._client, watch):
            target = self._folder / unquote(self._sources.place(entry, job.file))
            target.parent.mkdir(parents=True, exist_ok=True)
            here = self._begin(entry, job, target)
            if not here and self._sources.offline:
                raise Offline(entry.name, job.file.name, job.url)
            try:
                download(self._client, job.url, target, job.expected, watch)  # only checks what is here whole
            except NotPublished:
                if not job.file.optional:
                    raise
            fetched = fetched or not here
        return fetched

    def _begin(self, entry: Entry, job: Job, target: Path) -> bool:
        """Put what is here of a file where a pull goes on with it; gives whether that is all of it."""
        size, part = job.expected.size, target.with_name(target.name + PART)
        if target.is_file():
            target.replace(part)
        elif not part.exists():
            with suppress(FileNotFoundError):
                installed = self._store.folder(entry.kind, entry.name) / job.file.name
                if installed.stat().st_size == size and job.expected.has_sum:
                    _take(installed, part)
        return job.expected.has_sum and part.is_file() and part.stat().st_size == size


def _take(file: Path, to: Path) -> None:
    """The same file under another name where both lie on one disk, else a copy."""
    try:
        os.link(file, to)
    except OSError:
        shutil.copyfile(file, to)
