"""Who is told how the pulling of models goes."""

from dragoman.models.files.catalogue import Entry
from dragoman.models.files.manifest import Manifest


class PullListener:
    """Whom a pull tells how it goes. This one does not care."""

    def begins(self, entry: Entry, total: int, have: int) -> None:
        """`have` of `total` bytes are here already."""

    def moves(self, entry: Entry, amount: int) -> None:
        """So many bytes more are here; less than none when a file is begun again."""

    def says(self, entry: Entry, text: str) -> None:
        """Something else happened: waiting, trying again."""

    def ends(self, entry: Entry, manifest: Manifest) -> None:
        """The model is there."""
