"""The folder of model files: what is installed in it, whether it is whole, and how a model gets in and out.

    whisper/small/...                       one folder for each model, by its kind
    firefox/firefox-en_es/...
    argos/translate-en_de/...
    piper/es_ES-davefx-medium/...
    speakers/wespeaker-voxceleb-resnet34-LM/...
    piper/.es_ES-davefx-medium.partial/     being pulled, or interrupted; the next pull goes on there
    piper/.es_ES-davefx-medium.lock         held by the process that pulls, imports or removes it

Nothing is seen under a model's own name before all of it is there and has been checked.
"""

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from dragoman.models.engines.argos.package import read_package
from dragoman.models.engines.firefox.files import fault_of
from dragoman.models.errors import EngineUnavailable
from dragoman.models.files.catalogue import KINDS, Catalogue, Entry, is_name, nearest
from dragoman.models.files.ct2_file import read_model_bin
from dragoman.models.files.errors import BrokenModel, UnknownModel
from dragoman.models.files.manifest import MANIFEST, Manifest, Progress, digests, read_manifest
from dragoman.models.files.onnx_file import check_onnx_file

_WHISPER_FILES = ("model.bin", "config.json", "tokenizer.json")
_VOCABULARIES = ("vocabulary.json", "vocabulary.txt")
_MAX_CONFIG_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class Installed:
    """One model's folder. `fault` says in words what is wrong with it, as far as a quick look shows; empty: nothing.

    Without a `manifest` somebody put it there by hand. `size` is what is on disk, in bytes.
    """

    kind: str
    name: str
    folder: Path
    manifest: Manifest | None
    size: int
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Partial:
    """A model whose pull was interrupted, and how many bytes of it are here."""

    kind: str
    name: str
    size: int


class Store:
    """The models in one folder, which need not exist yet."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def folder(self, kind: str, name: str) -> Path:
        """Where a model is, once it is whole."""
        return self.root / kind / name

    def partial(self, kind: str, name: str) -> Path:
        """Where a model is while it is being pulled."""
        return self.root / kind / f".{name}.partial"

    @contextmanager
    def lock(self, kind: str, name: str, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
        """Hold a model for this process; `waiting` is called once if another has it. Raises OSError."""
        folder = self.root / kind
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / f".{name}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            waiting()
            lock.acquire(poll_interval=0.2)
        try:
            yield
        finally:
            lock.release()

    def installed(self) -> list[Installed]:
        """Every folder that should be a model, by kind and name."""
        found = []
        for kind in KINDS:
            folder = self.root / kind
            if folder.is_dir():
                names = sorted(path.name for path in folder.iterdir() if path.is_dir())
                found += [self._look(kind, name) for name in names if not name.startswith(".")]
        return found

    def find(self, kind: str, name: str) -> Installed | None:
        """One model, or None where it is not installed."""
        return self._look(kind, name) if self.folder(kind, name).is_dir() else None

    def get(self, name: str, catalogue: Catalogue) -> Installed:
        """An installed model by its name or an alias of it. Raises UnknownModel."""
        entry = catalogue.find(name)
        found = self.installed()
        for model in found:
            if model.name == name or (entry is not None and (model.kind, model.name) == (entry.kind, entry.name)):
                return model
        raise UnknownModel(name, nearest(name, [model.name for model in found]), f"the models installed in {self.root}")

    def partials(self) -> list[Partial]:
        """The models whose pull was interrupted, or is running."""
        return [
            Partial(kind, path.name.removeprefix(".").removesuffix(".partial"), _size(path))
            for kind in KINDS
            for path in sorted((self.root / kind).glob(".*.partial"))
        ]

    def remove(self, kind: str, name: str) -> int:
        """Remove a model and what an interrupted pull left of it; gives the bytes that were freed. Raises OSError."""
        with self.lock(kind, name):
            folders = [path for path in (self.folder(kind, name), self.partial(kind, name)) if path.is_dir()]
            freed = sum(_size(path) for path in folders)
            for path in folders:
                shutil.rmtree(path)
        return freed

    def settle(self, new: Path, kind: str, name: str) -> None:
        """Put a whole model from `new`, on the same disk, under its name, in the place of an older one. Raises OSError.

        The caller holds the lock. If it cannot be put there, the older one is still there.
        """
        target = self.folder(kind, name)
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".replaced-") as place:
            older = Path(place) / "old"
            if target.exists():
                target.rename(older)
            try:
                new.rename(target)
            except OSError:
                if older.exists():
                    older.rename(target)
                raise

    def verify(self, model: Installed, entry: Entry | None = None, progress: Progress = lambda _: None) -> list[str]:
        """What is wrong with a model, by reading all of it; nothing where all is well.

        A model without a manifest is compared with the checksums of its `entry` in the catalogue, where it has any.
        """
        if model.fault:
            return [model.fault]
        if model.manifest is not None:
            expected = [(file.path, file.size, "sha256", file.sha256) for file in model.manifest.files]
        else:
            files = entry.files if entry is not None and entry.kind != "argos" else ()
            expected = [
                (file.name, file.size or -1, "sha256" if file.sha256 else "md5", file.sha256 or file.md5)
                for file in files
                if file.sha256 or file.md5
            ]
        faults = []
        for path, size, kind, wanted in expected:
            file = model.folder / path
            if not file.is_file():
                faults.append(f"{path} is missing")
            elif size not in (-1, file.stat().st_size):
                faults.append(f"{path} has {file.stat().st_size:,} bytes instead of {size:,}")
            elif digests(file, [kind], progress)[kind] != wanted:
                faults.append(f"the content of {path} has changed ({kind} differs)")
        return faults

    def _look(self, kind: str, name: str) -> Installed:
        folder = self.folder(kind, name)
        manifest, fault = None, "" if is_name(kind, name) else f"a folder of this name is no {kind} model"
        try:
            manifest = read_manifest(folder)
        except BrokenModel as error:
            fault = fault or error.reason
        try:
            fault = fault or _changed(folder, manifest) or form_fault(kind, folder)
            size = _size(folder)
        except OSError as error:
            size, fault = 0, f"it cannot be read ({error.strerror})"
        return Installed(kind, name, folder, manifest, size, fault)


def form_fault(kind: str, folder: Path, name: str = "") -> str:
    """What keeps a folder from being a model of its kind, at a quick look; an empty text where nothing does.

    `name` is the model's where the folder is called something else for now. Raises OSError.
    """
    if kind == "argos":
        try:
            read_package(folder)
        except EngineUnavailable as error:
            return error.reason
        return ""
    if kind == "firefox":
        return fault_of(folder)
    if kind == "piper":
        return _voice_fault(folder, name or folder.name)
    if kind == "speakers":
        return _speakers_fault(folder)
    for file in _WHISPER_FILES:
        if not (folder / file).is_file():
            return f"it has no {file}"
    if not any((folder / file).is_file() for file in _VOCABULARIES):
        return f"it has no {' or '.join(_VOCABULARIES)}"
    return _network_fault(folder / "model.bin")


def _changed(folder: Path, manifest: Manifest | None) -> str:
    for file in manifest.files if manifest is not None else ():
        path = folder / file.path
        if not path.is_file():
            return f"its {file.path} is missing"
        if path.stat().st_size != file.size:
            return f"its {file.path} has {path.stat().st_size:,} bytes instead of {file.size:,}"
    return ""


def _voice_fault(folder: Path, name: str) -> str:
    network, config = folder / f"{name}.onnx", folder / f"{name}.onnx.json"
    if not network.is_file() or not network.stat().st_size:
        return f"it has no {network.name}"
    if not config.is_file():
        return f"it has no {config.name}, without which a voice cannot be used"
    try:
        with config.open("rb") as file:
            table = json.loads(file.read(_MAX_CONFIG_BYTES))
        rate = table["audio"]["sample_rate"]
    except (ValueError, KeyError, TypeError, RecursionError):
        rate = None
    return "" if isinstance(rate, int) else f"its {config.name} does not describe a Piper voice"


def _speakers_fault(folder: Path) -> str:
    networks = sorted(folder.glob("*.onnx"))
    if len(networks) != 1:
        return f"it has {len(networks) or 'no'} .onnx files, not one"
    try:
        check_onnx_file(networks[0])
    except ValueError as error:
        return str(error)
    return ""


def _network_fault(path: Path) -> str:
    try:
        read_model_bin(path)
    except ValueError as error:
        return f"its {path.name} {error}"
    return ""


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        # A pull in another process may rename or remove files meanwhile.
        with suppress(FileNotFoundError):
            total += path.stat().st_size if path.is_file() and path.name != MANIFEST else 0
    return total
