"""Walk docs/deployment.md: type every block of it, in order, on machines that were empty.

::

    python -m tests.hosts.walk FOLDER        # goes on where a walk in that folder stopped

"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.hosts.lan import ROOT
from tests.hosts.machines import Machine, machines
from tests.hosts.page import MACHINES, PAGE, Block, blocks, printed
from tests.house import make_bundle

CACHE = Path(os.environ.get("ZHENGLIAN_MACHINES", "/var/tmp/zhenglian-machines"))
UPGRADE = "Upgrade"


@dataclass
class Walk:
    """A walk: the machines, what was typed already, what was printed."""

    folder: Path
    machine: dict[str, Machine]
    done: list[str] = field(default_factory=list)
    printed: dict[str, str] = field(default_factory=dict)
    own: dict[str, str] = field(default_factory=dict)

    @property
    def _state(self) -> Path:
        return self.folder / "walk.json"

    def resume(self) -> None:
        """Read how far an earlier walk in this folder came."""
        if self._state.exists():
            state = json.loads(self._state.read_text())
            self.done, self.printed, self.own = state["done"], state["printed"], state["own"]

    def _keep(self) -> None:
        state = {"done": self.done, "printed": self.printed, "own": self.own}
        self._state.write_text(json.dumps(state, ensure_ascii=False))

    def section(self, number: str) -> None:
        """Type the blocks of the sections whose heading begins like this."""
        for block in blocks(PAGE.read_text()):
            if block.section.startswith(number):
                self.block(block)

    def block(self, block: Block) -> None:
        """Type a block on each of its machines, unless that was done before."""
        if block.shares:
            return  # The kernel here has no network file system: one folder stands for it.
        text = block.filled(self.printed, self.own)
        for name in block.machines:
            key = hashlib.sha256(f"{name}\n{block.text}".encode()).hexdigest()[:16]
            if key in self.done:
                continue
            began = time.monotonic()
            self.printed |= printed(self.machine[name].type(text))
            self.done.append(key)
            self._keep()
            line = block.text.splitlines()[1][:60]
            _say(f"{time.monotonic() - began:6.1f} s  {name:8} {block.section[:24]:24} {line}")

    def deliver(self, number: str, case_no: str, seconds: float = 600) -> None:
        """Let a unit put a bundle into the drop folder; returns when it can be verified."""
        share = self.folder / "share"
        bundle = make_bundle(share / number, number, {"a.txt": number.encode()}, case_no)
        subprocess.run(["chown", "-R", "880:880", str(bundle)], check=True)
        bundle.rename(share / "drop/pudong-01" / number)
        ends, keeper = time.monotonic() + seconds, self.machine["keeper"]
        while "✓" not in (said := keeper.ask("zl", "verify", case_no)):
            assert time.monotonic() < ends, f"{case_no}: {said}"
            time.sleep(3)

    def reboot(self, *names: str) -> None:
        """Switch machines off and on again, all at the same time off."""
        for name in names:
            self.machine[name].shut_down()
        for name in names:
            self.machine[name].boot()


def repository(folder: Path) -> Path:
    """Return a bare copy of this repository that machines can clone: the commit of HEAD."""
    copy = folder / "share-of-the-world" / "zhenglian.git"
    if not copy.exists():
        copy.parent.mkdir(parents=True)
        subprocess.run(["git", "clone", "-q", "--bare", str(ROOT), str(copy)], check=True)
    return copy


def begin(folder: Path, made: dict[str, Machine]) -> Walk:
    """Switch every machine on; put in what is the reader's to put in."""
    walk = Walk(folder, made)
    walk.resume()
    copy = repository(folder)
    for machine in made.values():
        machine.sees.append((copy.parent, "/mnt/world"))
        machine.boot()
    if not walk.own:
        key = folder / "custody-backup.txt"
        subprocess.run(["age-keygen", "-o", str(key)], check=True, capture_output=True)
        found = re.search(r"age1\w+", key.read_text())
        assert found
        walk.own = {"REPOSITORY": "file:///mnt/world/zhenglian.git"}
        walk.printed["AGE"] = found[0]
    return walk


def install(walk: Walk) -> None:
    """Walk the page from its first step to 'It works when'."""
    for step in "1234567":
        walk.section(f"{step}. ")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    here = Path(sys.argv[1]).resolve()
    with machines(*MACHINES, folder=here, cache=CACHE) as made:
        install(begin(here, made))
