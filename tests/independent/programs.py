"""Other people's verifiers of transparency logs, each installed by name and version, apart.

What reads Python needs an interpreter that the program supports; what reads JavaScript needs
node and npm (Debian: ``apt-get install nodejs npm``).
"""

import json
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.independent.verdict import Verdict, run

DRIVERS = Path(__file__).resolve().parent / "drivers"


class MissingError(Exception):
    """A program cannot be run on this machine."""


@dataclass(frozen=True)
class Outside:
    """A program by its package, and the driver that asks it."""

    package: str
    version: str
    driver: str
    python: tuple[int, int] = (3, 10)


PROGRAMS = (
    Outside("metamorphic-log", "0.1.11", "metamorphic.py"),
    Outside("proofbundle", "6.3.1", "tlog_proofs.py"),
    Outside("aics-tlog", "0.2.1", "aics.py", (3, 12)),
    Outside("sigstore", "4.5.1", "sigstore_python.py"),
    Outside("@sigstore/verify", "3.1.1", "sigstore.mjs"),
    Outside("@transmute/rfc9162", "0.0.5", "transmute.mjs"),
)


def install(program: Outside, folder: Path) -> list[str]:
    """Install a program below a new folder; return the command that runs its driver.

    Raises:
        MissingError: the machine lacks what it needs, or it cannot be installed.
    """
    driver = str(DRIVERS / program.driver)
    if program.driver.endswith(".mjs"):
        return _install_npm(program, folder, driver)
    python = interpreter(program.python)
    _must(program, python, "-m", "venv", folder)
    own = str(folder / "bin/python")
    _must(program, own, "-m", "pip", "install", "-q", f"{program.package}=={program.version}")
    return [own, driver]


def _install_npm(program: Outside, folder: Path, driver: str) -> list[str]:
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        raise MissingError("node and npm are not here: apt-get install nodejs npm")
    named = f"{program.package}@{program.version}"
    quiet = ("--no-audit", "--no-fund", "--ignore-scripts")
    _must(program, npm, "install", "--prefix", folder, *quiet, named)
    return [shutil.which("env") or "env", f"MODULES={folder}", node, driver]


def _must(program: Outside, *command: object) -> None:
    done = run(*command)
    if done.returncode:
        said = (done.stderr.strip() or "no message").splitlines()[-1]
        raise MissingError(f"{program.package} {program.version} cannot be installed: {said}")


def interpreter(least: tuple[int, int]) -> str:
    """Return a Python that is new enough: ours, one on the path, or one installed beside ours.

    Raises:
        MissingError: there is none.
    """
    if sys.version_info[:2] >= least:
        return sys.executable
    names = [f"python3.{minor}" for minor in range(least[1], least[1] + 6)]
    beside = Path(os.path.realpath(sys.executable)).parents[2]
    home = Path.home() / ".pyenv/versions"
    places = [path for root in (beside, home) for path in sorted(root.glob("3.*/bin/python3"))]
    for each in [*names, *map(str, places)]:
        found = shutil.which(each)
        asked = f"import sys; sys.exit(sys.version_info[:2] < {least})"
        if found and run(found, "-c", asked).returncode == 0:
            return found
    raise MissingError(f"no Python {least[0]}.{least[1]} or later is here: apt-get install python3")


def judge(program: Outside, command: list[str], exchange: Path) -> Verdict:
    """Let an installed program judge an exchange folder."""
    verdict = Verdict(program.package, program.version)
    done = run(*command, exchange)
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        verdict.wrong.append(f"no answer: {done.stderr.strip()[-400:]}")
        return verdict
    verdict.controls, verdict.refused = answer.pop("controls"), answer.pop("refused")
    verdict.wrong = answer.pop("wrong")
    verdict.accepted = answer
    return verdict
