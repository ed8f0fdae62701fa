"""translate: clauses, as the hearing cut them (`pipeline/clauses.py`), in a branch's target language."""

from dragoman.models.base import LanguagePair
from dragoman.models.batching import Priority
from dragoman.models.text.canonical import canonical
from dragoman.models.text.finishing import finished
from dragoman.models.text.plain import plain
from dragoman.pipeline.agreement import ends_with_mark
from dragoman.pipeline.branch_state import BranchState
from dragoman.pipeline.clauses import Piece
from dragoman.pipeline.context import SessionContext
from dragoman.pipeline.events import Transcript, Translated, Translation
from dragoman.pipeline.growing import GrowingClause
from dragoman.pipeline.items import Clause, End, Flush, GivenText, TextEnd
from dragoman.pipeline.joints import within_sentence, without_full_stop
from dragoman.pipeline.queues import MeteredQueue
from dragoman.pipeline.sentences import split_sentences
from dragoman.pipeline.timing import join_words, spans, split_words

Inbox = MeteredQueue[Transcript | GivenText | Flush | End]
Outbox = MeteredQueue[Clause | TextEnd | Flush | End]


async def translate(context: SessionContext, branch: BranchState, inbox: Inbox, outbox: Outbox) -> None:
    """Run until the end marker. Where target and source agree, the text goes on as it is.

    Raises NoTranslator when the recognised language turns out to be one that cannot be translated here.
    """
    translating = _Translating(context, branch, outbox)
    while True:
        item = await inbox.get()
        if isinstance(item, Transcript):
            await translating.take(item)
        elif isinstance(item, GivenText):
            branch.texts_bytes -= item.size_bytes
            await translating.take_text(item)
        else:
            await outbox.put(item, 0)
            if isinstance(item, End):
                return


class _Translating:
    """One branch's way from words to clauses."""

    def __init__(self, context: SessionContext, branch: BranchState, outbox: Outbox) -> None:
        self._context = context
        self._branch = branch
        self._outbox = outbox
        self._epoch = 0
        self._done_s = 0.0
        """Place on the input clock up to which the recogniser has translated itself."""
        self._growing: GrowingClause | None = None
        self._inside = False
        """Whether what comes next goes on with a sentence of which a clause was translated already."""
        self._clause_id = 0

    async def take(self, said: Transcript) -> None:
        """Translate the clauses that are complete with this transcript."""
        if self._epoch != self._branch.epoch:  # what was heard before the interruption is not waited for any more
            self._epoch = self._branch.epoch
            self._growing, self._inside = None, False
        cut_s, target = self._branch.cut_s, self._branch.wish.target_of(said.language)
        context = self._context
        if (
            said.english is not None
            and target
            and context.engines.by_own_english(context.plan.recognizer, said.language, target)
        ):
            self._inside, self._done_s = False, said.stop_s
            # The recogniser's own English is a translation too.
            english = finished(said.text, said.english, LanguagePair(said.language, "en"))
            sentences = split_sentences(english)
            places = spans(sentences, (), said.start_s, said.stop_s)
            for sentence, (start_s, stop_s) in zip(sentences, places, strict=True):
                if stop_s > cut_s and self._epoch == self._branch.epoch:
                    await self._translate(said, "en", target, sentence, start_s, stop_s)
        else:
            cut_s = max(cut_s, self._done_s)
            pieces = [piece for clause in said.clauses if (piece := clause.behind(cut_s)).words]
            for left, piece in zip(reversed(range(len(pieces))), pieces, strict=True):
                text = join_words(piece.words, piece.language)
                target = self._target_of(piece.language)
                if target is not None and self._epoch == self._branch.epoch:
                    start_s, stop_s = piece.words[0].start_s, piece.words[-1].stop_s
                    part = left > 0 or not said.complete
                    await self._translate(said, piece.language, target, text, start_s, stop_s, part=part)
                self._growing = None
                self._inside = not ends_with_mark(text)
            if said.complete:
                self._inside = False
            await self._grow(said, said.growing.behind(cut_s))
        if said.closes:
            self._context.emit(Translated(self._branch.number, said.segment_id))

    async def _grow(self, said: Transcript, piece: Piece) -> None:
        """Translate the clause that is not complete yet, where that is of use, and say what is certain of it."""
        context, target = self._context, self._target_of(piece.language)
        if target is None or not context.grows(piece.language, target):
            return
        growing = self._growing = self._growing or GrowingClause(target)
        if len(piece.words) - growing.words < context.policy.retranslate_words:
            return
        text, epoch = join_words(piece.words, piece.language), self._branch.epoch
        asking = context.engines.translate(
            piece.language,
            target,
            text,
            f"{context.session_id}/{self._branch.number}",
            self._branch.wish.terms,
            Priority.PARTIAL,
        )
        with context.timed("translate"):
            translated = await context.trials.attempt(asking)
        if translated is None:
            return
        translated = without_full_stop(translated, text)
        if self._inside:
            translated = within_sentence(translated, text, target)
        goes_on = self._inside or growing.said
        if epoch == self._branch.epoch and (certain := growing.push(translated, len(piece.words))):
            await self._tell(said, target, certain, piece.words[0].start_s, piece.words[-1].stop_s, goes_on=goes_on)

    def _target_of(self, language: str) -> str | None:
        """What speech in `language` becomes; None where it stays as it is."""
        wish = self._branch.wish
        target = wish.target_of(language)
        if wish.lenient and target is not None and not self._context.engines.translates(language, target):
            return None
        return target

    async def take_text(self, given: GivenText) -> None:
        """Translate a text that a client gave, sentence by sentence."""
        target, epoch = self._branch.wish.language or given.language, self._branch.epoch
        if given.translate or target == given.language:
            text = canonical(given.text)
            if self._context.settings.speak.plain_text and self._branch.wish.speaks:
                text = plain(text)
            for sentence in split_sentences(text):
                if epoch != self._branch.epoch:
                    break
                await self._translate(given, given.language, target, sentence, 0.0, 0.0)
        if given.pause_s or given.ends_stream:
            await self._outbox.put(TextEnd(given.text_id, given.pause_s, given.ends_stream, epoch), 0)
        self._context.emit(Translated(self._branch.number, text_id=given.text_id))

    async def _translate(
        self,
        origin: Transcript | GivenText,
        source: str,
        target: str,
        text: str,
        start_s: float,
        stop_s: float,
        *,
        part: bool = False,
    ) -> None:
        """Say a clause for good. `part`: its sentence may go on behind it."""
        context, branch, epoch = self._context, self._branch, self._branch.epoch
        if isinstance(origin, GivenText) and source != target:
            context.observer.given("translate", len(text))
        with context.timed("translate"):
            said = await context.engines.translate(source, target, text, context.session_id, branch.wish.terms)
        if epoch != branch.epoch:
            return
        heard = isinstance(origin, Transcript)
        goes_on = heard and self._inside
        if heard and source != target:
            said = without_full_stop(said, text) if part else said
            said = within_sentence(said, text, target) if goes_on else said
        text = said
        if self._growing is not None and heard:
            goes_on |= self._growing.said
            text = self._growing.finish(text)
        await self._tell(origin, target, text, start_s, stop_s, source, goes_on=goes_on)

    async def _tell(
        self,
        origin: Transcript | GivenText,
        target: str,
        text: str,
        start_s: float,
        stop_s: float,
        source: str = "",
        *,
        goes_on: bool = False,
    ) -> None:
        """Say a translation for good; nothing where there is nothing in it."""
        context, branch, epoch = self._context, self._branch, self._branch.epoch
        text = " ".join(split_words(text))
        if not text:
            return
        heard = isinstance(origin, Transcript)
        context.emit(
            Translation(
                text,
                target,
                start_s,
                stop_s,
                self._clause_id,
                branch=branch.number,
                segment_id=origin.segment_id if isinstance(origin, Transcript) else None,
                text_id=origin.text_id if isinstance(origin, GivenText) else None,
                source=origin.language if heard else source,
                speaker=origin.speaker if isinstance(origin, Transcript) else None,
            )
        )
        await self._outbox.put(Clause(self._clause_id, text, target, stop_s if heard else None, epoch, goes_on))
        self._clause_id += 1
