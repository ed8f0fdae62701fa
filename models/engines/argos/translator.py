"""Argos packages, run on CTranslate2 and SentencePiece, the two libraries that Argos Translate itself runs on.

The translations are those of Argos Translate for the same sentences: the same tokens, beam of four, length penalty,
replaced unknowns and number of output tokens (its `apply_packaged_translation`); a test asks both. What is meant to
differ:

- Argos Translate finds sentences with a model that it downloads (MiniSBD, Stanza or spaCy), here rules do
  (`sentences.py`).
- A sentence of more than 128 tokens is cut near its middle. There it goes in whole, and what comes out is often lost
  behind some point.
- In a text of several sentences, packages with a target prefix leave it in the text at each sentence but the first
  there; here it never shows.
- Line breaks are blanks here; there each line is translated by itself and the breaks stay. Blanks around a
  translation are removed here; there one in front is.
- Texts of several sessions are one batch. The last digits of its numbers depend on its size, so that of two wordings
  that a model finds equally good now and then the other one comes.
- Several packages for one pair: the newest is used here, the first in the folder there. Codes that Argos made up
  ("pb") are languages here ("pt").
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from dragoman.config.settings import ArgosSettings, default_table
from dragoman.models.base import Batching, LanguagePair
from dragoman.models.devices import Device, choose_compute_type, choose_device
from dragoman.models.engines.argos.model import FAULTS, ArgosModel
from dragoman.models.engines.argos.package import ArgosPackage, broken, read_package
from dragoman.models.errors import EngineFailed, EngineUnavailable, OutOfMemory
from dragoman.models.memory_errors import ran_out_of_memory

KEPT_MODELS = 8
"""So many models stay loaded however seldom they are used (about 100 MB each, on a processor)."""

IDLE_S = 600.0
"""Any further one is let go when it was not used for so long; loading it again takes one or two tenths of a second."""

_log = logging.getLogger(__name__)


def package_folders(folder: Path) -> list[Path]:
    """The folders in `folder` that should be packages; a leading full stop marks one that is being installed."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


class _Place:
    """A package, and its model while it is loaded. `used_s` is on the engine's clock."""

    def __init__(self, package: ArgosPackage) -> None:
        self.package = package
        self.lock = threading.Lock()  # for whoever loads
        self.model: ArgosModel | None = None
        self.used_s = 0.0


class ArgosTranslator:
    """Translates by every Argos package under `folder` (a `Translator`).

    The files of every package are checked at once. Models are loaded at their first text or by `warm`, and let go as
    KEPT_MODELS and IDLE_S say, so that memory follows what is spoken and not what is installed. Of several packages
    for a pair the newest is used. `broken` says what is wrong with those that cannot be, one error each.

    Without `settings` the packaged defaults hold. Raises EngineUnavailable where there is no package at all, or not
    the device or compute type that is asked for.
    """

    name = "argos"
    neural = True

    def __init__(
        self, folder: Path, settings: ArgosSettings | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        chosen = settings or ArgosSettings(**default_table()["engines"]["argos"])
        self.batching = Batching(size=chosen.batch, wait_s=chosen.batch_wait_ms / 1000, workers=chosen.workers)
        self._clock = clock
        self._lock = threading.Lock()  # guards the two below
        self._closed = False
        self._places: dict[LanguagePair, _Place] = {}
        self.broken: tuple[EngineUnavailable, ...] = ()
        folders = package_folders(folder)
        if not folders:
            remedy = "Install one: dragoman models pull NAME, or dragoman install FILE.argosmodel"
            raise EngineUnavailable(self.name, f"there is no Argos package in {folder}", remedy)
        self._chosen = chosen
        self._use(choose_device(chosen.device, self.name))
        for path in folders:
            try:
                self._add(read_package(path))
            except EngineUnavailable as error:
                self.broken += (error,)
        self.pairs = frozenset(self._places)

    @property
    def compute_type(self) -> str:
        """What the loaded models compute with; before one is loaded, what they were asked to."""
        types = {place.model.compute_type for place in self._loaded() if place.model}
        return ", ".join(sorted(types)) or self._compute_type

    @property
    def loaded(self) -> frozenset[LanguagePair]:
        """The pairs whose models are in memory now."""
        return frozenset(place.package.pair for place in self._loaded())

    def translate(self, pair: LanguagePair, texts: Sequence[str]) -> list[str]:
        """One translation per text, in order, without surrounding blanks; blank gives "".

        A text may have any number of sentences. Raises EngineFailed, and OutOfMemory where fewer at once may do.
        """
        try:
            return self._model(pair).translate(texts)
        except EngineUnavailable as error:
            raise EngineFailed(self.name, str(error)) from error
        except FAULTS as error:
            if ran_out_of_memory(error):
                raise OutOfMemory(self.name) from error
            raise EngineFailed(self.name, f"{pair}: {error}") from error

    def warm(self, pairs: Iterable[LanguagePair]) -> None:
        """Load and try the models of `pairs` now, KEPT_MODELS of them at most, those from and to English first.

        One that does not work leaves `pairs` and is told in `broken`. Where the device is left to us ("auto"), a GPU
        that has no room for them, or cannot run what the processor can, is left for the processor, which is logged.
        """
        wanted = sorted(pairs, key=lambda pair: (pair.source != "en", pair.target != "en", pair))[:KEPT_MODELS]
        for pair in wanted:
            try:
                self._try(pair)
            except (OutOfMemory, EngineUnavailable) as error:
                if self._moves_to_processor(pair, error):
                    self.warm(other for other in wanted if other in self._places)
                    return
                if isinstance(error, OutOfMemory):
                    _log.warning("%s; the models of the other pairs are loaded when they are needed", error)
                    break
                self.broken += (error,)
                with self._lock:
                    del self._places[pair]
        self.pairs = frozenset(self._places)

    def close(self) -> None:
        """Free every model; what runs ends first. Idempotent."""
        with self._lock:
            self._closed = True
            places = list(self._places.values())
        for place in places:
            with place.lock:
                place.model = None

    def _use(self, device: Device) -> None:
        """Compute on `device` from now on."""
        self.device = device
        # CTranslate2's own "auto" is what Argos Translate takes.
        self._compute_type = choose_compute_type(self._chosen.compute_type, device, self.name, preferred={})
        for place in self._loaded():
            place.model = None

    def _moves_to_processor(self, pair: LanguagePair, error: Exception) -> bool:
        """Leave the GPU, if that is allowed and mends what is wrong with `pair`."""
        gpu = self.device
        if self._chosen.device != "auto" or gpu.kind == "cpu":
            return False
        try:
            self._use(Device("cpu"))
            self._try(pair)
        except (OutOfMemory, EngineUnavailable):
            self._use(gpu)
            return False
        _log.warning("%s; translating on the processor", error)
        return True

    def _add(self, package: ArgosPackage) -> None:
        other = self._places[package.pair].package if package.pair in self._places else None
        if other is not None and other.rank >= package.rank:
            package, other = other, package
        if other is not None:
            _log.info("argos package %s is not used: %s serves %s", other.folder, package.folder, package.pair)
        self._places[package.pair] = _Place(package)

    def _try(self, pair: LanguagePair) -> None:
        model = self._model(pair)
        try:
            model.translate(["a"])
        except FAULTS as error:
            if ran_out_of_memory(error):
                raise OutOfMemory(self.name) from error
            raise broken(self._places[pair].package.folder, f"it does not work ({error})") from error

    def _model(self, pair: LanguagePair) -> ArgosModel:
        with self._lock:
            place = self._places.get(pair)
        if place is None:
            raise EngineFailed(self.name, f"{pair} is not installed")
        with place.lock:
            if self._closed:
                raise EngineFailed(self.name, "closed")
            place.used_s = self._clock()
            if place.model is None:
                place.model = ArgosModel(
                    place.package,
                    self.device,
                    self._compute_type,
                    threads=self._chosen.threads,
                    workers=self.batching.workers,
                )
                self._let_go()
            return place.model

    def _let_go(self) -> None:
        """Free the models that are too many and idle; a thread that still translates keeps its own until it is done."""
        loaded = sorted(self._loaded(), key=lambda place: place.used_s)
        idle_since_s = self._clock() - IDLE_S
        for place in loaded[: max(0, len(loaded) - KEPT_MODELS)]:
            if place.used_s <= idle_since_s:
                place.model = None
                _log.info("argos: %s was not used for a while and was unloaded", place.package.pair)

    def _loaded(self) -> list[_Place]:
        with self._lock:
            return [place for place in self._places.values() if place.model is not None]
