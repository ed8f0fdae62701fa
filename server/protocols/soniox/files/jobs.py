"""What this vendor makes of a file: the tokens of what is said in it, and an entry of its use."""

import json

from dragoman.pipeline.audio.formats import AudioFormat
from dragoman.pipeline.events import Event
from dragoman.server.commands import Open
from dragoman.server.oneshot import KEY
from dragoman.server.protocols.soniox.errors import error_of
from dragoman.server.protocols.soniox.files.transcript import TranscriptWriter
from dragoman.server.protocols.soniox.start import Request, parse_transcription
from dragoman.server.protocols.soniox.usage import Ledger
from dragoman.server.uploads.store import FETCHED, Store, Transcription


class SonioxFiles:
    """server.uploads.transcriber.Vendor for this vendor's files."""

    protocol = "soniox-async"

    def __init__(self, store: Store, ledger: Ledger) -> None:
        self._store = store
        self._ledger = ledger

    def begin(self, job: Transcription) -> "Heard":
        """Take a file up. Raises BadMessage."""
        _, request = parse_transcription(dict(job.request))
        return Heard(request, job.owner, self._ledger)

    def told(self, error: Exception) -> tuple[str, str]:
        """Kind and text of what ended a transcription."""
        _, kind, text = error_of(error)
        return kind, text

    def finished(self, job: Transcription) -> None:
        """What was fetched for it is not needed any more."""
        if job.request.get("audio_url") is not None:
            self._store.delete_file(job.owner + FETCHED, job.file_id)


class Heard:
    """server.uploads.transcriber.Work for one file."""

    def __init__(self, request: Request, owner: str, ledger: Ledger) -> None:
        self.sound = request.input_format
        self._request = request
        self._writer = TranscriptWriter(request)
        self._ledger = ledger
        self._use = ledger.begin("async", owner, request.model, request.reference)

    def opening(self, sound: AudioFormat) -> Open:
        """What begins its session."""
        request = self._request
        return Open(
            KEY,
            sound,
            None,
            targets=request.targets,
            candidates=request.candidates,
            keywords=request.keywords,
            locks_language=False,
            latency="quality",
            speakers=request.diarizes,
        )

    def event(self, event: Event) -> None:
        """Take what happened."""
        self._writer.event(event)

    def written(self) -> str:
        """Text and tokens."""
        text, tokens = self._writer.written()
        self._use.output_text_tokens = len(tokens)
        return json.dumps({"text": text, "tokens": tokens})

    def over(self, heard_s: float) -> None:
        """Its use is over."""
        self._use.input_audio_ms = round(heard_s * 1_000)
        self._ledger.end(self._use)
