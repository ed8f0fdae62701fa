"""translate: words become clauses in a branch's target language, by the clause policy (`pipeline/clauses.py`)."""

from dragoman.models.base import Word
from dragoman.pipeline.branch_state import BranchState
from dragoman.pipeline.clauses import ClauseSplitter
from dragoman.pipeline.context import SessionContext
from dragoman.pipeline.events import Transcript, Translated, Translation
from dragoman.pipeline.items import Clause, End, Flush, GivenText
from dragoman.pipeline.queues import MeteredQueue
from dragoman.pipeline.sentences import split_sentences
from dragoman.pipeline.timing import estimate_words, join_words, spans

Inbox = MeteredQueue[Transcript | GivenText | Flush | End]
Outbox = MeteredQueue[Clause | Flush | End]


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
        self._splitter = ClauseSplitter(context.policy)
        self._epoch = 0
        self._clause_id = 0

    async def take(self, said: Transcript) -> None:
        """Translate the clauses that are complete with this transcript."""
        if self._epoch != self._branch.epoch:  # what was heard before the interruption is not waited for any more
            self._epoch = self._branch.epoch
            self._splitter = ClauseSplitter(self._context.policy)
        target = self._branch.wish.target_of(said.language)
        if said.english is not None and target and not self._context.engines.translates(said.language, target):
            sentences = split_sentences(said.english)
            places = spans(sentences, (), said.start_s, said.stop_s)
            for sentence, (start_s, stop_s) in zip(sentences, places, strict=True):
                await self._translate(said, "en", target, sentence, start_s, stop_s)
        else:
            words: tuple[Word, ...] = said.words or estimate_words(said.text, said.start_s, said.stop_s, said.language)
            for piece in self._splitter.push(words, said.language, closes=said.complete):
                text = join_words(piece.words, piece.language)
                target = self._branch.wish.target_of(piece.language)
                if target is not None:
                    start_s, stop_s = piece.words[0].start_s, piece.words[-1].stop_s
                    await self._translate(said, piece.language, target, text, start_s, stop_s)
        if said.closes:
            self._context.emit(Translated(self._branch.number, said.segment_id))

    async def take_text(self, given: GivenText) -> None:
        """Translate a text that a client gave, sentence by sentence."""
        target = self._branch.wish.language or given.language
        if given.translate or target == given.language:
            for sentence in split_sentences(given.text):
                await self._translate(given, given.language, target, sentence, 0.0, 0.0)
        self._context.emit(Translated(self._branch.number, text_id=given.text_id))

    async def _translate(
        self, origin: Transcript | GivenText, source: str, target: str, text: str, start_s: float, stop_s: float
    ) -> None:
        context, branch, epoch = self._context, self._branch, self._branch.epoch
        with context.timed("translate"):
            text = await context.engines.translate(source, target, text, context.session_id, branch.wish.terms)
        text = " ".join(text.split())
        if not text or epoch != branch.epoch:
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
        await self._outbox.put(Clause(self._clause_id, text, target, stop_s if heard else None, epoch))
        self._clause_id += 1
