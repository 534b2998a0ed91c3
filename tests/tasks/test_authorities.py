"""The setting of authorities: what is refused, and its three spellings."""

import json
from pathlib import Path
from typing import Any

import pytest

from deploy.sample.authority import SampleAuthority
from storage.errors import HostError
from storage.settings import Settings
from tasks.authorities import MOST, configured


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> SampleAuthority:
    authority = SampleAuthority(tmp_path_factory.mktemp("authority"))
    authority.make()
    return authority


def chosen(made: SampleAuthority, value: Any) -> Settings:
    text = value if isinstance(value, str) else json.dumps(value)
    return Settings(home=made.folder, timestamp_authorities=text)


ONE = {"name": "tsa", "url": "https://tsa.example/", "certificates": "ca.pem"}


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("[", "Expecting"),
        ("[" * 100_000, "recursion"),
        ("no-such-file.json", "No such file"),
        ([ONE] * 2, "two authorities"),
        ([ONE] * (MOST + 1), "at most 16"),
        (["tsa"], "nothing else"),
        ([{**ONE, "password": "x"}], "nothing else"),
        ([{"name": "tsa"}], "url is missing"),
        ([{**ONE, "name": "../tsa"}], "is no name"),
        ([{**ONE, "name": "TSA"}], "is no name"),
        ([{**ONE, "name": "-tsa"}], "is no name"),
        ([{**ONE, "name": "t" * 41}], "is no name"),
        ([{**ONE, "url": "ftp://tsa.example/"}], "no http or https"),
        ([{**ONE, "url": "https:///"}], "no http or https"),
        ([{**ONE, "url": "https://tsa.example:99999/"}], "[Pp]ort"),
        ([{**ONE, "certificates": "missing.pem"}], "No such file"),
        ([{**ONE, "certificates": "openssl.cnf"}], "no PEM certificates"),
        ([{**ONE, "algorithms": []}], "algorithms are"),
        ([{**ONE, "algorithms": ["md5"]}], "algorithms are"),
        ([{**ONE, "algorithms": [["sha256"]]}], "unhashable"),
        ([{**ONE, "policy": "1.2.x"}], "no object identifier"),
    ],
)
def test_what_is_no_list_of_authorities(made: SampleAuthority, value: Any, said: str) -> None:
    with pytest.raises(HostError, match=said) as caught:
        configured(chosen(made, value))
    assert caught.value.message.startswith("CUSTODY_TIMESTAMP_AUTHORITIES cannot be used")
    assert "docs/anchoring.md" in caught.value.remedy


def test_none_is_none(made: SampleAuthority) -> None:
    assert configured(chosen(made, " ")) == []


def test_a_list_and_both_kinds_of_file_say_the_same(made: SampleAuthority) -> None:
    entry = {**ONE, "algorithms": ["sha256", "sm3", "sm3"], "policy": "1.2.3"}
    as_json, as_yaml = made.folder / "them.json", made.folder / "them.yaml"
    as_json.write_text(json.dumps([entry]))
    as_yaml.write_text(json.dumps({"authorities": [entry]}))
    (one,) = configured(chosen(made, [entry]))
    assert configured(chosen(made, str(as_json))) == configured(chosen(made, str(as_yaml))) == [one]
    assert (one.name, one.algorithms, one.policy) == ("tsa", ("sha256", "sm3"), "1.2.3")


def test_an_auditor_pins_certificates_one_by_one(made: SampleAuthority, tmp_path: Path) -> None:
    both = made.certificates.read_text() + "words between\n" + (made.folder / "tsa.pem").read_text()
    (made.folder / "both.pem").write_text(both)
    (one,) = configured(chosen(made, [{**ONE, "certificates": "both.pem"}]))
    pinned = one.as_policy()
    assert (pinned["name"], pinned["url"]) == ("tsa", "https://tsa.example/")
    assert len(pinned["certificates"]) == 2
    assert all(each.startswith("-----BEGIN") for each in pinned["certificates"])
