"""translate: final text becomes clauses in the target language, sentence by sentence."""

from dragoman.pipeline.context import SessionContext
from dragoman.pipeline.events import Transcript, Translation
from dragoman.pipeline.items import Clause, End, Flush
from dragoman.pipeline.queues import MeteredQueue
from dragoman.pipeline.sentences import split_sentences
from dragoman.pipeline.timing import spans


async def translate(
    context: SessionContext,
    inbox: MeteredQueue[Transcript | Flush | End],
    outbox: MeteredQueue[Clause | Flush | End],
) -> None:
    """Run until the end marker. Without a target, or where target and source agree, the text goes on as it is.

    Raises NoTranslator when the recognised language turns out to be one that cannot be translated here.
    """
    clause_id = 0
    while True:
        item = await inbox.get()
        if not isinstance(item, Transcript):
            await outbox.put(item, 0)
            if isinstance(item, End):
                return
            continue
        target = context.plan.target or item.language
        source, sentences, words = item.language, split_sentences(item.text), item.words
        if item.english is not None and not context.engines.translates(source, target):
            source, sentences, words = "en", split_sentences(item.english), ()
        places = spans(sentences, words, item.start_s, item.stop_s)
        for sentence, (start_s, stop_s) in zip(sentences, places, strict=True):
            with context.timed("translate"):
                text = await context.engines.translate(source, target, sentence, context.session_id)
            text = " ".join(text.split())
            if not text:
                continue
            context.emit(Translation(text, target, start_s, stop_s, clause_id))
            await outbox.put(Clause(clause_id, text, target, stop_s))
            clause_id += 1
