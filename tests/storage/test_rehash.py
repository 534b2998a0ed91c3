"""Reading back: whichever digests are asked for are those of the bytes, whatever the stream is."""

import io
import tracemalloc
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.digest import ALGORITHMS, fingerprint_bytes
from storage.reading_back import read_all
from storage.rehash import LARGE, Read, rehash

CHOICES = [each for count in (1, 2, 3) for each in combinations(ALGORITHMS, count)]
LENGTHS = (0, 1, 4096, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3_000_000)


@pytest.mark.parametrize("algorithms", CHOICES, ids="-".join)
def test_the_digests_asked_for_and_no_others_are_those_of_the_bytes(
    algorithms: tuple[str, ...], tmp_path: Path
) -> None:
    for length in LENGTHS:
        data = bytes(range(256)) * (length // 256 + 1)
        data = data[:length]
        (tmp_path / "file").write_bytes(data)
        expected = fingerprint_bytes(data).digests
        for size in (0, length, length + 5):  # What was promised changes no answer.
            with (tmp_path / "file").open("rb", buffering=0) as file:
                of_file = rehash(file, algorithms, size=size)
            of_memory = rehash(io.BytesIO(data), algorithms, size=size)
            assert of_file == of_memory
            assert of_file.size == length
            assert of_file.digests == {name: expected[name] for name in algorithms}


def test_a_large_file_on_several_cores_has_the_same_blake3_in_little_memory(tmp_path: Path) -> None:
    piece, state = bytes(range(251)) * 4096, []
    with (tmp_path / "large").open("wb") as out:
        for _ in range(LARGE // len(piece) + 3):
            out.write(piece)
            state.append(piece)
    expected = fingerprint_bytes(b"".join(state))
    told: list[int] = []
    tracemalloc.start()
    with (tmp_path / "large").open("rb", buffering=0) as file:
        seen = rehash(file, ["blake3"], size=expected.size, cores=2, read=told.append)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert seen.digests == {"blake3": expected.blake3}
    assert sum(told) == seen.size == expected.size
    assert peak < 6 << 20


def test_no_digest_at_all_is_no_comparison() -> None:
    for none in ((), ("md5",)):
        with pytest.raises(ValueError, match="no digest"):
            rehash(io.BytesIO(b"x"), none)


@given(st.lists(st.sampled_from([0, 1, 1000, 3 << 20, 5 << 20]), max_size=200), st.integers(1, 4))
def test_every_object_is_read_once_and_answers_keep_their_order(
    sizes: list[int], threads: int
) -> None:
    told: list[tuple[int, int]] = []

    def check(one: tuple[int, int], read: Read, cores: int) -> int:
        assert cores in (1, threads)
        read(one[1])
        return one[0]

    answers = read_all(
        list(enumerate(sizes)),
        check,
        size=lambda one: one[1],
        threads=threads,
        advance=lambda done, total: told.append((done, total)),
    )
    assert answers == list(range(len(sizes)))
    assert told == sorted(told)
    assert told[-1] == (sum(sizes), sum(sizes))


@pytest.mark.parametrize(
    ("sizes", "threads", "alone"),
    [
        ([5 << 20], 2, [0]),  # One alone has all cores.
        ([6 << 20] * 3, 2, [2]),  # The last of three would leave the other core idle.
        ([6 << 20] * 4, 1, []),
        ([5 << 20, 6 << 20, 90 << 20], 2, [0, 1, 2]),  # What is larger than all that comes after.
        ([6 << 20] * 9, 8, [2, 3, 4, 5, 6, 7, 8]),
    ],
)
def test_cores_work_on_one_object_where_the_rest_would_not_keep_them_busy(
    sizes: list[int], threads: int, alone: list[int]
) -> None:
    def check(one: int, read: Read, cores: int) -> bool:
        return cores > 1

    answers = read_all(range(len(sizes)), check, size=lambda one: sizes[one], threads=threads)
    assert [place for place, spread in enumerate(answers) if spread] == alone


def test_what_a_check_raises_comes_out() -> None:
    def check(one: int, read: Read, cores: int) -> int:
        raise RuntimeError(str(one))

    with pytest.raises(RuntimeError):
        read_all([1, 2], check, size=lambda one: one, threads=2)
