"""What there is to pull for a model: its files, where they are, and all that is known of them beforehand."""

from dataclasses import dataclass, replace

from dragoman.models.files.catalogue import ON_HUB, Entry, RemoteFile
from dragoman.models.files.download import Expected, Watch, size_of
from dragoman.models.files.http import HttpClient
from dragoman.models.files.hub import Published, Sources, published_files


@dataclass(frozen=True, slots=True)
class Job:
    """One file to pull."""

    file: RemoteFile
    url: str
    expected: Expected


def jobs_of(entry: Entry, sources: Sources, client: HttpClient, watch: Watch) -> list[Job]:
    """What to pull, with everything that the catalogue and the hub know of it. Raises DownloadFailed."""
    told: dict[str, Published] = {}
    if entry.kind in ON_HUB and not all(file.sha256 or file.md5 or file.optional for file in entry.files):
        told = published_files(client, sources.listing_url(entry), watch.said)
    jobs = []
    for file in entry.files:
        url = sources.url(entry, file)
        expected = Expected(file.size, file.sha256, file.md5)
        if (known := told.get(file.path)) is not None:
            expected = Expected(file.size or known.size, file.sha256 or known.sha256, file.md5, known.git)
        if expected.size is None and not file.optional:
            expected = replace(expected, size=size_of(client, url, watch))
        jobs.append(Job(file, url, expected))
    return jobs
