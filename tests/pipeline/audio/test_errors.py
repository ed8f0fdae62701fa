from dragoman.pipeline.audio.errors import AudioError, BadAudio, UnknownAudio, UnsupportedFormat


def test_every_error_says_one_sentence_and_carries_its_facts() -> None:
    unsupported = UnsupportedFormat("mp7", ["wav", "ogg_opus"])
    assert str(unsupported) == "audio format 'mp7' is not supported; use one of wav, ogg_opus"
    assert unsupported.supported == ("wav", "ogg_opus")
    assert str(UnsupportedFormat("mp7")) == "audio format 'mp7' is not supported"
    bad = BadAudio("no header")
    assert (str(bad), bad.reason) == ("bad audio: no header", "no header")
    assert isinstance(unsupported, AudioError)
    assert isinstance(bad, AudioError)
    assert isinstance(UnknownAudio(), BadAudio)
    assert "no known container" in str(UnknownAudio())
