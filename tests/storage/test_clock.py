"""What the kernel says of its clock, in words that an event can hold."""

import pytest

from storage import clock


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((-1, 0, 0, 0), "unknown"),
        ((5, 0, 0, 0), "unsynchronised"),
        ((0, 0x0040, 0, 16_000_000), "unsynchronised"),
        ((0, 0x0001, 12, 15_000), "ntp; offset 12 us; error at most 15000 us"),
        ((0, 0x2001, -12_400, 15_000), "ntp; offset -12 us; error at most 15000 us"),
    ],
)
def test_an_answer_of_the_kernel_in_words(answer: tuple[int, int, int, int], words: str) -> None:
    assert clock.describe(*answer) == words


def test_another_system_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock.sys, "platform", "other")
    monkeypatch.setattr(clock, "_last", (-1e9, ""))
    assert clock.clock_source() == "unknown"


def test_the_kernel_is_asked_once_in_some_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(clock, "_last", (-1e9, ""))
    monkeypatch.setattr(clock, "_ask_kernel", lambda: asked.append(1) or "ntp")
    assert {clock.clock_source() for _ in range(50)} == {"ntp"}
    assert len(asked) == 1


def test_this_kernel_answers() -> None:
    assert clock.clock_source().partition(";")[0] in ("ntp", "unsynchronised", "unknown")
