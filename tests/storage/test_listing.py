"""The canonical listing: one spelling, one digest, reproducible with general tools."""

import hashlib
import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage import listing
from storage.digest import Fingerprint, fingerprint_bytes
from storage.errors import InputError
from storage.listing import ListedFile, bundle_digest, listing_text, parse_listing

ONE = fingerprint_bytes(b"one")
HEX = st.text("0123456789abcdef", min_size=64, max_size=64)
PATHS = (
    st.binary(min_size=1, max_size=40)
    .filter(lambda raw: b"\0" not in raw)
    .map(lambda raw: raw.decode("utf-8", "surrogateescape"))
)
FILES = st.lists(
    st.builds(ListedFile, PATHS, st.builds(Fingerprint, st.integers(0, 10**18), HEX, HEX, HEX)),
    max_size=6,
    unique_by=lambda file: file.path,
)


@settings(deadline=None)
@given(FILES)
def test_a_listing_is_read_back_as_it_was_written(files):
    text = listing_text(files)
    assert text.isascii()
    assert sorted(parse_listing(text), key=lambda f: f.path) == sorted(files, key=lambda f: f.path)


@settings(deadline=None)
@given(FILES)
def test_the_order_of_files_does_not_count(files):
    """FP-05."""
    assert bundle_digest(files) == bundle_digest(files[::-1])
    assert bundle_digest(files) == hashlib.sha256(listing_text(files).encode()).hexdigest()


@settings(deadline=None)
@given(FILES.filter(len), st.data())
def test_any_other_spelling_is_refused(files, data):
    text = listing_text(files)
    at = data.draw(st.integers(0, len(text) - 1))
    changed = text[:at] + data.draw(st.sampled_from(" \n%AZ09")) + text[at + 1 :]
    if changed == text:
        return
    try:
        again = parse_listing(changed)
    except InputError:
        return
    assert listing_text(again) == changed
    assert bundle_digest(again) != bundle_digest(files)


@pytest.mark.parametrize(
    "bad",
    [
        lambda line: line + line,
        lambda line: line.rstrip("\n"),
        lambda line: line.replace("  3  ", "  03  "),
        lambda line: line.replace("a.txt", "%61.txt"),
        lambda line: line.replace("a.txt", "%e4.txt"),
        lambda line: line.upper(),
        lambda line: "\n" + line,
    ],
)
def test_near_misses_are_refused(bad):
    line = listing_text([ListedFile("a.txt", ONE)])
    with pytest.raises(InputError):
        parse_listing(bad(line))


def test_a_path_cannot_stand_twice():
    with pytest.raises(InputError):
        listing_text([ListedFile("a", ONE), ListedFile("a", ONE)])


def test_an_empty_bundle_has_the_digest_of_nothing():
    assert bundle_digest([]) == hashlib.sha256(b"").hexdigest()


def test_the_script_of_the_reference_gives_the_same_digest(tmp_path: Path):
    """FP-05: The commands in docs/manifest.md and in the module agree with the code."""
    names = ["合同/供货合同（2026年）.pdf", "a b'c\"d!*().txt", "we\nird%41\t.txt", "-n", "é~_.-"]
    for name in names:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(name.encode())
    (tmp_path / ".done").touch()
    files = [ListedFile(name, fingerprint_bytes(name.encode())) for name in names]
    manual = Path(listing.__file__).parents[1] / "docs" / "manifest.md"
    for text in (manual.read_text(), str(listing.__doc__).replace("\n    ", "\n")):
        match = re.search(r"^find .*?sha256sum$", text, re.S | re.M)
        assert match is not None
        answer = subprocess.run(
            ["bash", "-c", match.group()], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        assert answer.stdout.split()[0] == bundle_digest(files)
