"""One tree of settings: defaults < TOML file < DRAGOMAN_* environment < command line.

The defaults themselves live in `default.toml`, each with its line of why, and nowhere else; this module gives them
types and bounds.
"""

import json
import os
import re
import tomllib
from contextvars import ContextVar
from importlib import resources
from ipaddress import IPv4Network, IPv6Network, ip_address
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from pydantic_settings import SettingsError as PydanticSettingsError

_files: ContextVar[dict[str, Any]] = ContextVar("dragoman_settings_files")
"""The merged TOML tables while `load_settings` builds a tree: the lowest source."""

Ratio = Annotated[float, Field(ge=0.0, le=1.0)]
Positive = Annotated[float, Field(gt=0.0)]
PositiveInt = Annotated[int, Field(ge=1)]
NonNegativeInt = Annotated[int, Field(ge=0)]
Url = Annotated[str, Field(pattern=r"^https?://[^\s/?#]+[^\s?#]*$")]
Device = Annotated[str, Field(pattern=r"^(auto|cpu|cuda(:[0-9]{1,2})?)$")]
Origin = Annotated[str, Field(pattern=r"^(\*|null|[a-z][a-z0-9+.-]*://[^\s/?#@]+)$")]
"""What a browser sends as `Origin` (RFC 6454): scheme, host and, where it is not the scheme's own, port; or `null`."""

Host = Annotated[str, Field(pattern=r"^(\*|(\*\.)?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?|[0-9A-Fa-f:.]+)$")]
"""A name, `*.` and a name for all below it, an address, or `*`."""


_STATE_URL = re.compile(r"(rediss?|unix)://[^\s]+$")


class SettingsError(ValueError):
    """The configuration is wrong; the message names the setting, one line a fault."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _BatchedTable(_Table):
    workers: PositiveInt
    batch: PositiveInt
    batch_wait_ms: NonNegativeInt


class WhisperSettings(_BatchedTable):
    model: str
    device: Device
    compute_type: str
    threads: NonNegativeInt
    window_s: Annotated[float, Field(ge=10.0, le=30.0)]
    beam_size: PositiveInt
    partial_beam_size: PositiveInt
    retry_s: Annotated[float, Field(ge=0.0)]
    temperatures: Annotated[tuple[Annotated[float, Field(ge=0.0, le=2.0)], ...], Field(min_length=1)]
    max_compression_ratio: Positive
    min_log_probability: float
    max_no_speech: Ratio
    no_speech_alone: Ratio


class ArgosSettings(_BatchedTable):
    device: Device
    compute_type: str
    threads: PositiveInt


class FirefoxSettings(_Table):
    workers: PositiveInt
    models: PositiveInt


class PiperSettings(_Table):
    device: Device
    workers: NonNegativeInt
    length_scale: Annotated[float, Field(ge=0.0, le=4.0)]
    noise_scale: Annotated[float, Field(ge=-1.0, le=4.0)]
    noise_w_scale: Annotated[float, Field(ge=-1.0, le=4.0)]


class EngineSettings(_Table):
    set: Literal["auto", "embedded", "scripted"]
    recognizer: str
    recognizers: dict[str, list[str]]
    translator: str
    synthesizer: str
    pico: bool
    max_queue: PositiveInt
    script: str
    remedy_url: str
    whisper: WhisperSettings
    argos: ArgosSettings
    firefox: FirefoxSettings
    piper: PiperSettings


class VoiceSettings(_Table):
    file: str
    strict: bool
    aliases: dict[str, str]
    defaults: dict[str, str]


class ListenSettings(_Table):
    threshold: Ratio
    negative_threshold: Ratio
    start_level_dbfs: Annotated[float, Field(le=0.0)]
    ignore_start_ms: NonNegativeInt
    min_speech_ms: NonNegativeInt
    opening_min_speech_ms: NonNegativeInt
    interrupt_min_speech_ms: NonNegativeInt
    interrupt_within_ms: NonNegativeInt
    unbroken_start: bool
    end_silence_ms: PositiveInt
    end_window_ms: NonNegativeInt
    long_segment_s: Positive
    long_end_silence_ms: PositiveInt
    pre_speech_ms: NonNegativeInt
    post_speech_ms: NonNegativeInt
    max_segment_s: Annotated[float, Field(ge=2.0, le=30.0)]
    stall_s: Annotated[float, Field(ge=0.0)]


class RecogniseSettings(_Table):
    sentence_after_s: Positive
    sentence_every_s: Positive
    min_peak: Ratio
    lock_language: bool
    lock_confidence: Ratio


class TranslateSettings(_Table):
    agreement: Literal["auto", "on", "off"]


class SpeakSettings(_Table):
    tempo: Annotated[float, Field(ge=0.5, le=2.0)]
    gap_ms: NonNegativeInt
    max_tempo: Annotated[float, Field(ge=1.0, le=1.5)]
    catch_up_after_s: Annotated[float, Field(ge=0.0)]
    min_gap_ms: NonNegativeInt
    plain_text: bool


class QueueSettings(_Table):
    speech_s: Positive
    clauses: PositiveInt
    output_s: Positive


class LimitSettings(_Table):
    sessions: PositiveInt
    sessions_per_key: NonNegativeInt
    machine_share: Annotated[float, Field(ge=0.0, le=2.0)]
    session_s: Positive
    idle_s: Positive
    connections: NonNegativeInt
    connections_per_address: PositiveInt
    head_s: Positive
    control_bytes: Annotated[int, Field(ge=1024)]
    message_bytes: Annotated[int, Field(ge=1024)]
    recording_s: Annotated[float, Field(ge=0.0)]
    inbox_bytes: Annotated[int, Field(ge=1024)]
    texts_bytes: Annotated[int, Field(ge=1024)]
    output_wait_s: Positive
    output_wait_bytes: Annotated[int, Field(ge=65536)]
    drain_s: Annotated[float, Field(ge=0.0)]
    token_s: Positive
    upload_bytes: Annotated[int, Field(ge=1024)]
    files_bytes: Annotated[int, Field(ge=1024)]
    files_s: Positive
    transcriptions: PositiveInt


class OutgoingSettings(_Table):
    hosts: tuple[Host, ...]
    networks: tuple[Annotated[IPv4Network | IPv6Network, Field(union_mode="left_to_right")], ...]
    fetch_s: Positive
    webhook_s: Positive


class Settings(BaseSettings):
    """All settings. Build it with `load_settings`, which also reads the operator's file."""

    model_config = SettingsConfigDict(env_prefix="DRAGOMAN_", env_nested_delimiter="__", extra="forbid", frozen=True)

    host: str
    port: Annotated[int, Field(ge=0, le=65535)]
    api_keys: Annotated[tuple[SecretStr, ...], NoDecode]
    api_keys_file: str
    allow_anonymous: bool
    public_url: Annotated[str, Field(pattern=r"^(https?://[^\s/?#]+[^\s?#]*)?$")]
    allowed_origins: Annotated[tuple[Origin, ...], NoDecode]
    page: bool
    log_level: Literal["debug", "info", "warning", "error"]
    log_format: Literal["text", "json"]
    log_transcripts: bool
    models_dir: str
    files_dir: str
    offline: bool
    hub_url: Url
    argos_url: Url
    package_index: Annotated[str, Field(pattern=r"^(https?://[^\s/?#]+[^\s?#]*)?$")]
    firefox_url: Url
    pull: str
    state_url: SecretStr
    latency: Literal["low", "balanced", "quality"]
    engines: EngineSettings
    voices: VoiceSettings
    listen: ListenSettings
    recognise: RecogniseSettings
    translate: TranslateSettings
    speak: SpeakSettings
    queues: QueueSettings
    limits: LimitSettings
    outgoing: OutgoingSettings

    @field_validator("api_keys", mode="before")
    @classmethod
    def _split_keys(cls, value: object) -> object:
        return _split(value) if isinstance(value, str) else value

    @field_validator("allowed_origins", mode="before")
    @classmethod
    def _read_origins(cls, value: object) -> object:
        if isinstance(value, str):
            # A JSON list, as for other lists, or plain text with commas.
            value = json.loads(value) if value.lstrip().startswith("[") else _split(value)
        if isinstance(value, list | tuple) and all(isinstance(origin, str) for origin in value):
            return [_as_browsers_send(origin) for origin in value]
        return value

    @field_validator("state_url")
    @classmethod
    def _check_state_url(cls, value: SecretStr) -> SecretStr:
        # No pattern: what does not fit one is shown, and a password may stand in it.
        if value.get_secret_value() and not _STATE_URL.match(value.get_secret_value()):
            raise ValueError("must be empty, or begin with redis://, rediss:// or unix:// and name a server")
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        del dotenv_settings, file_secret_settings
        return init_settings, env_settings, InitSettingsSource(settings_cls, init_kwargs=_files.get())

    @property
    def keys(self) -> tuple[SecretStr, ...]:
        """The keys of `api_keys` and of `api_keys_file` together. Raises SettingsError for an unreadable file."""
        if not self.api_keys_file:
            return self.api_keys
        try:
            lines = Path(self.api_keys_file).read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"api_keys_file: cannot read {self.api_keys_file}: {error}") from error
        stripped = (line.strip() for line in lines)
        return self.api_keys + tuple(SecretStr(key) for key in stripped if key and not key.startswith("#"))

    @property
    def models_path(self) -> Path:
        """Folder of model files, following the XDG base directory rules when none is set."""
        if self.models_dir:
            return Path(self.models_dir).expanduser()
        data_home = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
        return Path(data_home).expanduser() / "dragoman" / "models"

    @property
    def files_path(self) -> Path:
        """Folder of what clients upload, likewise; it is made when the first file comes."""
        if self.files_dir:
            return Path(self.files_dir).expanduser()
        state_home = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
        return Path(state_home).expanduser() / "dragoman" / "files"


def default_table() -> dict[str, Any]:
    """The packaged defaults, as parsed from `default.toml`."""
    text = resources.files("dragoman.config").joinpath("default.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def load_settings(path: Path | None = None, overrides: dict[str, Any] | None = None) -> Settings:
    """Read defaults, then the TOML file (`path` or DRAGOMAN_CONFIG), then the environment, then `overrides`.

    `overrides` is a nested table of what the command line said; entries that are None are not said. Raises
    SettingsError with one line per wrong setting.
    """
    if path is None and (named := os.environ.get("DRAGOMAN_CONFIG")):
        path = Path(named)
    table = default_table()
    if path is not None:
        _merge(table, _read_toml(path))
    token = _files.set(table)
    try:
        return Settings(**_without_none(overrides or {}))
    except ValidationError as error:
        raise SettingsError(_explain(error)) from error
    except PydanticSettingsError as error:
        raise SettingsError(f"environment: {error}") from error
    finally:
        _files.reset(token)


def check_exposure(settings: Settings) -> None:
    """Refuse to serve strangers by accident.

    Raises SettingsError when the address can be reached by others and there are neither keys nor the operator's
    explicit `allow_anonymous`.
    """
    if settings.keys or settings.allow_anonymous or is_loopback(settings.host):
        return
    raise SettingsError(
        f"host {settings.host} can be reached by others, and there are no API keys: set DRAGOMAN_API_KEYS, "
        "or DRAGOMAN_ALLOW_ANONYMOUS=true if everybody may use this server"
    )


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach `host`."""
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _as_browsers_send(origin: str) -> str:
    """In small letters, without a path's slash, without the port that the scheme implies."""
    plain = origin.strip().lower().rstrip("/")
    for scheme, port in (("http", ":80"), ("https", ":443")):
        if plain.startswith(f"{scheme}://"):
            plain = plain.removesuffix(port)
    return plain


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"cannot read {path}: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path} is not TOML: {error}") from error


def _merge(base: dict[str, Any], other: dict[str, Any]) -> None:
    for name, value in other.items():
        if isinstance(value, dict) and isinstance(base.get(name), dict):
            _merge(base[name], value)
        else:
            base[name] = value


def _without_none(table: dict[str, Any]) -> dict[str, Any]:
    said = {}
    for name, value in table.items():
        kept = _without_none(value) if isinstance(value, dict) else value
        if kept is not None and kept != {}:
            said[name] = kept
    return said


def _explain(error: ValidationError) -> str:
    lines = []
    for fault in error.errors():
        name = ".".join(str(part) for part in fault["loc"])
        reason = "no such setting" if fault["type"] == "extra_forbidden" else fault["msg"]
        lines.append(f"{name}: {reason}")
    return "\n".join(lines)
