"""Model files that come inside installed packages, and how this house runs ONNX models."""

import importlib.util
from pathlib import Path
from typing import Any

from dragoman.models.errors import EngineUnavailable


def package_file(engine: str, package: str, name: str, remedy: str) -> Path:
    """Path of the file `name` inside an installed package, found without importing the package.

    Raises EngineUnavailable, naming `engine` and `remedy`, when the package or the file is not there.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise EngineUnavailable(engine, f"the package {package} is not installed", remedy)
    path = Path(spec.submodule_search_locations[0]) / name
    if not path.is_file():
        raise EngineUnavailable(engine, f"the installed {package} has no {name}", remedy)
    return path


def onnx_session(engine: str, model: Path | bytes, *, threads: int, remedy: str) -> Any:
    """An ONNX Runtime session on the processor that does not spin while it waits.

    `model` is a file or what stands in one. Any number of threads may run the session at once. Raises
    EngineUnavailable when the model cannot be loaded.
    """
    try:
        import onnxruntime  # noqa: PLC0415  (60 ms that no other engine should pay)

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 4  # errors arrive as exceptions
        # The arena keeps the largest segment's memory for ever and makes nothing faster here.
        options.enable_cpu_mem_arena = False
        # Spinning threads take nearly a whole core each from the other sessions while one computes.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        source = model if isinstance(model, bytes) else str(model)
        return onnxruntime.InferenceSession(source, sess_options=options, providers=["CPUExecutionProvider"])
    except Exception as error:
        name = "its model" if isinstance(model, bytes) else model.name
        raise EngineUnavailable(engine, f"{name} cannot be loaded ({error})", remedy) from error
