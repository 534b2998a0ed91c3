"""A disk that refuses: full, without inodes, read-only. One clear error, nothing half there.

Each case runs in a mount namespace of its own, on a small disk of its own.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

UNSHARE = ["unshare", "--user", "--map-root-user", "--mount"]
BEGIN = """
import io, os, subprocess, sys
from pathlib import Path
disk = Path(sys.argv[1])
def mount(*options):
    subprocess.run(["mount", *options, "none", str(disk)], check=True)
from storage.digest import fingerprint_bytes
from storage.directory import DirectoryStore
from storage.errors import HostError
P, C = "quarantine/a/originals", "cases/c/originals"
def refused(act, word):
    try:
        act()
    except HostError as error:
        assert word in error.remedy, (word, error.remedy)
        assert error.facts["errno"], error.facts
    else:
        raise AssertionError("it was not refused")
def put(data):
    return store.put(f"{C}/{len(data)}", io.BytesIO(data), fingerprint_bytes(data))
def files():
    return sorted(str(p.relative_to(disk)) for p in disk.rglob("*") if p.is_file())
def get(ref):
    with store.open(ref) as stream:
        return stream.read()
"""
FULL = """
mount("-t", "tmpfs", "-o", "size=3m")
store = DirectoryStore(disk / "objects")
small = store.take(P, io.BytesIO(b"small"))
large, before = os.urandom(4_000_000), files()
for act in (lambda: store.take(P, io.BytesIO(large)), lambda: put(large)):
    refused(act, "space")
    assert files() == before, files()
(disk / "ballast").write_bytes(bytes(2_000_000))
data = os.urandom(1_500_000)
refused(lambda: store.take(P, io.BytesIO(data)), "space")
moved = store.move(small.ref, f"{C}/x", small.fingerprint)
assert get(moved) == b"small"
(disk / "ballast").unlink()
assert get(store.take(P, io.BytesIO(data)).ref) == data
print("held")
"""
INODES = """
mount("-t", "tmpfs", "-o", "size=30m,nr_inodes=40")
store = DirectoryStore(disk / "objects")
kept, count = [], 0
try:
    while count < 100:
        kept.append(store.take(f"quarantine/{count}/originals", io.BytesIO(b"%d" % count)))
        count += 1
except HostError as error:
    assert "inodes" in error.remedy, error.remedy
assert 5 < count < 40, count
refused(lambda: store.take(P, io.BytesIO(b"x")), "inodes")
refused(lambda: put(b"x"), "inodes")
first = kept[0]
refused(lambda: store.move(first.ref, f"{C}/deep/x", first.fingerprint), "inodes")
assert [get(each.ref) for each in kept] == [b"%d" % number for number in range(count)]
assert not list((disk / "objects/.incoming").iterdir())
for each in kept[1:]:
    store.delete(each.ref)
assert get(store.move(first.ref, f"{C}/x", first.fingerprint)) == b"0"
assert get(put(b"x")) == b"x"
print("held")
"""
READ_ONLY = """
mount("-t", "tmpfs", "-o", "size=3m")
store = DirectoryStore(disk / "objects")
kept = store.take(P, io.BytesIO(b"before"))
mount("-o", "remount,ro")
refused(lambda: store.take(P, io.BytesIO(b"after")), "read-only")
refused(lambda: put(b"after"), "read-only")
refused(lambda: store.move(kept.ref, f"{C}/x", kept.fingerprint), "read-only")
refused(lambda: store.delete(kept.ref), "read-only")
assert get(DirectoryStore(disk / "objects").find(kept.ref.key)) == b"before"
assert get(kept.ref) == b"before"
mount("-o", "remount,rw")
assert get(store.move(kept.ref, f"{C}/x", kept.fingerprint)) == b"before"
assert get(store.take(P, io.BytesIO(b"after")).ref) == b"after"
print("held")
"""
BREAKS = """
mount("-t", "tmpfs", "-o", "size=3m")
store = DirectoryStore(disk / "objects")
class Source(io.RawIOBase):
    count = 0
    def readable(self):
        return True
    def read(self, size=-1):
        self.count += 1
        if self.count == 3:
            raise OSError(5, "the dropped medium is damaged")
        return bytes(1000)
try:
    store.take(P, Source())
except OSError as error:
    assert error.errno == 5
assert files() == [], files()
print("held")
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "case", [FULL, INODES, READ_ONLY, BREAKS], ids=["full", "inodes", "read-only", "source"]
)
def test_a_disk_that_refuses_is_one_clear_error(tmp_path: Path, case: str) -> None:
    possible = (
        shutil.which("unshare")
        and not subprocess.run(
            [*UNSHARE, "mount", "-t", "tmpfs", "none", str(tmp_path)],
            capture_output=True,
            check=False,
        ).returncode
    )
    if not possible:
        pytest.skip("this host lets nobody mount a small disk in a namespace of its own")
    done = subprocess.run(
        [*UNSHARE, sys.executable, "-c", BEGIN + case, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert done.stdout == "held\n", done.stderr
