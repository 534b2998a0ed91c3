"""Timestamps: replies that must be refused first, then what a right one says."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage import openssl
from storage.errors import HostError, IntegrityError
from storage.stamped import accept
from storage.timestamp import (
    MAX_REPLY,
    OIDS,
    DeniedError,
    Timestamp,
    TimestampError,
    UnreadableReplyError,
    load_certificates,
    make_request,
    parse_reply,
    verify_reply,
)
from tests.services.tsa import Faulty, faulty

NOTE = b"zhenglian.local/custody\n7\nPlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=\n\n- x y\n"
NONCE = 0x7BCD_EF01_2345_6789
ALGORITHMS = sorted(OIDS)


@pytest.fixture(scope="module")
def tsa(tmp_path_factory: pytest.TempPathFactory) -> Faulty:
    return faulty(tmp_path_factory.mktemp("tsa"))


@pytest.fixture(scope="module")
def trusted(tsa: Faulty) -> str:
    return tsa.certificates.read_text()


@pytest.fixture(scope="module")
def good(tsa: Faulty) -> dict[str, bytes]:
    """A right reply by algorithm."""
    return {each: tsa.reply(make_request(NOTE, each, NONCE)) for each in ALGORITHMS}


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("wrong_imprint", "Mismatch between messages"),
        ("wrong_nonce", "Nonce mismatch"),
        ("expired", "certificate has expired"),
        ("without_usage", "unsuitable certificate purpose"),
        ("of_a_stranger", "unable to get local issuer certificate"),
    ],
)
def test_a_signed_reply_of_the_wrong_kind_is_refused(
    tsa: Faulty, trusted: str, fault: str, said: str
) -> None:
    reply = getattr(tsa, fault)(make_request(NOTE, "sha256", NONCE))
    with pytest.raises(TimestampError, match=said):
        accept(reply, NOTE, "sha256", trusted, nonce=NONCE)


def test_the_signer_must_have_been_valid_at_the_time_that_is_stated(
    tsa: Faulty, trusted: str
) -> None:
    """Not now: the certificate of a right one may be over when the timestamp is read again."""
    reply = tsa.expired(make_request(NOTE, "sha256", NONCE))
    trusting_the_signer = trusted + (tsa.folder / "expired.pem").read_text()
    with pytest.raises(IntegrityError):
        accept(reply, NOTE, "sha256", trusting_the_signer, nonce=NONCE)


def test_openssl_refuses_the_same(tsa: Faulty, trusted: str) -> None:
    now = datetime.now(UTC)
    for fault in ("wrong_imprint", "expired", "without_usage", "of_a_stranger", "rejected"):
        reply = getattr(tsa, fault)(make_request(NOTE, "sha256", NONCE))
        with pytest.raises(openssl.OpensslError):
            openssl.verify_reply(reply, NOTE, trusted, now)


def test_a_refusal_in_proper_form_is_one(tsa: Faulty, trusted: str) -> None:
    reply = tsa.rejected(make_request(NOTE, "sha256", NONCE))
    with pytest.raises(DeniedError, match="status 2") as caught:
        accept(reply, NOTE, "sha256", trusted)
    assert caught.value.exit_code == 5


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_granted_token_in_a_rejection_is_refused(
    good: dict[str, bytes], trusted: str, algorithm: str
) -> None:
    """Both ways to read a reply must see its status: the second one loses it on its way."""
    reply = good[algorithm].replace(b"\x30\x03\x02\x01\x00", b"\x30\x03\x02\x01\x02", 1)
    assert reply != good[algorithm]
    with pytest.raises((DeniedError, IntegrityError)):
        accept(reply, NOTE, algorithm, trusted)


def test_a_rejection_with_two_certificates_is_refused(tsa: Faulty, trusted: str) -> None:
    granted = tsa.two_certificates(make_request(NOTE, "sha256", NONCE))
    with pytest.raises(IntegrityError):
        accept(
            granted.replace(b"\x30\x03\x02\x01\x00", b"\x30\x03\x02\x01\x02", 1),
            NOTE,
            "sha256",
            trusted,
        )


@pytest.mark.parametrize("other", [b"", NOTE[:-1], NOTE + b"\n", NOTE.replace(b"7", b"8")])
def test_a_reply_is_no_timestamp_on_other_bytes(
    good: dict[str, bytes], trusted: str, other: bytes
) -> None:
    for algorithm, reply in good.items():
        with pytest.raises(TimestampError):
            accept(reply, other, algorithm, trusted)


def test_the_algorithm_of_the_imprint_counts(good: dict[str, bytes], trusted: str) -> None:
    for algorithm, other in (ALGORITHMS, ALGORITHMS[::-1]):
        with pytest.raises(TimestampError):
            accept(good[algorithm], NOTE, other, trusted)


def test_equal_digests_under_another_algorithm_are_refused(
    good: dict[str, bytes], trusted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library compares digests alone: as if SM3 and SHA-256 had collided."""
    from storage import timestamp

    sha256 = timestamp.imprint(NOTE, "sha256")
    monkeypatch.setattr(timestamp, "imprint", lambda data, algorithm: sha256)
    with pytest.raises(TimestampError, match="not by sm3"):
        verify_reply(parse_reply(good["sha256"]), NOTE, "sm3", load_certificates(trusted))


def test_another_policy_is_refused(good: dict[str, bytes], trusted: str) -> None:
    with pytest.raises(TimestampError, match="Policy"):
        accept(good["sha256"], NOTE, "sha256", trusted, policy="1.2.3.4")


@pytest.mark.parametrize(
    "garbage", [b"", b"\x30", b"<html>502</html>", b"\x30\x80" * 4000, b"\0" * MAX_REPLY]
)
def test_garbage_is_no_reply(garbage: bytes, trusted: str) -> None:
    with pytest.raises(IntegrityError):
        accept(garbage, NOTE, "sha256", trusted)


def test_a_reply_that_is_too_long_is_not_parsed() -> None:
    with pytest.raises(UnreadableReplyError, match="too long"):
        parse_reply(b"0" * (MAX_REPLY + 1))


@pytest.mark.parametrize("pem", ["", "nothing", "-----BEGIN CERTIFICATE-----\nAAAA\n"])
def test_certificates_must_be_some(pem: str, good: dict[str, bytes]) -> None:
    with pytest.raises(HostError):
        accept(good["sha256"], NOTE, "sha256", pem)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    algorithm=st.sampled_from(ALGORITHMS),
    place=st.floats(0, 1, exclude_max=True),
    mask=st.integers(1, 255),
)
def test_every_flipped_byte_is_refused_or_changes_nothing(
    good: dict[str, bytes], trusted: str, algorithm: str, place: float, mask: int
) -> None:
    reply = bytearray(good[algorithm])
    reply[int(place * len(reply))] ^= mask
    right = accept(good[algorithm], NOTE, algorithm, trusted, nonce=NONCE)
    try:
        seen = accept(bytes(reply), NOTE, algorithm, trusted, nonce=NONCE)
    except (IntegrityError, DeniedError):
        return
    assert seen == right


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(algorithm=st.sampled_from(ALGORITHMS), data=st.data())
def test_every_damaged_reply_is_refused_by_the_library_alone(
    good: dict[str, bytes], trusted: str, algorithm: str, data: st.DataObject
) -> None:
    """The same without openssl, so for more of them: also cut, doubled and spliced ones."""
    reply = good[algorithm]
    start = data.draw(st.integers(0, len(reply) - 1))
    end = data.draw(st.integers(start, min(len(reply), start + 40)))
    reply = reply[:start] + data.draw(st.binary(max_size=40)) + reply[end:]
    certificates = load_certificates(trusted)
    right = verify_reply(parse_reply(good[algorithm]), NOTE, algorithm, certificates)
    try:
        seen = verify_reply(parse_reply(reply), NOTE, algorithm, certificates, nonce=NONCE)
    except (TimestampError, DeniedError):
        return
    assert seen == right


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_right_reply_says_when_and_by_whom(tsa: Faulty, trusted: str, algorithm: str) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    reply = tsa.reply(make_request(NOTE, algorithm, NONCE))
    said = accept(reply, NOTE, algorithm, trusted, nonce=NONCE)
    assert before <= said.moment <= datetime.now(UTC) + timedelta(seconds=1)
    assert said.gen_time.endswith("+00:00")
    assert said == Timestamp(
        said.gen_time,
        said.serial,
        "CN=Sample tsa,O=Zhenglian sample,C=CN",
        algorithm,
        "1.3.6.1.4.1.55555.1",
        1_000_000,
    )


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_two_unsorted_certificates_are_read_the_second_way(
    tsa: Faulty, trusted: str, algorithm: str
) -> None:
    reply = tsa.two_certificates(make_request(NOTE, algorithm, NONCE))
    with pytest.raises(UnreadableReplyError):
        parse_reply(reply)
    said = accept(reply, NOTE, algorithm, trusted, nonce=NONCE)
    assert said.authority == "CN=Sample tsa,O=Zhenglian sample,C=CN"
    with pytest.raises(TimestampError):
        accept(reply, NOTE + b"x", algorithm, trusted)


@pytest.mark.parametrize("policy", ["", "1.3.6.1.4.1.55555.1.1"])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_openssl_reads_our_requests(tmp_path: Path, algorithm: str, policy: str) -> None:
    (tmp_path / "note").write_bytes(NOTE)
    (tmp_path / "ours").write_bytes(make_request(NOTE, algorithm, NONCE, policy))
    text = openssl.run(["ts", "-query", "-in", "ours", "-text"], tmp_path).decode()
    asked = ["-data", "note", f"-{algorithm}", "-cert", "-no_nonce", "-out", "theirs"]
    openssl.run(["ts", "-query", *asked], tmp_path)
    theirs = openssl.run(["ts", "-query", "-in", "theirs", "-text"], tmp_path).decode()
    assert (
        text.replace(f"0x{NONCE:X}", "unspecified").replace(
            f"Policy OID: {policy or 'unspecified'}", "Policy OID: unspecified"
        )
        == theirs
    )


def test_a_policy_that_was_asked_for_is_given(tsa: Faulty, trusted: str) -> None:
    policy = "1.3.6.1.4.1.55555.1.1"
    reply = tsa.reply(make_request(NOTE, "sha256", NONCE, policy))
    assert accept(reply, NOTE, "sha256", trusted, policy=policy).policy == policy


def test_a_missing_program_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*arguments: object, **more: object) -> None:
        raise FileNotFoundError("openssl")

    monkeypatch.setattr("subprocess.run", missing)
    with pytest.raises(HostError, match="not installed"):
        openssl.run(["version"])


def test_the_program_is_new_enough() -> None:
    assert openssl.version().startswith("OpenSSL ")
