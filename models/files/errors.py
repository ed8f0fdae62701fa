"""What can go wrong with the files of models, as one tree.

    ModelFileError
    ├── CatalogueFault     a catalogue of models is wrong
    ├── UnknownModel       nothing has that name: `name`, `nearest`
    ├── BrokenModel        the files of a model are not what they should be: `name`, `reason`
    ├── Offline            a file would have to be pulled, and that is not allowed: `url`
    ├── NoRoom             the disk is too full: `folder`, `needed`, `free`
    └── DownloadFailed     a file cannot be had: `url`, `reason`
        ├── NotPublished   there is no such file
        └── Unreachable    the server does not answer, or not in time

Every message is one line that says what is wrong and what to do.
"""

from pathlib import Path


class ModelFileError(Exception):
    """Base of everything that pulling, checking and moving models raises."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))


class CatalogueFault(ModelFileError):
    """A catalogue of models is wrong; the message names the file and the entry."""


class UnknownModel(ModelFileError):
    """Neither the catalogue nor the folder of models has this name."""

    def __init__(self, name: str, nearest: str = "", where: str = "the catalogue") -> None:
        self.name = name
        self.nearest = nearest
        hint = f"did you mean '{nearest}'?" if nearest else "'dragoman models list --all' shows what there is"
        super().__init__(f"there is no '{name}' in {where}; {hint}")


class BrokenModel(ModelFileError):
    """The files of a model are not what they should be."""

    def __init__(self, name: str, reason: str, remedy: str = "") -> None:
        self.name = name
        self.reason = reason
        super().__init__(f"{name}: {reason}" + (f"; {remedy}" if remedy else ""))


class Offline(ModelFileError):
    """A file would have to be pulled, and the settings or HF_HUB_OFFLINE forbid it."""

    def __init__(self, name: str, file: str, url: str) -> None:
        self.url = url
        super().__init__(
            f"{name} needs {file}, which is not here, and offline is set: pull it on another machine, "
            f"'dragoman models export' it there and 'dragoman models import' it here (it would come from {url})"
        )


class NoRoom(ModelFileError):
    """The disk is too full. All in bytes."""

    def __init__(self, folder: Path, needed: int, free: int) -> None:
        self.folder = folder
        self.needed = needed
        self.free = free
        super().__init__(
            f"{needed / 1e6:,.0f} MB are needed in {folder}, where {free / 1e6:,.0f} MB are free; make room, "
            "or name another folder with DRAGOMAN_MODELS_DIR"
        )


class DownloadFailed(ModelFileError):
    """A file cannot be had."""

    def __init__(self, url: str, reason: str) -> None:
        self.url = url
        self.reason = reason
        super().__init__(f"cannot pull {url}: {reason}")


class NotPublished(DownloadFailed):
    """The server has no such file."""

    def __init__(self, url: str, status: int) -> None:
        super().__init__(
            url,
            f"there is no such file (HTTP {status}); the mirror may lack it (hub_url, argos_url, firefox_url), or a "
            "newer Dragoman knows where it went",
        )


class Unreachable(DownloadFailed):
    """The server does not answer, or asks to wait for too long: other files from it cannot be had either."""
