"""The library inside a child, called here in the tests' own process with texts that do it no harm."""

import json

import pytest

from dragoman.models.engines.espeak.child import EspeakLibrary, LibraryFault


@pytest.fixture(scope="module")
def library() -> EspeakLibrary:
    import espeakng_loader

    return EspeakLibrary(espeakng_loader.get_library_path(), espeakng_loader.get_data_path())


@pytest.mark.embedded
def test_questions(library: EspeakLibrary) -> None:
    about = json.loads(library.answer(None))
    assert about["rate_hz"] == 22_050
    assert {"en", "zh", "no"} <= set(about["languages"])
    samples = library.answer(["Hello there.", "en-us+f3", 175])
    assert len(samples) % 2 == 0
    assert len(samples) > 22_050


@pytest.mark.embedded
def test_a_fault_in_the_callback_is_not_lost(library: EspeakLibrary, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise MemoryError("no room")

    with monkeypatch.context() as patched:
        patched.setattr("ctypes.string_at", broken)
        with pytest.raises(LibraryFault, match="no room") as caught:
            library.say("Hello there.", "en-us", 175)
    assert isinstance(caught.value.__cause__, MemoryError)
    assert library.say("Hello there.", "en-us", 175)
