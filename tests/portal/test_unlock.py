"""``custody unlock``: the password comes by standard input or a prompt, and is shown nowhere."""

from __future__ import annotations

from typing import Any

import pytest
from typer.testing import CliRunner

from portal.cli import build
from storage.errors import InputError
from storage.nouns import Person
from tasks.reading import ReadResult

WORD = "Hidden-Pass-0417"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What the command hands on, instead of a house and a cell."""
    seen: list[tuple[Any, ...]] = []

    def unlock(custody: object, pool: object, *values: Any) -> list[ReadResult]:
        seen.append(values)
        if values[1] == "wrong":
            raise InputError("密码不正确。 The password is wrong.", remedy="try again")
        return [ReadResult("C/E0001", "a.pdf", "read", 3, "")]

    monkeypatch.setattr("tasks.unlocking.unlock", unlock)
    monkeypatch.setattr("tasks.reading.shared_pool", lambda: None)
    monkeypatch.setattr("storage.custody.current", lambda: None)
    monkeypatch.setattr("portal.acting.person", lambda name: Person(name or "receiver", unit="u"))
    return seen


def test_the_first_line_of_standard_input_is_the_password(asked: list[tuple[Any, ...]]) -> None:
    line = ["unlock", "C/E0001", "--part", "2/0", "--by", "张三"]
    answer = CliRunner().invoke(build(), line, input=f"{WORD}\nmore\n")
    assert answer.exit_code == 0
    assert asked == [("C/E0001", WORD, Person("张三", unit="u"), "2/0")]
    assert WORD not in answer.output
    assert "a.pdf" in answer.output


def test_a_wrong_one_shows_neither_itself_nor_a_traceback(asked: list[tuple[Any, ...]]) -> None:
    answer = CliRunner().invoke(build(), ["unlock", "C/E0001"], input="wrong\n")
    assert isinstance(answer.exception, InputError)
    assert "wrong\n" not in answer.output


def test_there_is_no_option_for_it() -> None:
    answer = CliRunner().invoke(build(), ["unlock", "C/E0001", "--password", WORD])
    assert answer.exit_code == 2
    assert "--password" not in CliRunner().invoke(build(), ["unlock", "--help"]).output
