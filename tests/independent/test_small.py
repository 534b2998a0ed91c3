"""The same code path over a small log, with what needs no network."""

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from storage.errors import IntegrityError
from storage.keyring import KeyRing
from storage.log import LogReader
from storage.proof import parse_proof
from tests.independent import system
from tests.independent.__main__ import enough, make
from tests.independent.drivers import exchange
from tests.independent.programs import PROGRAMS, MissingError, install, interpreter
from tests.independent.verdict import Verdict
from tests.independent.world import World

SIZE = 300


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[World, Path]:
    return make(tmp_path_factory.mktemp("independent"), SIZE)


@pytest.fixture(scope="module")
def verdicts(made: tuple[World, Path], tmp_path_factory: pytest.TempPathFactory) -> list[Verdict]:
    return list(system.judge_all(*made, tmp_path_factory.mktemp("spoiled")))


class TestPrograms:
    def test_every_program_refuses_every_spoiled_control(self, verdicts: list[Verdict]) -> None:
        assert [each.name for each in verdicts if each.controls != each.refused] == []
        assert all(each.controls >= 3 for each in verdicts)

    def test_every_program_accepts_what_is_right(self, verdicts: list[Verdict]) -> None:
        assert {each.name: each.wrong for each in verdicts if each.wrong} == {}
        assert len(verdicts) == 7

    def test_every_file_of_the_bundle_is_in_its_lists(self, verdicts: list[Verdict]) -> None:
        counts = {each.accepted["files"] for each in verdicts if "files" in each.accepted}
        assert len(counts) == 1
        assert counts.pop() > 20


class OurOwn(exchange.Program):
    """Our own rules, asked through the same driver as the others."""

    signatures = True

    def __init__(self, world: World) -> None:
        self.ring = KeyRing.single(world.signer.verifier)

    def inclusion(self, entry: exchange.Entry) -> object:
        return parse_proof(entry.text.encode()).verify(entry.leaf, [self.ring.current])


class TestExchange:
    def test_our_own_rules_refuse_every_control(self, made: tuple[World, Path]) -> None:
        world, _ = made
        answer = exchange.judge(OurOwn(world), world.folder)
        assert answer["wrong"] == []
        assert answer["refused"] == answer["controls"] >= 40
        assert answer["inclusion"] == SIZE

    def test_a_program_that_accepts_everything_disagrees(self, made: tuple[World, Path]) -> None:
        world, _ = made
        yes = OurOwn(world)
        yes.inclusion = lambda entry: True  # type: ignore[method-assign]
        answer = exchange.judge(yes, world.folder)
        assert answer["refused"] == 0
        assert len(answer["wrong"]) == answer["controls"]

    def test_the_proofs_are_those_of_the_reader(self, made: tuple[World, Path]) -> None:
        world, _ = made
        store = Folder(world.folder / "log")
        reader = LogReader(store, KeyRing.single(world.signer.verifier))
        for index in (0, 255, 256, SIZE - 1):
            assert reader.prove(index) == world.proof(index).read_text()

    def test_a_head_with_a_wrong_root_is_signed_by_the_right_key(
        self, made: tuple[World, Path]
    ) -> None:
        world, _ = made
        control = world.folder / "controls/inclusion/0-root/event.tlog-proof"
        proof = parse_proof(control.read_bytes())
        assert KeyRing.single(world.signer.verifier).open(proof.checkpoint.encode())
        with pytest.raises(IntegrityError, match="another root"):
            proof.verify(world.event(0).read_bytes(), [world.signer.verifier])


class Folder:
    """A log's folder, to be read alone."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def get(self, path: str) -> bytes:
        return (self._root / path).read_bytes()

    def put_tile(self, path: str, data: bytes) -> None:
        raise NotImplementedError

    def publish(self, checkpoint: bytes) -> None:
        raise NotImplementedError

    def drop_partials(self, paths: Sequence[str]) -> int:
        raise NotImplementedError


class TestEnough:
    def test_two_programs_are_not_enough(self) -> None:
        assert not enough(_verdicts(2), SIZE)

    def test_no_consistency_proof_is_not_enough(self) -> None:
        three = _verdicts(3)
        for each in three:
            del each.accepted["consistency"]
        assert not enough(three, SIZE)

    def test_one_that_accepted_a_control_is_not_outvoted(self) -> None:
        four = _verdicts(4)
        four[0].control("leaf", True)
        assert not enough(four, SIZE)

    def test_one_that_was_asked_no_control_does_not_count(self) -> None:
        three = _verdicts(3)
        three[0].controls = three[0].refused = 0
        assert not enough(three, SIZE)

    def test_three_programs_are_enough(self) -> None:
        assert enough(_verdicts(3), SIZE)

    def test_a_python_that_does_not_exist_is_said(self) -> None:
        with pytest.raises(MissingError, match="apt-get install"):
            interpreter((3, 90))
        assert interpreter((3, 10)) == sys.executable

    def test_a_machine_without_node_is_told_what_to_install(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("PATH", str(tmp_path))
        script = next(each for each in PROGRAMS if each.driver.endswith(".mjs"))
        with pytest.raises(MissingError, match="apt-get install nodejs npm"):
            install(script, tmp_path)

    def test_every_program_has_its_driver(self) -> None:
        folder = Path(exchange.__file__).parent
        assert all((folder / each.driver).is_file() for each in PROGRAMS)


def _verdicts(number: int) -> list[Verdict]:
    found = {"inclusion": SIZE, "consistency": 1}
    return [Verdict(str(each), "1", dict(found), 5, 5) for each in range(number)]
