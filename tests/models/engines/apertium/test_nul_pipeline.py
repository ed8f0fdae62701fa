"""A NUL behind each question and each answer; what programs are and how they end is in test_piped_programs.py."""

import os

import pytest

from dragoman.models.engines.apertium.nul_pipeline import NulPipeline
from dragoman.models.processes.piped_programs import ProgramsBroken
from tests.waiting import PATIENCE_S


def test_nul_in_a_question_is_refused() -> None:
    cat = NulPipeline([["cat"]], os.environ)
    cat.start()
    with pytest.raises(ValueError, match="NUL"):
        cat.exchange(b"a\0b", 5)
    cat.close()


def test_two_answers_to_one_question() -> None:
    eager = NulPipeline([["sh", "-c", r"read line; printf 'one\0two\0'; sleep 60"]], os.environ)
    eager.start()
    with pytest.raises(ProgramsBroken, match="more than one answer"):
        eager.exchange(b"hello\n", PATIENCE_S)
    eager.close()
