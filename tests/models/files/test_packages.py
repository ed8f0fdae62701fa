"""Installing packages: what is unpacked, what is refused, and what a refusal leaves behind."""

import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from dragoman.models.base import LanguagePair
from dragoman.models.engines.argos.package import read_package
from dragoman.models.engines.argos.translator import ArgosTranslator
from dragoman.models.files import packages
from dragoman.models.files.packages import install_argos, remove_argos
from tests.fakes.argos import argosmodel, package_files

EN_DE = LanguagePair("en", "de")


def contents(folder: Path) -> set[str]:
    """What lies directly in a folder, hidden things too."""
    return {path.name for path in folder.iterdir()} if folder.exists() else set()


@pytest.mark.parametrize("root", ["en_de/", "translate-en_de-1_0/", ""])
def test_an_installed_package_works(tmp_path: Path, root: str) -> None:
    folder = tmp_path / "models" / "argos"
    assert install_argos(argosmodel(tmp_path / "any name.zip", root=root), folder) == "translate-en_de"
    assert contents(folder) == {"translate-en_de"}
    translator = ArgosTranslator(folder)
    assert translator.translate(EN_DE, ["ever tried"])[0]
    translator.close()


def test_folders_as_members_and_files_beside_the_package(tmp_path: Path) -> None:
    file = argosmodel(tmp_path / "a.argosmodel")
    with zipfile.ZipFile(file, "a") as archive:
        archive.mkdir("en_de/stanza")
        archive.writestr("__MACOSX/x", b"")
    install_argos(file, tmp_path / "argos")
    installed = tmp_path / "argos" / "translate-en_de"
    assert contents(installed) == {"metadata.json", "README.md", "model", "sentencepiece.model", "stanza"}


def test_another_version_takes_the_place_of_the_first(tmp_path: Path) -> None:
    folder = tmp_path / "argos"
    old = {**package_files(package_version="1.0"), "left.txt": b"behind"}
    install_argos(argosmodel(tmp_path / "old.argosmodel", old), folder)
    install_argos(argosmodel(tmp_path / "new.argosmodel", package_files(package_version="1.9")), folder)
    assert contents(folder) == {"translate-en_de"}
    assert read_package(folder / "translate-en_de").version == "1.9"
    assert "left.txt" not in contents(folder / "translate-en_de")


def link(path: Path) -> None:
    with zipfile.ZipFile(argosmodel(path), "a") as archive:
        member = zipfile.ZipInfo("en_de/link")
        member.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(member, "/etc/passwd")


def named(name: str) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        with zipfile.ZipFile(argosmodel(path), "a") as archive:
            archive.writestr(name, b"x")

    return make


def without(name: str) -> Callable[[Path], None]:
    return lambda path: void(argosmodel(path, {k: v for k, v in package_files().items() if k != name}))


def void(_: object) -> None:
    """Forget what was made."""


def cut(path: Path) -> None:
    path.write_bytes(argosmodel(path).read_bytes()[:-5000])


def flipped(path: Path) -> None:
    data = bytearray(argosmodel(path).read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(bytes(data))


def encrypted(path: Path) -> None:
    data = argosmodel(path).read_bytes()
    # Bit 0 of the flags of the first entry of the central directory.
    at = data.index(b"PK\x01\x02") + 8
    path.write_bytes(data[:at] + bytes([data[at] | 1]) + data[at + 1 :])


def text(path: Path) -> None:
    path.write_text("<html>404</html>")


def empty(path: Path) -> None:
    path.touch()


def twice(path: Path) -> None:
    with zipfile.ZipFile(argosmodel(path), "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("en_de/metadata.json", b"{}")


FOREIGN = {
    "not a zip": (text, "not a whole zip file"),
    "empty": (empty, "not a whole zip file"),
    "half": (cut, "not a whole zip file"),
    "a wrong bit": (flipped, "not a whole zip file"),
    "encrypted": (encrypted, "is encrypted"),
    "absolute": (named("/etc/x"), "'/etc/x' would leave"),
    "upwards": (named("en_de/../../x"), "would leave"),
    "backslash": (named("en_de/..\\x"), "would leave"),
    "drive": (named("C:x"), "would leave"),
    "link": (link, "is a link"),
    "same name": (twice, "have the same name"),
    "no metadata": (without("metadata.json"), "it has no metadata.json"),
    "no model": (without("model/model.bin"), "it has no model/model.bin"),
    "no tokenizer": (without("sentencepiece.model"), "neither sentencepiece.model"),
    "another kind": (lambda path: void(argosmodel(path, package_files(type="sbd"))), "of type 'sbd'"),
    "names": (lambda path: void(argosmodel(path, package_files(target="../x"))), "names no languages"),
}


@pytest.mark.parametrize(("make", "told"), FOREIGN.values(), ids=FOREIGN)
def test_a_foreign_file_is_refused_and_changes_nothing(tmp_path: Path, make: Callable[[Path], None], told: str) -> None:
    folder = tmp_path / "place" / "argos"
    install_argos(argosmodel(tmp_path / "good.argosmodel", package_files(package_version="0.1")), folder)
    make(tmp_path / "bad.argosmodel")
    with pytest.raises(ValueError, match=r"bad\.argosmodel is ") as caught:
        install_argos(tmp_path / "bad.argosmodel", folder)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
    assert contents(folder) == {"translate-en_de"}
    assert read_package(folder / "translate-en_de").version == "0.1"
    assert contents(tmp_path) == {"place", "good.argosmodel", "bad.argosmodel"}


def test_sizes_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = argosmodel(tmp_path / "a.argosmodel")
    monkeypatch.setattr(packages, "MAX_BYTES", 10_000)
    with pytest.raises(ValueError, match=r"unpacked it would take [\d,]+ bytes, more than 10,000"):
        install_argos(file, tmp_path / "argos")
    monkeypatch.undo()
    monkeypatch.setattr(packages, "MAX_MEMBERS", 3)
    with pytest.raises(ValueError, match="it has 6 members"):
        install_argos(file, tmp_path / "argos")


def test_a_full_disk_is_told_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type("Usage", (), {"free": 10})
    monkeypatch.setattr(packages.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(ValueError, match=r"needs [\d,]+ bytes in .*, where 10 are free"):
        install_argos(argosmodel(tmp_path / "a.argosmodel"), tmp_path / "argos")
    assert contents(tmp_path / "argos") == set()


def test_a_failed_exchange_brings_the_old_one_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "argos"
    install_argos(argosmodel(tmp_path / "a.argosmodel", package_files(package_version="0.1")), folder)
    rename = Path.rename

    def broken(self: Path, target: Path) -> Path:
        if self.name == "new":
            raise OSError(5, "Input/output error")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", broken)
    with pytest.raises(OSError, match="Input/output"):
        install_argos(argosmodel(tmp_path / "b.argosmodel"), folder)
    assert contents(folder) == {"translate-en_de"}
    assert read_package(folder / "translate-en_de").version == "0.1"


def test_remove(tmp_path: Path) -> None:
    folder = tmp_path / "argos"
    install_argos(argosmodel(tmp_path / "a.argosmodel"), folder)
    for name in ("translate-en_es", "..", "../argos", "translate-en_de/model", ""):
        with pytest.raises(ValueError, match="is installed"):
            remove_argos(name, folder)
    remove_argos("translate-en_de", folder)
    assert contents(folder) == set()
