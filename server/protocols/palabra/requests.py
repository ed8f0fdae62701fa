"""The fields of the commands beside `set_task`."""

from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, ValidationError

from dragoman.server.protocols.palabra.fields import BadTask, Language, Names, Table, explain, number

MAX_TEXT = 2_048
"""Characters of one text."""


def _said(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be empty")
    if len(text) > MAX_TEXT:
        raise ValueError(f"must have at most {MAX_TEXT} characters, not {len(text)}")
    return text


class Text(Table):
    """`tts_task`: say this, in every target or, as it is, in the target of its language."""

    text: Annotated[str, AfterValidator(_said)]
    language: Language
    translate_text: bool = False


class Interruption(Table):
    """`interrupt_task`. No languages, or `global` among them: all."""

    languages: Names | None = None
    pause_task: bool = False


class Ending(Table):
    """`end_task`. `force`: what is not said yet is not said. Clients that name a time wait for `eos`."""

    force: bool = False
    eos_timeout: Annotated[float, number(1, 30)] | None = None


RequestT = TypeVar("RequestT", bound=Table)


def read(kind: type[RequestT], data: dict[str, Any]) -> RequestT:
    """The fields of a command. Raises BadTask with every wrong one."""
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        raise BadTask(explain(error)) from error
