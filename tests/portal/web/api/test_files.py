"""Fetching what was sent: whole, in ranges, resumed; each download an event."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.web.api.ranges import Part, UnsatisfiableError, asked, unchanged
from storage.event import Action
from tasks.handing_out import files_of
from tests.house import events
from tests.portal.web.api.problem import problem
from tests.portal.web.api.world import Sent, World

SHA = "ab" * 32


@pytest.fixture(scope="module")
def sent(world: World) -> Sent:
    """One commission for all of these tests."""
    return world.send()


def downloads(world: World, sent: Sent) -> list[str]:
    """Return the phases of the downloads on record."""
    return [
        each.details["phase"]
        for each in events(world.house, Action.DOWNLOADED)
        if each.details["commission_no"] == sent.number
    ]


def test_ap_07_the_package_is_the_one_on_the_letter_and_its_download_an_event(
    world: World, sent: Sent
) -> None:
    """AP-07: tag, digest and bytes agree; CU-05: begun and ended are on record."""
    client = world.client()
    answer = client.get(f"{sent.path}/files/package")
    assert answer.status_code == 200
    assert hashlib.sha256(answer.content).hexdigest() == sent.digest
    assert answer.headers["etag"] == f'"{sent.digest}"'
    assert answer.headers["content-type"] == "application/zip"
    assert sent.id in answer.headers["content-disposition"]
    assert downloads(world, sent) == ["begun", "ended"]
    head = client.head(f"{sent.path}/files/package")
    assert head.status_code == 200
    assert head.headers["content-length"] == str(len(answer.content))
    assert head.headers["etag"] == answer.headers["etag"]
    assert downloads(world, sent) == ["begun", "ended"]


def test_a_download_cut_off_goes_on_in_the_same_bytes(world: World, sent: Sent) -> None:
    """AP-07: ranges joined are the file; with another tag all of it is given."""
    client, path = world.client(), f"{sent.path}/files/package"
    whole = client.get(path).content
    tag = f'"{sent.digest}"'
    first = client.get(path, headers={"Range": "bytes=0-999"})
    assert (first.status_code, len(first.content)) == (206, 1000)
    assert first.headers["content-range"] == f"bytes 0-999/{len(whole)}"
    rest = client.get(path, headers={"Range": "bytes=1000-", "If-Range": tag})
    assert (rest.status_code, first.content + rest.content) == (206, whole)
    other = client.get(path, headers={"Range": "bytes=1000-", "If-Range": '"0"'})
    assert (other.status_code, other.content) == (200, whole)
    last = client.get(path, headers={"Range": "bytes=-10"})
    assert last.content == whole[-10:]
    assert client.get(path, headers={"If-None-Match": tag}).status_code == 304
    beyond = client.get(path, headers={"Range": f"bytes={len(whole)}-"})
    problem(beyond, 416, "range")
    assert beyond.headers["content-range"] == f"bytes */{len(whole)}"


def test_the_letter_and_every_listed_file_has_its_digest(world: World, sent: Sent) -> None:
    """AP-02: what the commission lists is what is handed out, each with its digest."""
    client = world.client()
    files = client.get(sent.path).json()["files"]
    assert {"package", "letter"} <= {each["which"] for each in files}
    for each in files:
        body = client.get(each["href"].removeprefix("/api/v1")).content
        assert (len(body), hashlib.sha256(body).hexdigest()) == (
            each["size"],
            each["digests"]["sha256"],
        )
    problem(client.get(f"{sent.path}/files/nothing"), 404, "not_found")


def test_cu_05_what_was_altered_in_the_store_does_not_leave(world: World) -> None:
    """CU-05: the stored package is not what was sent: a problem, an alert, and no byte of it."""
    sent = world.send()
    row = next(each for each in files_of(world.house, sent.number) if each["which"] == "package")
    (stored,) = world.house.workspace.root.rglob(f"*{row['key']}")
    stored.chmod(0o644)
    stored.write_bytes(stored.read_bytes()[:-1] + b"x")
    answer = world.client().get(f"{sent.path}/files/package")
    told = problem(answer, 409, "digest_mismatch")
    assert "与发出时不一致" in told["detail"]
    assert "ended" not in downloads(world, sent)


_SIZE = st.integers(1, 10_000)


@given(_SIZE, st.integers(0, 11_000), st.integers(0, 11_000))
def test_a_range_lies_within_the_file_or_is_refused(size: int, first: int, last: int) -> None:
    """AP-07: RFC 9110, section 14: first to last, whatever is asked."""
    try:
        part = asked(f"bytes={first}-{last}", "", SHA, size)
    except UnsatisfiableError:
        assert first >= size
        return
    if last < first:
        assert part is None
    else:
        assert part == Part(first, min(last + 1, size), size)


@pytest.mark.parametrize(
    ("text", "start"),
    [("bytes=5-", 5), ("bytes=-5", 95), ("bytes=-500", 0), ("BYTES = 5-", 5)],
)
def test_ranges_that_are_served(text: str, start: int) -> None:
    """AP-07: to the end, and from the end."""
    assert asked(text, "", SHA, 100) == Part(start, 100, 100)


@pytest.mark.parametrize(
    "text", ["", "bytes=", "bytes=-", "bytes=1-2,4-5", "lines=1-2", "bytes=a-b", "bytes=²-"]
)
def test_ranges_that_are_ignored(text: str) -> None:
    """AP-07: what is not one range of bytes is answered with the whole."""
    assert asked(text, "", SHA, 100) is None


def test_tags_are_compared_as_they_are() -> None:
    """AP-07: a weak tag or a time does not hold for a range."""
    assert asked("bytes=5-", f'"{SHA}"', SHA, 100) is not None
    assert asked("bytes=5-", f'W/"{SHA}"', SHA, 100) is None
    assert asked("bytes=5-", "Wed, 21 Oct 2026 07:28:00 GMT", SHA, 100) is None
    assert unchanged(f'"x", "{SHA}"', SHA)
    assert unchanged("*", SHA)
    assert not unchanged('"x"', SHA)
    with pytest.raises(UnsatisfiableError):
        asked("bytes=-0", "", SHA, 100)
