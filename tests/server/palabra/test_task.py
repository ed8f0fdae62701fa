"""The schema of set_task: what is accepted, what is refused, and that a refusal names every wrong field."""

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from palabra_ai import build_task

from dragoman.server.protocols.palabra.fields import BadTask, path_of
from dragoman.server.protocols.palabra.task import MAX_TARGETS, parse_task
from tests.server.palabra.talk import Talk, error, task, text_task

FULL = task("es", "pt-br")
FULL["pipeline"] |= {
    "preprocessing": {
        "enable_vad": True,
        "vad_threshold": 0.5,
        "vad_left_padding": 1,
        "vad_right_padding": 1,
        "pre_vad_denoise": False,
        "pre_vad_dsp": True,
        "record_tracks": [],
        "auto_tempo": False,
        "normalize_audio": False,
    },
    "transcription": {
        "source_language": "auto",
        "detectable_languages": ["en", "es"],
        "asr_model": "auto",
        "denoise": "none",
        "allow_hotwords_glossaries": True,
        "allowed_hotwords_glossary_ids": ["g"],
        "suppress_numeral_tokens": False,
        "supress_numeral_tokens": False,
        "diarize_speakers": False,
        "speakers_total": 2,
        "priority": "normal",
        "min_alignment_score": 0.2,
        "max_alignment_cer": 0.8,
        "segment_confirmation_silence_threshold": 0.7,
        "only_confirm_by_silence": False,
        "batched_inference": False,
        "force_detect_language": False,
        "calculate_voice_loudness": False,
        "sentence_splitter": {
            "enabled": True,
            "splitter_model": "auto",
            "advanced": {
                "min_sentence_characters": 80,
                "min_sentence_seconds": 4,
                "min_split_interval": 0.6,
                "context_size": 30,
                "segments_after_restart": 15,
                "step_size": 5,
                "max_steps_without_eos": 3,
                "force_end_of_segment": 0.5,
                "force_split_min_characters": 100,
                "force_split_min_seconds": 6,
            },
        },
        "verification": {
            "verification_model": "auto",
            "allow_verification_glossaries": True,
            "allowed_verification_glossary_ids": ["g"],
            "auto_transcription_correction": False,
            "transcription_correction_style": "formal",
        },
        "advanced": {
            "filler_phrases": {
                "enabled": False,
                "min_transcription_len": 40,
                "min_transcription_time": 3,
                "phrase_chance": 0.5,
            },
            "ignore_languages": ["de"],
        },
    },
    "translation_queue_configs": {
        key: {
            "desired_queue_level_ms": 5000,
            "max_queue_level_ms": 20000,
            "auto_tempo": True,
            "min_tempo": 1.15,
            "max_tempo": 1.45,
            "auto_tempo_max_delay_ms": 250,
            "tempo_decay": 0.35,
            "tempo_smoothing": 0.005,
        }
        for key in ("global", "es")
    },
}
for translation in FULL["pipeline"]["translations"]:
    translation |= {
        "allowed_source_languages": ["en-us", "fr"],
        "translation_model": "auto",
        "allow_translation_glossaries": True,
        "allowed_translation_glossary_ids": ["g"],
        "style": "casual",
        "translate_partial_transcriptions": True,
        "advanced": {},
        "speech_generation": {
            "tts_model": "auto",
            "voice_id": "default_high",
            "voice_cloning": False,
            "voice_cloning_mode": "static_10",
            "denoise_voice_samples": False,
            "voice_timbre_detection": {
                "enabled": False,
                "high_timbre_voices": ["default_high"],
                "low_timbre_voices": ["default_low"],
            },
            "speed": 1.1,
            "speech_tempo_auto": False,
            "speech_tempo_timings_factor": 0,
            "speech_tempo_adjustment_factor": 0.75,
            "advanced": {"f0_variance_factor": 1.2, "energy_variance_factor": 1.5, "with_custom_stress": True},
        },
    }

Place = tuple[int | str, ...]


def places(value: Any, path: Place = ()) -> Iterator[Place]:
    """Every field of a task."""
    if path:
        yield path
    items: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from places(inner, (*path, key))


def replaced(path: Place, value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(FULL)
    inner: Any = changed
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return changed


NO_MEANING = {
    *("preprocessing", "translation_queue_configs", "verification", "filler_phrases", "splitter_model"),
    *("asr_model", "denoise", "allow_hotwords_glossaries", "allowed_hotwords_glossary_ids", "diarize_speakers"),
    *("suppress_numeral_tokens", "supress_numeral_tokens", "speakers_total", "priority", "batched_inference"),
    *("min_alignment_score", "max_alignment_cer", "calculate_voice_loudness", "translation_model", "style"),
    *("allow_translation_glossaries", "allowed_translation_glossary_ids", "tts_model", "voice_cloning_mode"),
    *("denoise_voice_samples", "voice_timbre_detection", "speech_tempo_auto", "speech_tempo_timings_factor"),
    "speech_tempo_adjustment_factor",
}


def has_meaning(path: Place) -> bool:
    return not NO_MEANING.intersection(path) and (path[2:3] == ("advanced",) or "advanced" not in path[1:])


PLACES = [path for path in places(FULL) if has_meaning(path)]
KEPT = [path for path in places(FULL) if not has_meaning(path)]


def test_every_field_with_its_value_is_accepted() -> None:
    parsed = parse_task(FULL).model_dump()
    for path in PLACES + KEPT:
        wanted: Any = FULL
        found: Any = parsed
        for step in path:
            wanted, found = wanted[step], found[step]
        if not isinstance(wanted, dict | list):
            assert found == wanted, path


class Alien:
    """A value of no type that JSON has, so that no field takes it."""


@pytest.mark.parametrize("path", PLACES, ids=path_of)
def test_every_field_with_a_meaning_is_checked_and_named(path: Place) -> None:
    with pytest.raises(BadTask, match=rf"(^|; ){re.escape(path_of(path))}(:|\.|\[)"):
        parse_task(replaced(path, Alien()))


@pytest.mark.parametrize("value", [7, "x", [], {"a": [None, 1.5, "b"]}])
@pytest.mark.parametrize("path", KEPT, ids=path_of)
def test_every_other_field_comes_back_as_it_came(path: Place, value: Any) -> None:
    found: Any = parse_task(replaced(path, value)).model_dump()
    for step in path:
        found = found[step]
    assert found == value


def test_what_is_kept_makes_a_task_another_one_and_is_told() -> None:
    talk = Talk()
    talk.send("set_task", FULL)
    changed = replaced(("pipeline", "transcription", "asr_model"), "other")
    (told,) = talk.send("set_task", changed)
    assert (told["data"]["event"], talk.kinds()) == ("updated", [])
    (current,) = talk.send("get_task")
    assert current["data"]["pipeline"]["transcription"]["asr_model"] == "other"


@pytest.mark.parametrize("key", ["model_dump", "model_config", "__class__", "pipeline_", "model_extra", ""])
def test_any_name_may_be_kept(key: str) -> None:
    talk = Talk()
    data = task() | {key: {key: 1}}
    assert talk.send("set_task", data)[0]["data"]["event"] == "started"
    assert talk.send("set_task", data)[0]["data"]["event"] == "unchanged"
    assert talk.send("get_task")[0]["data"][key] == {key: 1}


@pytest.mark.parametrize(("depth", "told"), [(31, "current_task"), (33, "error"), (900, "error")])
def test_what_is_kept_is_as_deep_as_it_can_be_told(depth: int, told: str) -> None:
    talk, nested = Talk(), "[" * depth + "10000000000000000000000000" + "]" * depth
    frame = json.dumps({"message_type": "set_task", "data": task() | {"novelty": 0}})
    answer = talk.send_raw(frame.replace('"novelty": 0', f'"novelty": {nested}'))
    assert (answer[0]["message_type"] == "error") == (told == "error")
    assert talk.send("get_task")[0]["message_type"] == told


scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
values = (
    scalars
    | st.sampled_from(["es", "EN-us", "auto", "ws", "webrtc", "wav", "global", -1, 0, 10**400, 16000, 1e9, "x" * 5000])
    | st.recursive(
        scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    )
)


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(PLACES), values)
def test_a_task_with_any_value_anywhere_runs_or_the_field_is_named(path: Place, value: Any) -> None:
    changed = replaced(path, value)
    try:
        parse_task(changed)
    except BadTask as refused:
        named = str(refused)
        assert path_of(path) in named or (len(path) > 1 and f"{path_of(path[:-1])}:" in named), (path, named)
        assert len(named) < 2000
        assert "\n" not in named


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(["input_stream", "output_stream", "pipeline"]) | st.text(max_size=5), values))
def test_any_object_at_all_runs_or_is_refused(data: dict[str, Any]) -> None:
    try:
        parse_task(data)
    except BadTask as refused:
        assert str(refused)


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        (("input_stream", "source", "type"), "webrtc", "only WebSocket is served here"),
        (("output_stream", "target", "type"), "webrtc", "only WebSocket is served here"),
        (("input_stream", "source", "sample_rate"), 15999, "greater than or equal to 16000"),
        (("input_stream", "source", "sample_rate"), 48001, "less than or equal to 48000"),
        (("input_stream", "source", "channels"), 3, "less than or equal to 2"),
        (("input_stream", "source", "channels"), True, "valid integer"),
        (("output_stream", "target", "format"), "opus", "'pcm_s16le' or 'zlib_pcm_s16le'"),
        (("pipeline", "transcription", "source_language"), "tlh", "is not a supported language"),
        (("pipeline", "transcription", "detectable_languages"), ["auto"], "is not a supported language"),
        (("pipeline", "transcription", "segment_confirmation_silence_threshold"), 0.29, "from 0.3 to 2"),
        (("pipeline", "transcription", "segment_confirmation_silence_threshold"), 2.1, "from 0.3 to 2"),
        (("pipeline", "transcription", "segment_confirmation_silence_threshold"), "0.7", "from 0.3 to 2"),
        (("pipeline", "translations", 1, "target_language"), "auto", "is not a supported language"),
        (("pipeline", "translations", 1, "target_language"), "ES", "is a target already"),
        (("pipeline", "translations", 0, "speech_generation", "speed"), 2.5, "from 0 to 2"),
        (("pipeline", "allowed_message_types"), "all", "valid list"),
    ],
)
def test_what_cannot_be_is_told_in_words(path: Place, value: Any, named: str) -> None:
    with pytest.raises(BadTask, match=re.escape(named)) as refused:
        parse_task(replaced(path, value))
    assert path_of(path[:-1]) in str(refused.value)


def test_all_faults_are_named_at_once() -> None:
    bad = task("es", "??")
    bad["input_stream"]["source"]["sample_rate"] = 1
    bad["pipeline"]["transcription"] = {}
    with pytest.raises(BadTask) as refused:
        parse_task(bad)
    assert str(refused.value) == (
        "input_stream.source.sample_rate: must be greater than or equal to 16000; "
        "pipeline.transcription.source_language: is required; "
        "pipeline.translations[1].target_language: is not a supported language"
    )


def test_of_many_faults_ten_are_told() -> None:
    with pytest.raises(BadTask, match=r"; and more$"):
        parse_task(task(pipeline={"translations": [{}] * 20}))


def test_as_many_targets_as_there_may_be() -> None:
    codes = [f"en-x{number:02}" for number in range(MAX_TARGETS + 1)]
    assert len(parse_task(task(*codes[:-1])).pipeline.translations) == MAX_TARGETS
    with pytest.raises(BadTask, match=r"pipeline\.translations"):
        parse_task(task(*codes))


def test_unknown_keys_are_kept_and_null_counts_as_absent() -> None:
    plain = parse_task(task())
    extended = task()
    extended["pipeline"] |= {"novelty": {"a": 1}, "preprocessing": None, "translation_queue_configs": None}
    extended["pipeline"]["transcription"] |= {"speakers_total": None, "denoise": None}
    assert parse_task(extended).pipeline.transcription == plain.pipeline.transcription
    assert parse_task(extended).model_dump()["pipeline"]["novelty"] == {"a": 1}


def test_null_streams_and_stages_are_the_same_as_absent_ones() -> None:
    shown = text_task("es", "fr")
    absent = copy.deepcopy(shown)
    del absent["input_stream"]
    del absent["pipeline"]["transcription"]
    assert parse_task(shown) == parse_task(absent)
    assert not parse_task(shown).hears


def test_without_a_list_the_types_are_the_sdks_default_and_an_empty_list_is_empty() -> None:
    built = build_task("en", "es")
    shorter = copy.deepcopy(built)
    del shorter["pipeline"]["allowed_message_types"]
    assert sorted(parse_task(shorter).pipeline.allowed_message_types) == sorted(
        built["pipeline"]["allowed_message_types"]
    )
    assert parse_task(text_task(types=())).pipeline.allowed_message_types == []


def test_the_order_of_targets_makes_a_task_another_one() -> None:
    assert parse_task(task("es", "fr")) != parse_task(task("fr", "es"))


@pytest.mark.parametrize("kind", ["set_task", "tts_task", "end_task", "interrupt_task"])
def test_a_refusal_is_an_error_and_the_connection_stays(kind: str) -> None:
    talk = Talk()
    talk.send("set_task", task())
    (refusal,) = talk.send(
        kind, {"pipeline": 1, "text": 1, "language": "en", "force": "yes", "languages": "es", "text_": 0}
    )
    assert error(refusal)[0] == "VALIDATION_ERROR"
    assert talk.closed is None
