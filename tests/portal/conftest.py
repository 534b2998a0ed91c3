"""The command line, run in this process as a person would run it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from portal import watching
from portal.watching import Watch
from storage.custody import Custody
from storage.settings import settings
from tests.hashing import hash_cheaply
from tests.house import forget
from tests.portal.watched import Taken


@dataclass(frozen=True)
class Answer:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def problem(self) -> tuple[str, str]:
        """What was wrong and what to do: the only two lines of an error."""
        assert "Traceback" not in self.err + self.out
        assert self.out == ""
        what, remedy = self.err.splitlines()
        assert what.startswith("✗ ")
        assert remedy.startswith("  → ")
        return what[2:], remedy[4:]


Run = Callable[..., Answer]


@pytest.fixture(scope="package", autouse=True)
def _cheap_hashes() -> Iterator[None]:
    """Hash passwords quickly, in what is made once for many tests too."""
    with pytest.MonkeyPatch.context() as patch:
        hash_cheaply(patch)
        yield


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Run ``custody`` with arguments; settings are given by keyword, as the environment."""
    from portal.cli import main

    def call(*arguments: str | Path, **environment: str) -> Answer:
        with monkeypatch.context() as patch:
            for name, value in environment.items():
                patch.setenv(name, value)
            forget()
            capsys.readouterr()
            code = main([str(each) for each in arguments])
            forget()
        return Answer(code, *capsys.readouterr())

    yield call
    forget()


@pytest.fixture
def empty(house: Custody) -> Custody:
    """A house in which nothing has happened yet."""
    return house


@pytest.fixture
def taken(house: Custody, monkeypatch: pytest.MonkeyPatch) -> Taken:
    made = Taken(house)
    monkeypatch.setattr(watching, "run_ingest", made)
    return made


@pytest.fixture
def watch(taken: Taken) -> Watch:
    return Watch(taken.house)


@pytest.fixture
def unit(house: Custody) -> Path:
    folder = house.workspace.drop / "pudong-01"
    folder.mkdir()
    return folder


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch, taken: Taken) -> Taken:
    """Scan twenty times a second."""
    monkeypatch.setenv("CUSTODY_SCAN_SECONDS", "0.05")
    settings.cache_clear()
    return taken
