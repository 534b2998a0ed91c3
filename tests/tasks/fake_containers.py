"""A stand-in for the cell: containers that are plain JSON, with whatever may be wrong with them.

A document is the JSON of a ``Node``; a node with members is a container. What a real container
does by damage, these do because a member's ``flaw`` says so.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from hypothesis import strategies as st

from tasks.reader.answer import Contents, Member, Page, Transcript
from tasks.reader.failures import UnreadableError
from tasks.transcribing import Look

FLAWS = ("", "", "", "encrypted", "folder", "symlink", "overlap", "parent", "damaged", "gone")
Node = dict[str, Any]

LEAVES = st.fixed_dictionaries({"text": st.sampled_from(["", "甲", "words"])})
NODES: st.SearchStrategy[Node] = st.recursive(
    LEAVES,
    lambda inner: st.fixed_dictionaries(
        {
            "members": st.lists(
                st.tuples(inner, st.sampled_from(FLAWS), st.booleans()).map(list), max_size=4
            )
        }
    ),
    max_leaves=12,
)


def document(node: Node) -> bytes:
    """Return the bytes of a node as a document."""
    return json.dumps(node, ensure_ascii=False, sort_keys=True).encode()


def member(index: int, node: Node, flaw: str, sized: bool) -> Member:
    """Return what the container says of one member."""
    return Member(
        index=index,
        name=f"../{index}" if flaw == "parent" else f"m{index}",
        raw_name="",
        encoding="utf-8",
        kind="folder" if flaw == "folder" else "symlink" if flaw == "symlink" else "file",
        size=len(document(node)) if sized else -1,
        encrypted=flaw == "encrypted",
        unsafe=(flaw,) if flaw in ("overlap", "parent") else (),
    )


def listed(node: Node) -> Contents:
    """Return what a container says that it holds."""
    members = tuple(member(i, *each) for i, each in enumerate(node["members"]))
    return Contents("json", members, sum(max(each.size, 0) for each in members))


@dataclass
class FakeTaken:
    """One member on its way out."""

    index: int
    node: Node
    flaw: str

    def pieces(self) -> Iterator[bytes]:
        """Yield the bytes; a damaged member breaks off in the middle."""
        data = document(self.node)
        yield data[:5]
        if self.flaw == "damaged":
            raise UnreadableError("damaged", code="refused")
        yield data[5:]


class FakeOpener:
    """An ``Opener`` over such documents."""

    def look(self, file: BinaryIO, name: str, part: str) -> Look:
        """Return what a document says, and what it holds."""
        file.seek(0)
        node = json.loads(file.read())
        if "members" in node:
            return Look(Transcript("application/x-node", "", "read"), listed(node))
        text = node["text"]
        pages = (Page(1, "document", text),) if text else ()
        return Look(Transcript("text/plain", "", "read" if text else "empty", pages=pages))

    def unpack(self, file: BinaryIO, name: str, wanted: Sequence[int]) -> Iterator[FakeTaken]:
        """Yield the wanted members; behind one that is ``gone`` there are no more."""
        file.seek(0)
        members = json.loads(file.read())["members"]
        for index in wanted:
            node, flaw, _ = members[index]
            if flaw == "gone":
                return
            yield FakeTaken(index, node, flaw)


def expected(node: Node, depth: int, most: int) -> list[tuple[str, Node, str]]:
    """Return path, node and flaw of every part that an expansion must name, in order."""
    found: list[tuple[str, Node, str]] = []
    broken = False
    for index, (inner, flaw, _) in enumerate(node["members"]):
        asked = flaw not in ("encrypted", "folder", "symlink", "overlap")
        broken = broken or (asked and flaw == "gone")
        flaw = "gone" if broken and asked else flaw
        found.append((str(index), inner, flaw))
        if flaw in ("", "parent") and "members" in inner and depth + 1 < most:
            below = expected(inner, depth + 1, most)
            found += [(f"{index}/{path}", each, why) for path, each, why in below]
    return found
