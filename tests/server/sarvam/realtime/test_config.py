import pytest

from dragoman.config.settings import load_settings
from dragoman.server.failures import BadMessage, Fault
from dragoman.server.protocols.sarvam.realtime.config import listening, parse_config

BASE = load_settings().listen


def test_the_detector_is_tuned_by_times() -> None:
    query = {
        "threshold": "0.8",
        "prefix_padding_ms": "50",
        "silence_duration_ms": "700",
        "min_speech_duration_ms": "60",
    }
    chosen = listening(parse_config({"language_code": "auto", **query}), BASE)
    assert (chosen.threshold, round(chosen.negative_threshold, 3), chosen.pre_speech_ms) == (0.8, 0.65, 50)
    assert (chosen.end_silence_ms, chosen.long_end_silence_ms, chosen.min_speech_ms) == (700, 700, 60)
    assert listening(parse_config({"language_code": "auto"}), BASE) == BASE


@pytest.mark.parametrize(
    "query",
    [
        {"language_code": ""},
        {"language_code": "xx-IN"},
        {"model": "saaras:v2.5"},
        {"stream_type": "slow"},
        {"mode": "sing"},
        {"endpointing": "never"},
        {"encoding": "opus"},
        {"sample_rate": "44100"},
        {"return_timestamps": "perhaps"},
        {"threshold": "2"},
        {"prefix_padding_ms": "-1"},
        {"silence_duration_ms": "x"},
        {"min_speech_duration_ms": "1e9"},
        {"keyterms": "{"},
    ],
)
def test_wrong_values_are_told_by_name(query: dict[str, str]) -> None:
    (name,) = query
    with pytest.raises(BadMessage, match=name) as caught:
        parse_config({"language_code": "auto", **query})
    assert caught.value.kind in (Fault.SETUP, Fault.MODEL)


def test_everything_is_speech_where_the_client_says_where_turns_are() -> None:
    chosen = listening(parse_config({"language_code": "auto", "endpointing": "manual"}), BASE)
    assert (chosen.threshold, chosen.negative_threshold, chosen.min_speech_ms) == (0, 0, 0)
