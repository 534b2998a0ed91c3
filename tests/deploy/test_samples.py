"""The committed samples are what their script makes, small, and fit to be ingested."""

import io
import zipfile
from pathlib import Path

import openpyxl
import pypdf
import pytest
import yaml

from appraisal.agency import Agency
from appraisal.brief import Brief
from appraisal.opinion import Opinion
from deploy.sample import make_samples
from deploy.sample.opinion import make_opinion
from storage.digest import fingerprint_bytes
from storage.listing import ListedFile
from storage.nouns import Manifest
from tasks.manifest import judge_manifest
from tasks.reader.manifest_yaml import read_yaml

SAMPLE = Path(make_samples.__file__).parent
RULE_SETS = ("national", "zhejiang")


def tree(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def judged(files):
    files = dict(files)
    raw = read_yaml(files.pop("manifest.yaml"))
    listing = [ListedFile(path, fingerprint_bytes(data)) for path, data in files.items()]
    return judge_manifest(raw, listing, "pudong-01")


def test_the_script_makes_the_committed_bytes(tmp_path):
    make_samples.make(tmp_path / "again")
    made, committed = tree(tmp_path / "again"), tree(make_samples.FOLDER)
    assert list(made) == list(committed)
    assert [name for name in made if made[name] != committed[name]] == []


def test_the_samples_are_small():
    assert sum(map(len, tree(make_samples.FOLDER).values())) < 3_000_000


def test_the_first_bundle_is_accepted():
    manifest = judged(tree(make_samples.FOLDER / "a-rights-holder"))
    assert isinstance(manifest, Manifest)
    assert len(manifest.items) == 8


def test_the_faulty_bundle_has_exactly_its_four_faults():
    mistakes = judged(tree(make_samples.FOLDER / "c-wrong-manifest"))
    assert {each.code for each in mistakes} == {
        "few_officers",
        "listed_missing",
        "unknown_kind",
        "unlisted",
    }


def test_the_zip_bundle_lists_every_file_it_holds():
    with zipfile.ZipFile(make_samples.FOLDER / "b-other-side.zip") as bundle:
        names = set(bundle.namelist())
        sheet = openpyxl.load_workbook(io.BytesIO(bundle.read("manifest.xlsx"))).active
    rows = [row for row in sheet.iter_rows(values_only=True) if any(row)]
    start = next(n for n, row in enumerate(rows) if row[0] == "文件路径")
    assert {row[0] for row in rows[start + 1 :]} == names - {"manifest.xlsx"}


def test_the_scans_have_no_text_and_the_agreement_has_both_languages():
    folder = make_samples.FOLDER / "a-rights-holder/合同"
    scan = pypdf.PdfReader(folder / "供货合同_扫描件.pdf")
    assert len(scan.pages) == 2
    assert [page.extract_text().strip() for page in scan.pages] == ["", ""]
    text = pypdf.PdfReader(folder / "保密协议.pdf").pages[0].extract_text()
    assert "商业秘密" in text
    assert "trade secret" in text


@pytest.mark.parametrize("name", ["agency-hengjian.yaml", "agency-zhijian.yaml"])
def test_the_agencies_are_complete(name):
    assert Agency.parse(yaml.safe_load((SAMPLE / name).read_text()), RULE_SETS)


@pytest.mark.parametrize("name", ["commission-identity.yaml", "commission-non-public.yaml"])
def test_the_commissions_are_complete(name):
    assert Brief.parse(yaml.safe_load((SAMPLE / name).read_text()), RULE_SETS)


def test_the_opinion_states_the_digest_it_was_given(tmp_path):
    fields = yaml.safe_load((SAMPLE / "opinion.yaml").read_text())
    fields["package_digest_stated"] = "0123456789abcdef" * 4
    opinion = Opinion.parse(fields)
    assert len(opinion.appraisers) == 2
    for name in ("one.pdf", "two.pdf"):
        make_opinion(tmp_path / name, fields)
    assert (tmp_path / "one.pdf").read_bytes() == (tmp_path / "two.pdf").read_bytes()
    pages = pypdf.PdfReader(tmp_path / "one.pdf").pages
    text = "".join(page.extract_text() for page in pages).replace("\n", "")
    assert opinion.package_digest_stated in text
