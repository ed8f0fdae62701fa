"""translate: words become clauses in the target language, by the clause policy (`pipeline/clauses.py`)."""

from dragoman.models.base import Word
from dragoman.pipeline.clauses import ClauseSplitter
from dragoman.pipeline.context import SessionContext
from dragoman.pipeline.events import Transcript, Translation
from dragoman.pipeline.items import Clause, End, Flush
from dragoman.pipeline.queues import MeteredQueue
from dragoman.pipeline.sentences import split_sentences
from dragoman.pipeline.timing import estimate_words, join_words, spans

Outbox = MeteredQueue[Clause | Flush | End]


async def translate(context: SessionContext, inbox: MeteredQueue[Transcript | Flush | End], outbox: Outbox) -> None:
    """Run until the end marker. Without a target, or where target and source agree, the text goes on as it is.

    Raises NoTranslator when the recognised language turns out to be one that cannot be translated here.
    """
    translating = _Translating(context, outbox)
    while True:
        item = await inbox.get()
        if isinstance(item, Transcript):
            await translating.take(item)
            continue
        await outbox.put(item, 0)
        if isinstance(item, End):
            return


class _Translating:
    """One session's way from words to clauses in one target language."""

    def __init__(self, context: SessionContext, outbox: Outbox) -> None:
        self._context = context
        self._outbox = outbox
        self._splitter = ClauseSplitter(context.policy)
        self._clause_id = 0

    async def take(self, said: Transcript) -> None:
        """Translate the clauses that are complete with this transcript."""
        target = self._context.plan.target or said.language
        if said.english is not None and not self._context.engines.translates(said.language, target):
            sentences = split_sentences(said.english)
            places = spans(sentences, (), said.start_s, said.stop_s)
            for sentence, (start_s, stop_s) in zip(sentences, places, strict=True):
                await self._translate("en", target, sentence, start_s, stop_s)
            return
        words: tuple[Word, ...] = said.words or estimate_words(said.text, said.start_s, said.stop_s, said.language)
        for piece in self._splitter.push(words, said.language, closes=said.complete):
            text = join_words(piece.words, piece.language)
            await self._translate(
                piece.language,
                self._context.plan.target or piece.language,
                text,
                piece.words[0].start_s,
                piece.words[-1].stop_s,
            )

    async def _translate(self, source: str, target: str, text: str, start_s: float, stop_s: float) -> None:
        context = self._context
        with context.timed("translate"):
            text = await context.engines.translate(source, target, text, context.session_id)
        text = " ".join(text.split())
        if text:
            context.emit(Translation(text, target, start_s, stop_s, self._clause_id))
            await self._outbox.put(Clause(self._clause_id, text, target, stop_s))
            self._clause_id += 1
