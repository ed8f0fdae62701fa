"""decode: a client's bytes become 16 kHz mono samples."""

from dataclasses import replace

from dragoman.models.base import SAMPLE_RATE_HZ, Samples
from dragoman.pipeline.audio.decode import Decoder
from dragoman.pipeline.context import SessionContext
from dragoman.pipeline.items import End, Expect, Flush
from dragoman.pipeline.queues import MeteredQueue

INLINE_BYTES = 16_384
"""Samples in a message this small are decoded faster than a thread is woken for them."""

_SLICE_BYTES = 65_536
"""A large message is decoded piece by piece, so that the stages behind can begin and the queue stays bounded."""

_CODED_SLICE_BYTES = 4_096
"""A codec can pack minutes of silence into a few kilobytes, so its bytes are taken in small pieces, in a worker."""


async def decode(
    context: SessionContext,
    decoder: Decoder,
    inbox: MeteredQueue[bytes | Expect | Flush | End],
    outbox: MeteredQueue[Samples | Expect | Flush | End],
    *,
    coded: bool,
) -> None:
    """Run until the end marker. Raises AudioError for bytes that are not what the format says."""

    async def forward(samples: Samples) -> None:
        if not len(samples):
            return
        seconds = len(samples) / SAMPLE_RATE_HZ
        context.clock.advance(seconds)
        context.observer.audio_in(seconds)
        await outbox.put(samples, seconds)

    step, inline = (_CODED_SLICE_BYTES, 0) if coded else (_SLICE_BYTES, INLINE_BYTES)
    try:
        while True:
            item = await inbox.get()
            if isinstance(item, bytes):
                for start in range(0, len(item), step):
                    piece = item[start : start + step]
                    small = len(piece) <= inline
                    await forward(decoder.decode(piece) if small else await context.offload.run(decoder.decode, piece))
                continue
            if isinstance(item, End):
                await forward(await context.offload.run(decoder.finish))
            placed = item if isinstance(item, Expect) else replace(item, at_s=context.clock.received_s)
            await outbox.put(placed, 0)
            if isinstance(item, End):
                return
    finally:
        decoder.close()
