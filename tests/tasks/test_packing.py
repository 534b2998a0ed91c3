"""What a package proves and keeps back; excerpts; encryption; the same on a real S3 server."""

import hashlib
import io
import json
import secrets
import shutil
import subprocess
import urllib.request
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pypdf
import pyrage
import pytest

from appraisal.accounts import Scope
from appraisal.desk import Desk
from deploy.sample.authority import SampleAuthority, serving
from portal.web.app import create_app
from storage.custody import Custody
from storage.digest import fingerprint_bytes
from storage.errors import InputError, IntegrityError, StateError
from storage.event import Action
from tasks import dispatching
from tasks.handing_out import PackageFile, files_of, open_package, write_files
from tasks.packing import Order, pack
from tasks.reader.cell import CellPool
from tests.house import brief_for, events
from tests.portal.web.api.world import new_account
from tests.portal.web.signing import bearer, browser, make_token
from tests.services.rgw import Rgw
from tests.tasks.proof_made import CASE_NO, PYTHON
from tests.tasks.reader.test_excerpt import document
from tests.tasks.sent import FILES, NUMBER, OFFICER, case_house, draft, send


def whole(file: PackageFile) -> bytes:
    return b"".join(file.open_range())


def bag_of(custody: Custody, folder: Path, which: str = "package") -> Path:
    """Unpack a package as an agency does."""
    file = open_package(custody, NUMBER, which)
    (folder / file.name).write_bytes(whole(file))
    subprocess.run(["unzip", "-q", file.name], cwd=folder, check=True)
    return folder / file.name.removesuffix(".zip")


def verify(bag: Path, *more: object) -> tuple[int, str]:
    command = [PYTHON, "-I", "verify.py", "--lang", "en", *map(str, more)]
    done = subprocess.run(command, cwd=bag, capture_output=True, text=True)
    return done.returncode, done.stdout


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Custody]:
    with case_house(tmp_path_factory.mktemp("sent")) as custody:
        send(custody)
        yield custody


@pytest.fixture(scope="module")
def bag(sent: Custody, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bag_of(sent, tmp_path_factory.mktemp("bag"))


def copied(bag: Path, folder: Path) -> Path:
    return Path(shutil.copytree(bag, folder / bag.name))


def test_ap_07_verify_py_in_the_package_says_exhibit_by_exhibit_that_it_holds(bag: Path) -> None:
    """AP-07: offline, by Python's standard library alone, without arguments."""
    code, said = verify(bag)
    assert code == 3, "nothing failed, but the key is not compared with the published one"
    rows = [line for line in said.splitlines() if "/E000" in line]
    assert [("/E0001" in rows[0], "| ok |" in rows[0]), "| ok |" in rows[1]] == [(True, True), True]
    assert "FAILED" not in said
    code, said = verify(bag, "--policy", "policy.json")
    assert code == 0, said
    assert said.rstrip().endswith("VERIFIED")


@pytest.mark.parametrize(
    "victim", ["data/E0001.txt", "events/*.json", "checkpoint", "statement.json"]
)
def test_ap_07_verify_py_names_what_was_altered(bag: Path, tmp_path: Path, victim: str) -> None:
    spoiled = copied(bag, tmp_path)
    path = sorted(spoiled.glob(victim))[0]
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    code, said = verify(spoiled, "--policy", "policy.json")
    assert code == 1
    assert any(path.name.split(".")[0] in line for line in said.splitlines() if "FAILED" in line)


def test_ap_07_nothing_of_an_exhibit_that_was_not_chosen_is_in_the_package(
    sent: Custody, bag: Path
) -> None:
    """AP-07: least disclosure; the count of what is not shown is all that is told."""
    said = json.loads((bag / "statement.json").read_text())
    assert (said["not_shown"], len(said["exhibits"])) == (1, 2)
    assert "1 other exhibit(s)" in (bag / "bag-info.txt").read_text()
    other = fingerprint_bytes(FILES["机密配方.txt"])
    kept_back = ["机密配方", "乙案合同", "E0003", other.sha256, other.sm3, other.blake3, "not sent"]
    for path in bag.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            for word in kept_back:
                assert word.encode() not in data, (path.name, word)
    assert {json.loads(p.read_bytes())["action"] for p in bag.glob("events/*.json")} == {"stored"}


def test_an_earlier_commission_is_not_told_to_the_next_agency(tmp_path: Path) -> None:
    with case_house(tmp_path) as custody:
        first = send(custody, "E0001", number="鉴〔2026〕1号")
        send(custody, "E0002")
        bag = bag_of(custody, tmp_path)
        text = b"".join(path.read_bytes() for path in bag.rglob("*") if path.is_file())
        assert "鉴〔2026〕1号".encode() not in text
        assert first["package_digest"].encode() not in text
        folder = Desk(custody).commission("鉴〔2026〕1号").brief
        again = pack(
            custody, Order(folder, "X", Desk(custody).commission(NUMBER).materials, custody.now())
        )
        proofs = whole_zip(custody, again.filed.ref)
        (exhibit,) = json.loads(proofs["statement.json"])["exhibits"]
        assert exhibit["later"] == 2, "packaged and released: counted, not shown"


def whole_zip(custody: Custody, ref) -> dict[str, bytes]:  # type: ignore[no-untyped-def]
    with custody.working.open(ref) as stream, zipfile.ZipFile(io.BytesIO(stream.read())) as archive:
        return {each.partition("/")[2]: archive.read(each) for each in archive.namelist()}


def test_ap_07_the_same_input_gives_the_same_package(sent: Custody) -> None:
    found = Desk(sent).commission(NUMBER)
    order = Order(found.brief, "申江", found.materials, "2026-11-30T09:00:00+08:00")
    first, second = pack(sent, order), pack(sent, order)
    assert first.filed == second.filed


def test_terms_and_answer_are_in_the_package_and_the_letter_beside_it(
    sent: Custody, bag: Path
) -> None:
    brief = Desk(sent).commission(NUMBER).brief
    assert brief.secrecy_terms[:20] in (bag / "secrecy-terms.txt").read_text("utf-8-sig")
    terms = "".join(
        page.extract_text() for page in pypdf.PdfReader(bag / "secrecy-terms.pdf").pages
    )
    assert "保密条款" in terms
    assert brief.secrecy_terms[:9] in terms.replace("\n", "")
    assert NUMBER in (bag / "answer.txt").read_text("utf-8-sig")
    package = open_package(sent, NUMBER)
    letter = pypdf.PdfReader(io.BytesIO(whole(open_package(sent, NUMBER, "letter"))))
    printed = "".join(page.extract_text() for page in letter.pages).replace("\n", "")
    assert package.sha256 in printed


def test_an_agency_checks_everything_with_sha256sum(sent: Custody, tmp_path: Path) -> None:
    for row in files_of(sent, NUMBER):
        file = open_package(sent, NUMBER, row["which"])
        (tmp_path / file.name).write_bytes(whole(file))
    done = subprocess.run(
        ["sha256sum", "-c", "sha256sums.txt"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(": OK") == 2


def test_a_failed_dispatch_leaves_nothing_and_the_next_one_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with case_house(tmp_path) as custody:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Desk, "step", lambda *_: (_ for _ in ()).throw(OSError("killed")))
            with pytest.raises(OSError, match="killed"):
                send(custody)
        left = set(custody.working.keys(Desk(custody).commission(NUMBER).brief.commission_id))
        later = replace(custody, clock=lambda: datetime.fromisoformat("2027-01-04T09:00:00+08:00"))
        sent = dispatching.dispatch(later, NUMBER, by="", at=None)
        stored = set(custody.working.keys(Desk(custody).commission(NUMBER).brief.commission_id))
        assert whole(open_package(custody, NUMBER))
        digests = {key for key in left & stored if len(key.rpartition("/")[2]) == 64}
        assert not any(sent["package_digest"] in key for key in digests), (
            "what was never sent is gone"
        )
        known = {row["key"] for row in files_of(custody, NUMBER)}
        known |= {
            f"{key.partition('/')[0]}/{row['pieces']}"
            for row in files_of(custody, NUMBER)
            for key in [row["key"]]
        }
        assert {key for key in stored if len(key.rpartition("/")[2]) == 64} <= known


def _pdf_house(folder: Path, **more: object):  # type: ignore[no-untyped-def]
    return case_house(folder, {"a.pdf": document(), "b.png": b"\x89PNG\r\n\x1a\n1"}, **more)


def _draft(custody: Custody, exhibit: str, pages: str) -> None:
    brief = brief_for(CASE_NO, NUMBER)
    brief["materials"] = [{"exhibit": exhibit, "pages": pages}]
    Desk(custody).draft(brief, OFFICER, custody.now())


def test_fp_06_pages_go_out_as_a_marked_derivative(tmp_path: Path, pool: CellPool) -> None:
    """FP-06, AP-07: own digest, parent, pages, tool and version; the rest of the pages stays."""
    with _pdf_house(tmp_path) as custody:
        _draft(custody, "E0001", "4-5,2")
        dispatching.dispatch(custody, NUMBER, by="", at=None, pool=lambda: pool)
        bag = bag_of(custody, tmp_path)
        made = (bag / "data/E0001.p2_4-5.pdf").read_bytes()
        texts = [page.extract_text().strip() for page in pypdf.PdfReader(io.BytesIO(made)).pages]
        assert texts == [f"secret of page {number}" for number in (2, 4, 5)]
        (told,) = json.loads((bag / "excerpts.json").read_text())
        assert (told["pages"], told["tool"], told["version"]) == (
            "2,4-5",
            "pypdf",
            pypdf.__version__,
        )
        assert told["fingerprint"] == fingerprint_bytes(made).as_json()
        assert told["parent"] == fingerprint_bytes(document()).as_json()
        assert told["evidence"] is False
        assert told["derivative"] is True
        row = (bag / "material.csv").read_text("utf-8-sig").splitlines()[1]
        assert "2,4-5" in row
        assert told["parent"]["digests"]["sha256"] in row
        code, said = verify(bag, "--policy", "policy.json")
        assert code == 3, "whether an excerpt is of the original is seen with the original alone"
        assert "| excerpt |" in said
        assert "[required, not checked]" in said
        assert "FAILED" not in said
        path = bag / "data/E0001.p2_4-5.pdf"
        path.write_bytes(made + b"%")
        code, said = verify(bag, "--policy", "policy.json")
        assert code == 1
        assert "| mismatch |" in said
        step = [
            e
            for e in events(custody, Action.COMMISSION)
            if "files" in e.details["transition"]["data"]
        ]
        recorded = step[0].details["transition"]["data"]["excerpts"]
        listed = hashlib.sha256((bag / "excerpts.json").read_bytes()).hexdigest()
        assert recorded == {"count": 1, "sha256": listed}
        letter = pypdf.PdfReader(io.BytesIO(whole(open_package(custody, NUMBER, "letter"))))
        assert "节录第2,4-5页" in "".join(p.extract_text() for p in letter.pages).replace("\n", "")


@pytest.mark.parametrize(("exhibit", "pages"), [("E0001", "6-7"), ("E0002", "1")])
def test_pages_that_cannot_be_taken_out_are_refused_and_nothing_is_sent(
    tmp_path: Path, pool: CellPool, exhibit: str, pages: str
) -> None:
    with _pdf_house(tmp_path) as custody:
        _draft(custody, exhibit, pages)
        with pytest.raises(InputError, match=exhibit) as caught:
            dispatching.dispatch(custody, NUMBER, by="", at=None, pool=lambda: pool)
        assert "\n" not in str(caught.value)
        assert events(custody, Action.RELEASED) == []
        assert (
            list(custody.working.keys(Desk(custody).commission(NUMBER).brief.commission_id)) == []
        )


def test_an_excerpt_of_a_changed_original_is_never_made(tmp_path: Path, pool: CellPool) -> None:
    with _pdf_house(tmp_path) as custody:
        _draft(custody, "E0001", "1")
        key = hashlib.sha256(document()).hexdigest()
        (original,) = custody.workspace.objects.glob(f"cases/*/originals/{key}")
        original.chmod(0o644)
        original.write_bytes(document().replace(b"Helvetica", b"Times-Bol"))
        with pytest.raises(IntegrityError, match="E0001"):
            dispatching.dispatch(custody, NUMBER, by="", at=None, pool=lambda: pool)


def test_a_package_is_encrypted_to_the_agencys_key_and_the_record_names_both(
    tmp_path: Path,
) -> None:
    """AP-07: the digest that is printed and repeated is that of the package inside."""
    secret = pyrage.x25519.Identity.generate()
    with case_house(tmp_path, agency={"encryption_key": str(secret.to_public())}) as custody:
        sent = send(custody)
        handed = open_package(custody, NUMBER, agency_id="SJ")
        assert (handed.which, handed.name[-8:]) == ("encrypted", ".zip.age")
        data = whole(handed)
        assert data.startswith(b"age-encryption.org/v1\n")
        assert hashlib.sha256(data).hexdigest() == sent["encrypted_digest"] == handed.sha256
        listed = {each["which"]: each["name"] for each in files_of(custody, NUMBER)}
        assert listed["package"] == handed.name, "an agency is shown what it gets"
        opened = pyrage.decrypt(data, [secret])
        assert hashlib.sha256(opened).hexdigest() == sent["package_digest"]
        assert opened == whole(open_package(custody, NUMBER))
        with pytest.raises(pyrage.DecryptError):
            pyrage.decrypt(data, [pyrage.x25519.Identity.generate()])
        letter = pypdf.PdfReader(io.BytesIO(whole(open_package(custody, NUMBER, "letter"))))
        printed = "".join(page.extract_text() for page in letter.pages).replace("\n", "")
        assert sent["encrypted_digest"] in printed
        assert sent["package_digest"] in printed
        (tmp_path / "key").write_text(str(secret))
        (tmp_path / "p.zip.age").write_bytes(data)
        command = ["age", "-d", "-i", "key", "-o", "p.zip", "p.zip.age"]
        subprocess.run(command, cwd=tmp_path, check=True)
        assert (tmp_path / "p.zip").read_bytes() == opened
        stick = tmp_path / "stick"
        carried = {path.name: path for path in write_files(custody, NUMBER, stick, OFFICER)}
        assert handed.name in carried, "what is carried by hand is encrypted too"
        assert not [name for name in carried if name.endswith(".zip")]
        plain = ["age", "-d", "-i", "../key", "-o", handed.name.removesuffix(".age"), handed.name]
        subprocess.run(plain, cwd=stick, check=True)
        subprocess.run(["sha256sum", "-c", "sha256sums.txt"], cwd=stick, check=True)


@pytest.mark.slow
def test_st_05_on_an_s3_server_packages_lie_in_a_bucket_of_their_own_and_links_fetch_them(
    tmp_path: Path, rgw: Rgw
) -> None:
    """ST-05, AP-07: streamed into the store, handed out in ranges and by presigned address,
    to which the interface sends whoever asks for the package.
    """
    from pydantic import SecretStr

    chosen = {
        "store": rgw.store_url(f"p{secrets.token_hex(6)}"),
        "s3_access_key": rgw.access_key,
        "s3_secret_key": SecretStr(rgw.secret_key),
        "s3_public_endpoint": rgw.endpoint,
    }
    with case_house(tmp_path, **chosen) as custody:
        sent = send(custody)
        package = open_package(custody, NUMBER, agency_id="SJ")
        data = whole(package)
        assert hashlib.sha256(data).hexdigest() == sent["package_digest"]
        assert b"".join(package.open_range(5_000_000, 5_000_100)) == data[5_000_000:5_000_100]
        folder = Desk(custody).commission(NUMBER).brief.commission_id
        known = bearer(make_token(custody, new_account(custody, "sj-admin", "SJ"), Scope.DOWNLOAD))
        path = f"/api/v1/commissions/{folder}/files/package"
        answer = browser(create_app(custody)).get(path, headers=known)
        assert answer.status_code == 307
        assert urllib.request.urlopen(answer.headers["location"]).read() == data
        assert not list(custody.objects.keys(folder))
        assert len(list(custody.working.keys(folder))) == 4
        assert verify(bag_of(custody, tmp_path), "--policy", "policy.json")[0] == 0


def test_what_vouches_for_the_log_goes_along(tmp_path: Path) -> None:
    """Where an authority is configured the package is anchored first, and its stamp is checked."""
    authority = SampleAuthority(tmp_path / "authority")
    authority.make()
    with serving(authority.reply) as url:
        settings = str(authority.write_settings(url))
        with case_house(tmp_path, timestamp_authorities=settings) as custody:
            send(custody)
            bag = bag_of(custody, tmp_path)
    assert list(bag.glob("older/*/*.tsr"))
    code, said = verify(bag, "--policy", "policy.json")
    assert code == 0, said
    assert "no 时间戳" not in said


def test_of_two_dispatches_at_once_one_goes_out_and_nothing_of_the_other_is_left(
    tmp_path: Path,
) -> None:
    with case_house(tmp_path) as custody:
        draft(custody)
        inner, other = Desk.step, []

        def second_first(self: Desk, number: str, step):  # type: ignore[no-untyped-def]
            if not other:
                other.append(step)
                now = datetime.fromisoformat(custody.now()) + timedelta(seconds=1)
                later = replace(custody, clock=lambda: now)
                other.append(dispatching.dispatch(later, number, by="", at=None))
            return inner(self, number, step)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Desk, "step", second_first)
            with pytest.raises(StateError):
                dispatching.dispatch(custody, NUMBER, by="", at=None)
        sent = open_package(custody, NUMBER)
        assert sent.sha256 == other[1]["package_digest"]
        assert hashlib.sha256(whole(sent)).hexdigest() == sent.sha256
        folder = Desk(custody).commission(NUMBER).brief.commission_id
        digests = {key for key in custody.working.keys(folder) if len(key.split("/")[1]) == 64}
        rows = files_of(custody, NUMBER)
        named = {row["key"] for row in rows} | {f"{folder}/{row['pieces']}" for row in rows}
        assert digests <= named
