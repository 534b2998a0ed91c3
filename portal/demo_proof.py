"""The demonstration's proof: a bundle of one exhibit, checked by the shipped program alone.

The system's own Python runs it, apart from this house: no package, no path, no setting of ours.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from portal.show import cell, line
from storage.custody import current
from storage.errors import IntegrityError
from storage.verifier import VERIFIER
from tasks.policies import present_policy
from tasks.proving import Wish, prove

_CLOSING = 7
"""Lines of the verifier's answer that are shown."""


def prove_to_others(exhibit: str, folder: Path) -> None:
    """Make a bundle, have it verified as an auditor would, and show how that ends.

    Raises:
        IntegrityError: it does not hold.
    """
    house, bundle = current(), folder / "proof"
    policy = folder / "policy.json"
    policy.write_text(present_policy(house.settings).text())
    made = prove(house, exhibit, bundle, Wish())
    line(f"证明包 proof bundle: {cell(bundle)} · {made['events']} 个事件 events")
    python = shutil.which("python3", path=os.defpath) or "python3"
    command = [
        python,
        "-I",
        str(VERIFIER),
        str(bundle.resolve()),
        "--policy",
        str(policy.resolve()),
    ]
    line(
        f"[dim]$ {cell(' '.join([*command[:2], 'verify.py', 'proof', '--policy', policy.name]))}[/]"
    )
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
    for each in done.stdout.strip().splitlines()[-_CLOSING:]:
        line(f"  {cell(each)}")
    if done.returncode:
        raise IntegrityError(f"the proof bundle does not hold: exit code {done.returncode}")
