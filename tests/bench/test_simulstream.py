"""The real simulstream reads our logs, and its StreamLAAL is ours.

It names PyTorch among its needs, though its scorers use none of it; `make parity` installs it without.
"""

import importlib.util
from argparse import Namespace
from pathlib import Path

import pytest

from dragoman.bench.lagging import Segment
from dragoman.bench.logs import LOG, REFERENCE, SCORER, SEGMENTS, write_logs
from dragoman.bench.session import figures_of
from dragoman.bench.units import CHARACTER, WORD
from tests.bench.conversations import conversation

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("simulstream") is None,
    reason="simulstream is not installed here; `make parity` installs it and runs this",
)

SENTENCES = [
    Segment(0.4, 5.1, "No obstante, los estilos occidentales podrían llevar un retraso de unos 25 a 30 años."),
    Segment(6.0, 9.25, "Todos los sustantivos llevan siempre su letra inicial mayúscula."),
    Segment(10.5, 14.0, "Agregó que no es correcto exigirles obligaciones."),
]
CLAUSES = [
    ("Sin embargo, los estilos", 0.4, 2.0, 3.1),
    ("en el oeste podrían retrasarse por 25 a 30 año.", 2.1, 5.1, 6.2),
    ("Todos los nombres siempre", 6.0, 7.5, 8.0),
    ("empiezan con una letra mayúscula. Agregó", 7.5, 10.9, 12.0),
    ("que no se les debe pedir obligaciones", 10.9, 14.0, 14.9),
]


CHINESE = [Segment(0.0, 3.0, "今天她看起来很好，"), Segment(3.4, 6.0, "我们一起去公园跑步吧。")]
CHINESE_CLAUSES = [("今天她很漂亮，", 0.0, 2.5, 3.5), ("我们一起去花园", 3.4, 5.0, 5.6), ("跑步吧。", 5.0, 6.0, 7.1)]


@pytest.mark.parametrize(
    ("clauses", "sentences", "unit"), [(CLAUSES, SENTENCES, WORD), (CHINESE_CLAUSES, CHINESE, CHARACTER)]
)
def test_its_stream_laal_is_ours(
    tmp_path: Path, clauses: list[tuple[str, float, float, float]], sentences: list[Segment], unit: str
) -> None:
    from simulstream.config import yaml_config
    from simulstream.metrics.readers import LogReader, YamlReferenceReader
    from simulstream.metrics.scorers.latency import LatencyScoringSample
    from simulstream.metrics.scorers.latency.stream_laal import StreamLaal

    one = figures_of("n1-0", conversation(*clauses), sentences, (), unit)
    write_logs(tmp_path, [one], unit)
    config = yaml_config(str(tmp_path / SCORER))
    heard = LogReader(config, str(tmp_path / LOG), latency_unit=unit).final_outputs_and_latencies()
    wanted = YamlReferenceReader(str(tmp_path / SEGMENTS), str(tmp_path / REFERENCE)).references
    samples = [LatencyScoringSample(name, heard[name], wanted[name]) for name in wanted]
    assert [sample.audio_name for sample in samples] == ["n1-0"]
    theirs = StreamLaal(Namespace(latency_unit=unit)).score(samples)
    assert one.offline is not None
    assert one.offline.lagging is not None
    assert theirs.computational_aware_latency == pytest.approx(one.offline.lagging.aware_s, abs=1e-9)
    assert theirs.ideal_latency == pytest.approx(one.offline.lagging.unaware_s, abs=1e-9)
    assert one.offline.lagging.aware_s - one.offline.lagging.unaware_s > 0.5


def test_it_counts_no_erasure_where_nothing_is_taken_back(tmp_path: Path) -> None:
    from simulstream.config import yaml_config
    from simulstream.metrics.readers import LogReader
    from simulstream.metrics.stats import NormalizedErasure

    write_logs(tmp_path, [figures_of("n1-0", conversation(*CLAUSES), SENTENCES, (), WORD)], WORD)
    reader = LogReader(yaml_config(str(tmp_path / SCORER)), str(tmp_path / LOG))
    assert NormalizedErasure().compute(reader) == 0.0
