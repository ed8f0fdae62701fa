"""`dragoman serve` with fake engines that never come back, as a program: `python -m tests.fakes.stuck loading|hearing`.

It says in its log when it is stuck. With any other word its engines do come back. Its end has short limits.
"""

import logging
import sys
import threading
from typing import NoReturn

from dragoman.config.settings import load_settings
from dragoman.models.base import RecognitionRequest
from dragoman.models.registry import Engines
from dragoman.server import runner, services
from dragoman.server.logs import configure_logging
from tests.fakes.engines import fake_engines


def stuck(_: object = None) -> NoReturn:
    """Never return, and not end when the program would."""
    logging.getLogger("dragoman").info("stuck")
    while True:
        threading.Event().wait()


def hears_for_ever(request: RecognitionRequest) -> str:
    return stuck(request)


def main(where: str) -> None:
    def load(*_: object) -> Engines:
        if where == "loading":
            stuck()
        return fake_engines(hears_for_ever if where == "hearing" else lambda request: "hello there")

    services.LAST_WORDS_S = services.HURRY_S = runner.END_S = 0.5
    runner.GOODBYE_S = 0
    settings = load_settings()
    configure_logging(settings)
    runner.serve(settings, load)


if __name__ == "__main__":
    main(sys.argv[1])
