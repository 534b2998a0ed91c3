"""Share a time over the targets: ``python -m tests.fuzz [--seconds N] [--keep] [TARGET...]``."""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.fuzz.targets import GROUPS, Target, all_targets, targets_of

ROOT = Path(__file__).resolve().parents[2]
CORPUS = Path(__file__).parent / "corpus"
WORK = ROOT / "var" / "fuzz"
HANG_SECONDS = 20
MEMORY_MB = 2048
KEPT_FILES, KEPT_BYTES = 12, 1024
"""Of each target so many inputs, and none larger, are kept with the code."""


def main(arguments: Sequence[str]) -> int:
    """Fuzz the targets, as many at once as there are cores; return how many had a finding."""
    targets = all_targets()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", choices=[[], *targets], metavar="TARGET")
    parser.add_argument("--seconds", type=int, default=60, help="time in all, shared")
    parser.add_argument("--keep", action="store_true", help="keep small new inputs in corpus/")
    chosen = parser.parse_args(arguments)
    names = chosen.targets or list(targets)
    cores = os.cpu_count() or 1
    each = max(1, chosen.seconds * min(cores, len(names)) // len(names))
    print(f"{len(names)} targets, {each} s each, {cores} at once; findings go to {WORK}")
    with ThreadPoolExecutor(cores) as threads:
        ended = list(threads.map(lambda name: _run(targets[name], each), names))
    if chosen.keep:
        for name in names:
            keep(targets[name])
    return min(sum(ended), 100)


def _run(target: Target, seconds: int) -> bool:
    """Fuzz one target; return whether there was a finding."""
    work = WORK / target.name
    found, grown = work / "findings", work / "corpus"
    kept = CORPUS / target.name
    for folder in (found, grown, kept):
        folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as seeds:
        for data in target.seeds():
            Path(seeds, hashlib.sha256(data).hexdigest()).write_bytes(data)
        command = [
            sys.executable, "-m", "tests.fuzz.one", _group(target), target.name,
            f"-max_total_time={seconds}", f"-timeout={HANG_SECONDS}", f"-rss_limit_mb={MEMORY_MB}",
            f"-artifact_prefix={found}/", "-max_len=65536", "-print_final_stats=1",
            str(grown), str(kept), seeds,
        ]  # fmt: skip
        done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    (work / "last.txt").write_bytes(done.stdout + done.stderr)
    print(f"{'NO' if done.returncode else 'ok'} {target.name:20} {_said(done.stderr)}", flush=True)
    if done.returncode:
        print((done.stdout + done.stderr).decode(errors="replace")[-1500:], flush=True)
    return bool(done.returncode)


def _group(target: Target) -> str:
    return next(group for group in GROUPS if target.name in targets_of(group))


def _said(stderr: bytes) -> str:
    lines = stderr.decode(errors="replace").splitlines()
    wanted = ("stat::number_of_executed_units", "stat::peak_rss_mb")
    return " ".join(line.removeprefix("stat::") for line in lines if line.startswith(wanted))


def keep(target: Target) -> None:
    """Keep the smallest new inputs beside the code, up to a bound."""
    kept, grown = CORPUS / target.name, WORK / target.name / "corpus"
    kept.mkdir(parents=True, exist_ok=True)
    room = KEPT_FILES - len(list(kept.iterdir()))
    small = sorted((p for p in grown.iterdir()), key=lambda path: (path.stat().st_size, path.name))
    for path in [p for p in small if 0 < p.stat().st_size <= KEPT_BYTES][: max(0, room)]:
        shutil.copyfile(path, kept / path.name)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
