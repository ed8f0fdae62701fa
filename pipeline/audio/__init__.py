"""Formats and rates: bytes of any supported format to mono float32 and back, streaming, without I/O.

    errors.py      what can go wrong, as one tree
    formats.py     how audio is written down: container, encoding, rate, channels
    decode.py      bytes in, samples at the pipeline's rate out (`make_decoder`)
    encode.py      samples in, bytes out (`make_encoder`)
    resample.py    from one rate, or many, to another
    mix.py         from many channels to one
    timeline.py    the silence that a container's times leave between its packets
    dc.py          a high-pass: what no ear hears goes
    samples.py     small things done to arrays of samples
    sniff.py       what a file is, by its first bytes
    demux.py       compressed files, read by libav as they arrive; frames.py, what its frames are
    codec_encode.py  MP3, AAC and FLAC, written by libav
    raw.py, g711.py, wav.py, riff.py, ogg.py, opus_decode.py, opus_encode.py    one room per format

Vendors' names for formats are not known here; their adapters map them to `AudioFormat`.
"""
