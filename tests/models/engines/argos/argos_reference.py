"""Asks the real Argos Translate; run in a process of its own, because it loads PyTorch and speaks to the world.

Reads JSON from stdin, a list of [source, target, text], and writes JSON to stdout, the list of translations. The
packages are those in ARGOS_PACKAGES_DIR. Argos Translate finds sentences with a model that it would download; a blank
spaCy pipeline inside each package makes it use spaCy's rules in its stead, through its own code.
"""

import json
import sys
from pathlib import Path


def main() -> None:
    import spacy
    from argostranslate import sbd, settings, translate

    # After the import: at import time this choice would download spaCy's model.
    settings.chunk_type = settings.ChunkType.SPACY
    for package in Path(settings.package_data_dir).iterdir():
        spacy.blank("xx").to_disk(package / "spacy")
    assert sbd.spacy is not None
    asked = json.load(sys.stdin)
    json.dump([translate.translate(text, source, target) for source, target, text in asked], sys.stdout)


if __name__ == "__main__":
    main()
