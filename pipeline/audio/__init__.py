"""Audio formats and rates: streaming decode, resampling and encode.

Bytes of a client become 16 kHz mono float32 and engines' samples become bytes of a client. No I/O here: bytes in,
samples out, and the other way round.
"""
