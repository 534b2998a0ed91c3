"""The judge of BagIt bags (0.97 and 1.0, RFC 8493): what a bag says of itself is checked.

A folder or archive whose root holds ``bagit.txt`` is a bag. In order:

1. the declaration is of a version that is known, in UTF-8 (2.1.1);
2. nothing is to be fetched: a ``fetch.txt`` with any line is refused (2.2.3);
3. each manifest and tag manifest is read to its end, its paths stay in the bag, none stands
   there twice (2.1.3, 2.2.1);
4. what is listed is there, and what is there in ``data/`` is listed: in every manifest of a 1.0
   bag, in at least one of a 0.97 bag (3);
5. every digest is that of the bytes that are kept;
6. Payload-Oxum, where it stands, is what was received (2.2.2).

A path is matched byte by byte, with ``%0A %0D %25`` decoded. Tools differ: where no file has the
decoded name, one whose name is as written is meant (0.97 bags the other way round), and where
neither is there, the one file whose name is the same in Unicode's normal form. Pure: whoever
calls hands in how to read a tag file and how to compute digests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from storage.errors import InputError
from storage.listing import ListedFile
from storage.normal import normal_form
from tasks import bag_lists as lists
from tasks import bag_mistakes as wrong
from tasks.bag_lists import Declaration, Line
from tasks.manifest_mistakes import Mistake

MOST_MISTAKES = 1000
"""Mistakes of one bag that are told; a bag has nothing to gain from more."""

ReadTag = Callable[[str], bytes]
Digests = Callable[[str, Sequence[str]], dict[str, str]]


@dataclass(frozen=True)
class Bag:
    """A bag that was judged: its version, its files by kind, and everything wrong with it."""

    version: str
    payload: tuple[str, ...]
    tags: tuple[str, ...]
    mistakes: tuple[Mistake, ...]


@dataclass
class _Wanted:
    """What the manifests say of one file: digests by algorithm, and where they stand."""

    digests: list[tuple[str, str, str]] = field(default_factory=list)


def is_bag(paths: Sequence[str]) -> bool:
    """Say whether files are those of a bag."""
    return lists.DECLARATION in paths


def judge_bag(files: Sequence[ListedFile], read: ReadTag, digests: Digests, most_bytes: int) -> Bag:
    """Judge a bag.

    Args:
        files: everything in it, tag files included, paths from its root.
        read: returns the bytes of a tag file by its path.
        digests: computes digests of a file, by path and names of algorithms.
        most_bytes: longest tag file that is read.
    """
    judge = _Judge(files, read, digests, most_bytes)
    found: list[Mistake] = []
    for mistake in judge.mistakes():
        found.append(mistake)
        if len(found) == MOST_MISTAKES:
            break
    payload = tuple(each.path for each in files if each.path.startswith(lists.PAYLOAD))
    tags = tuple(each.path for each in files if not each.path.startswith(lists.PAYLOAD))
    return Bag(judge.version, payload, tags, tuple(found))


class _Judge:
    def __init__(
        self, files: Sequence[ListedFile], read: ReadTag, digests: Digests, most_bytes: int
    ) -> None:
        self.version = ""
        self._files = {each.path: each for each in files}
        self._root = [each for each in files if "/" not in each.path]
        self._read, self._digests, self._most = read, digests, most_bytes
        self._wanted: dict[str, _Wanted] = {}
        self._listed: dict[str, set[str]] = {}
        self._folded: dict[str, list[str]] | None = None

    def mistakes(self) -> Iterator[Mistake]:
        """Yield everything that is wrong, in order."""
        try:
            declared = lists.declaration(self._tag(lists.DECLARATION))
        except InputError as error:
            yield wrong.declared_wrong(error.message)
            return
        self.version = declared.version
        if self._fetches():
            yield wrong.fetched()
        yield from self._lists(declared)
        yield from self._complete()
        yield from self._equal()
        yield from self._oxum()

    def _fetches(self) -> bool:
        fetch = self._files.get(lists.FETCH)
        long = fetch is not None and fetch.fingerprint.size > self._most
        return long or (fetch is not None and bool(self._tag(lists.FETCH).strip()))

    def _tag(self, name: str) -> bytes:
        if self._files[name].fingerprint.size > self._most:
            raise InputError(f"it is longer than {self._most} bytes")
        return self._read(name)

    def _lists(self, declared: Declaration) -> Iterator[Mistake]:
        for file in sorted(self._root, key=lambda each: each.path):
            name, size = file.path, file.fingerprint.size
            if not lists.is_list(name):
                continue
            of_tags, written, algorithm = lists.list_of(name)
            if not algorithm:
                yield wrong.unknown_algorithm(name, written)
            elif size > self._most:
                yield wrong.too_long(name, size, self._most)
            else:
                yield from self._list(name, algorithm, of_tags, declared)

    def _list(
        self, name: str, algorithm: str, of_tags: bool, declared: Declaration
    ) -> Iterator[Mistake]:
        listed: set[str] = set()
        if not of_tags:
            self._listed[name] = listed
        for line in lists.lines(self._tag(name)):
            if isinstance(line, int):
                yield wrong.bad_line(name, line, "无法识别", "is no digest and path")
                continue
            path = self._found(line, declared)
            if not lists.is_safe(path) or path.startswith(lists.PAYLOAD) is of_tags:
                yield wrong.bad_line(
                    name, line.number, "的路径不在应有的位置", "names a path that it may not name"
                )
            elif path in listed:
                yield wrong.bad_line(
                    name, line.number, "重复列出同一文件", "lists a file a second time"
                )
            elif path not in self._files:
                listed.add(path)
                yield wrong.listed_missing(path, name)
            else:
                listed.add(path)
                wanted = self._wanted.setdefault(path, _Wanted())
                wanted.digests.append((algorithm, line.digest, name))

    def _found(self, line: Line, declared: Declaration) -> str:
        """Return the path of the file that a line means, or its decoded path if there is none."""
        literal, decoded = line.written, lists.decoded(line.written)
        order = (literal, decoded) if declared.version == "0.97" else (decoded, literal)
        for path in order:
            if path in self._files:
                return path
        alike = self._alike().get(_folded(decoded), [])
        return alike[0] if len(alike) == 1 else decoded

    def _alike(self) -> dict[str, list[str]]:
        if self._folded is None:
            self._folded = {}
            for path in self._files:
                self._folded.setdefault(_folded(path), []).append(path)
        return self._folded

    def _complete(self) -> Iterator[Mistake]:
        """Every payload file is listed: in all manifests (1.0), or in one of them (0.97)."""
        if not self._listed:
            yield wrong.no_manifest()
            return
        everything = set().union(*self._listed.values())
        for path in sorted(self._files):
            if not path.startswith(lists.PAYLOAD):
                continue
            if self.version == "1.0":
                lacking = [name for name, listed in self._listed.items() if path not in listed]
            else:
                lacking = [] if path in everything else list(self._listed)
            for name in lacking:
                yield wrong.unlisted(path, name)

    def _equal(self) -> Iterator[Mistake]:
        for path, wanted in sorted(self._wanted.items()):
            print_ = self._files[path].fingerprint
            known = dict(print_.digests)
            lacking = sorted({algorithm for algorithm, _, _ in wanted.digests} - set(known))
            if lacking:
                known |= self._digests(path, lacking)
            for algorithm, digest, name in wanted.digests:
                if known[algorithm] != digest:
                    yield wrong.mismatch(path, name, algorithm, digest, known[algorithm])

    def _oxum(self) -> Iterator[Mistake]:
        if lists.INFO not in self._files:
            return
        size = self._files[lists.INFO].fingerprint.size
        if size > self._most:
            yield wrong.too_long(lists.INFO, size, self._most)
            return
        stated = lists.oxums(self._tag(lists.INFO))
        payload = [each for path, each in self._files.items() if path.startswith(lists.PAYLOAD)]
        received = (sum(each.fingerprint.size for each in payload), len(payload))
        told = f"{received[0]}.{received[1]}"
        if len(stated) > 1:
            yield wrong.oxum_wrong(f"× {len(stated)}")
        elif stated and stated[0] is None:
            yield wrong.oxum_wrong("?")
        elif stated and stated[0] != received:
            yield wrong.oxum_wrong(f"{stated[0][0]}.{stated[0][1]} ≠ {told}")  # type: ignore[index]


def _folded(path: str) -> str:
    return normal_form("NFC", path)
