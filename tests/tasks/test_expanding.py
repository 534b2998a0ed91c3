"""Expanding: every member of every container is a part, whatever is wrong with it."""

from __future__ import annotations

import io
import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.catalogue import parts
from storage.nouns import Person
from tasks.account import FAILED, State
from tasks.expanding import Bounds, Expander
from tasks.partlist import Heading, Part, heading_line, part_line, read_heading, read_part
from tests.tasks.fake_containers import NODES, FakeOpener, Node, document, expected, listed

WHO = Person("张伟", unit="执法稽查科")
SCRATCH = Path("/tmp")


def expand(node: Node, most: int = 5, **bounds: Any) -> list[Part]:
    with ThreadPoolExecutor(2) as threads:
        made = Expander(FakeOpener(), threads, SCRATCH, Bounds(max_depth=most, **bounds), 3)
        return list(made.members(io.BytesIO(document(node)), "n", listed(node)))


def containers(found: list[Part], node: Node) -> dict[str, tuple[int, int]]:
    held = {each.part: (each.members, each.member_bytes) for each in found if each.members >= 0}
    root = listed(node)
    return held | {"": (len(root.members), root.total_bytes)}


@given(NODES.filter(lambda node: "members" in node))
@settings(max_examples=150, deadline=None)
def test_the_sum_of_the_children_equals_the_parent(node: Node) -> None:
    found = expand(node, most=3)
    held = containers(found, node)
    count, claimed = Counter[str](), Counter[str]()
    for each in found:
        count[each.parent] += 1
        claimed[each.parent] += max(each.claimed, 0)
    assert set(count) <= set(held)
    assert {path: (count[path], claimed[path]) for path in held} == held


@given(NODES.filter(lambda node: "members" in node))
@settings(max_examples=100, deadline=None)
def test_every_member_is_a_part_in_order_with_a_state_and_its_digest(node: Node) -> None:
    found, wanted = expand(node, most=3), expected(node, 0, 3)
    assert [each.part for each in found] == [path for path, _, _ in wanted]
    for each, (_, inner, flaw) in zip(found, wanted, strict=True):
        assert State(each.state)
        taken = flaw in ("", "parent")
        assert (each.fingerprint is not None) == taken
        if each.fingerprint is not None:
            assert each.fingerprint.sha256 == sha256(document(inner)).hexdigest()
        if not taken:
            assert each.state in FAILED | {State.FOLDER}
            assert each.reason or each.state == State.FOLDER


@given(NODES.filter(lambda node: "members" in node))
@settings(max_examples=50, deadline=None)
def test_a_line_of_a_listing_is_read_back_as_it_was_written(node: Node) -> None:
    for each in expand(node):
        assert read_part(part_line(each)) == each


LOOKS = {"file": {"value": "T1" + "0A" * 35}, "image": {"absent": "cell_refused"}}
LINE = part_line(Part("0", "名.txt", "read", flags=("duplicate",), likeness=LOOKS))
HEADING = heading_line(Heading("c/E0001", "0" * 64, "some", roots=("0",)))


@given(st.integers(0, len(LINE) - 1), st.binary(max_size=3), st.integers(0, 3))
def test_a_changed_line_is_refused_or_is_the_spelling_of_another(
    at: int, put: bytes, cut: int
) -> None:
    for line, read, write in ((LINE, read_part, part_line), (HEADING, read_heading, heading_line)):
        place = at % len(line)
        changed = line[:place] + put + line[place + cut :]
        try:
            found = read(changed)
        except ValueError:
            continue
        assert write(found) == changed  # type: ignore[arg-type]


@pytest.mark.parametrize("line", [b"", b"[]", b"{}", b"[" * 100_000], ids=range(4))
def test_what_is_no_line_is_refused(line: bytes) -> None:
    for read in (read_part, read_heading):
        with pytest.raises(ValueError, match=r"."):
            read(line)


def reachable(node: Node) -> bool:
    """Whether no container breaks off: what lies behind such a place may come when asked alone."""
    members = node.get("members", ())
    return all(flaw != "gone" and reachable(inner) for inner, flaw, _ in members)


@given(NODES.filter(lambda node: "members" in node and reachable(node)))
@settings(max_examples=50, deadline=None)
def test_chosen_parts_come_alone_and_as_they_come_with_all(node: Node) -> None:
    found = expand(node)
    chosen = [each.part for each in random.Random(len(found)).sample(found, len(found) // 3)]
    with ThreadPoolExecutor(2) as threads:
        made = Expander(FakeOpener(), threads, SCRATCH)
        some = made.members(
            io.BytesIO(document(node)), "n", listed(node), (), frozenset(map(parts.place, chosen))
        )
        kept = list(some)
    below = [
        each.part
        for each in found
        if any(f"{each.part}/".startswith(f"{root}/") for root in chosen)
    ]
    assert [each.part for each in kept] == below


def test_what_is_too_deep_or_too_much_says_value_and_limit() -> None:
    node: Node = {"text": "x"}
    for _ in range(4):
        node = {"members": [[node, "", True]]}
    deep = expand(node, most=2)
    assert [(each.part, each.state, each.code) for each in deep] == [
        ("0", "expanded", ""),
        ("0/0", "too_deep", "depth:3:2"),
    ]
    wide: Node = {"members": [[{"members": [[{"text": "y"}, "", True]] * 5}, "", True]] * 3}
    many = expand(wide, max_entries=9)
    assert [(each.part, each.code) for each in many if each.state == "limit"] == [
        ("1", "entries:13:9"),
        ("2", "entries:13:9"),
    ]
    large: Node = {"members": [[{"text": "words" * 40}, "", False], [{"text": "y"}, "", True]]}
    assert [each.state for each in expand(large, max_file_bytes=100)] == ["limit", "read"]
    assert [each.code.split(":")[0] for each in expand(large, max_total_bytes=100)] == [
        "total",
        "total",
    ]
