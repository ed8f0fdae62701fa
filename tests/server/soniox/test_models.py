import pytest

from dragoman.server.failures import BadMessage
from dragoman.server.protocols.soniox.models import MODELS, find_model


def test_the_newest_is_listed_first_and_the_preview_is_it() -> None:
    assert next(iter(MODELS)) == "stt-rt-v6"
    assert find_model("stt-rt-preview").alias_of == "stt-rt-v6"


@pytest.mark.parametrize("model_id", ["stt-rt-v6", "stt-rt-v7", "stt-rt-v12", "stt-rt-v9999"])
def test_newer_ids_mean_the_engines_that_are_here(model_id: str) -> None:
    model = find_model(model_id)
    assert (model.model_id, model.tunes_endpoints) == (model_id, True)


@pytest.mark.parametrize(
    "model_id",
    ["stt-rt-v2", "stt-rt-v0", "stt-rt-v07", "stt-rt-v99999", "stt-rt-v7 ", "stt-rt-v7-x", "stt-async-v6", ""],
)
def test_what_is_no_newer_real_time_id_is_not_known(model_id: str) -> None:
    with pytest.raises(BadMessage, match="unknown model"):
        find_model(model_id)
