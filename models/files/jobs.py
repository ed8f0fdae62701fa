"""What there is to pull for a model: its files, where they are, and all that is known of them beforehand."""

from dataclasses import dataclass

from dragoman.models.files.catalogue import ON_HUB, Entry, RemoteFile
from dragoman.models.files.download import Expected, Watch, published
from dragoman.models.files.http import HttpClient
from dragoman.models.files.hub import Sources


@dataclass(frozen=True, slots=True)
class Job:
    """One file to pull."""

    file: RemoteFile
    url: str
    expected: Expected


def jobs_of(entry: Entry, sources: Sources, client: HttpClient, watch: Watch) -> list[Job]:
    """What to pull, with everything that the catalogue and the hub know of it. Raises DownloadFailed."""
    jobs = []
    for file in entry.files:
        url = sources.url(entry, file)
        expected = Expected(file.size, file.sha256, file.md5)
        if not file.optional and (file.size is None or (entry.kind in ON_HUB and not expected.has_sum)):
            told = published(client, url, watch)
            expected = Expected(file.size or told.size, file.sha256 or told.sha256, file.md5, told.git)
        jobs.append(Job(file, url, expected))
    return jobs
