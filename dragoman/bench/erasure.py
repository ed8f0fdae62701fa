"""How much of what was shown to a reader was taken back again.

Arivazhagan et al., "Re-translation versus Streaming for Simultaneous Translation", IWSLT 2020.
"""

from collections.abc import Iterable, Sequence


def normalised_erasure(shown: Iterable[Sequence[str]]) -> float:
    """Words that were taken back for each word of the final text.

    `shown` is what stood there after each change, in words. From one to the next, all words behind their common
    beginning are erased. 0.0 where nothing was ever erased. Raises ValueError where words were erased and none is left.
    """
    erased = 0
    before: Sequence[str] = ()
    for now in shown:
        same = next((at for at, (old, new) in enumerate(zip(before, now, strict=False)) if old != new), None)
        erased += len(before) - (min(len(before), len(now)) if same is None else same)
        before = now
    if erased and not before:
        raise ValueError("no text is left to compare the erased words with")
    return erased / len(before) if erased else 0.0
