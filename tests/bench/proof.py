"""Proof bundles: size and time of one for a case of 1,000 small exhibits.

Run: ``.venv/bin/python -m tests.bench.proof [--exhibits 1000]``. The bundle is made by the real
command's function and verified by the shipped program in the system's own Python.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import tempfile
import time
from pathlib import Path

from storage.note import Signer
from storage.verifier import VERIFIER
from tasks.proving import Wish, prove
from tests.tasks.life import open_house
from tests.tasks.proof_made import CASE_NO, PYTHON, take_case

_SIGNATURES = """
import importlib.util, sys, time
spec = importlib.util.spec_from_file_location("shipped", {path!r})
shipped = importlib.util.module_from_spec(spec)
spec.loader.exec_module(shipped)
key, signature = bytes.fromhex({key!r}), bytes.fromhex({signature!r})
started = time.perf_counter()
assert all(shipped.ed25519(key, signature, b"text") for _ in range(100))
print((time.perf_counter() - started) * 10)
"""


def folder_size(folder: Path) -> int:
    """Return the bytes of all files below a folder."""
    return sum(each.stat().st_size for each in folder.rglob("*") if each.is_file())


def main() -> None:
    """Make, measure, verify."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--exhibits", type=int, default=1000)
    count = parser.parse_args().exhibits
    files = {f"d{number:05d}.txt": f"第 {number} 份文件。".encode() * 40 for number in range(count)}
    originals = sum(map(len, files.values()))
    with tempfile.TemporaryDirectory() as scratch, open_house(Path(scratch, "home")) as custody:
        root = Path(scratch)
        take_case(custody, root / "in", CASE_NO, files)
        started = time.perf_counter()
        made = prove(custody, CASE_NO, root / "bundle", Wish())
        seconds = time.perf_counter() - started
        size = folder_size(root / "bundle")
        events = made["events"]
        proofs = folder_size(root / "bundle/events")
        print(f"{count} exhibits, {events} events, originals of {originals / 1e6:.2f} MB")
        print(f"bundle: {size / 1e6:.2f} MB, made in {seconds:.1f} s")
        print(f"events and their proofs: {proofs / events:.0f} bytes an event")
        policy = root / "bundle/policy.json"
        command = [PYTHON, "-I", str(VERIFIER), str(root / "bundle"), "--policy", str(policy)]
        started = time.perf_counter()
        done = subprocess.run(command, capture_output=True, check=False)
        seconds = time.perf_counter() - started
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000
        print(f"verified in {seconds:.1f} s, exit code {done.returncode}, peak {peak:.0f} MB")
    signer = Signer("example.org/log", bytes(32))
    signed = _SIGNATURES.format(
        path=str(VERIFIER),
        key=signer.verifier.public_key.hex(),
        signature=signer.sign("text").value.hex(),
    )
    done = subprocess.run([PYTHON, "-I", "-c", signed], capture_output=True, check=True)
    print(f"one Ed25519 signature in plain Python: {float(done.stdout):.1f} ms")


if __name__ == "__main__":
    main()
