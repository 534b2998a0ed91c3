"""Cosignatures: refusals first, then what the specification and public witnesses show."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.checkpoint import Checkpoint
from storage.cosignature import (
    MAX_TIME,
    Cosignature,
    CosignatureError,
    CosignatureSigner,
    CosignatureVerifier,
    parse_lines,
    signed_message,
)
from storage.note import (
    NoteError,
    Signature,
    SignatureError,
    Signer,
    Verifier,
    open_note,
    parse_note,
    parse_signature,
)
from tests.storage.test_note import names

WITNESS = CosignatureSigner("witness.example/w1", bytes(range(32)))
LOG = Signer("example.org/log", bytes(32))
HEAD = Checkpoint("example.org/log", 7, bytes(range(32)))
NOW = 1679315147
LINE = WITNESS.cosign(HEAD, NOW)

# Published by public logs and public witnesses of four operators.
NOTE_OF_ARCHE = """\
arche2025h1.staging.ct.transparency.dev
1432088532
U7WM79jrzyhGZ5/GUBTpM7NzwdyfFx61t3RovgcC4Ro=

— arche2025h1.staging.ct.transparency.dev \
ui8GwCF1+kWqZrxGdhj4aX3gcw7XUlXQQabg/27lefwhUkzbC3NygNI75MdhL1bfTW9g8Ei59RA23oHP7Ry1k3ZFWwQ=
— witness1.smartit.nu/witness1 \
pIyCDwAAAABqEiEghIp82KWebrw7/oHQwlTAm3g2RKS4+eebl8eO0WH+/iEcxZ75W3u5hNI7TOQtmJbqmNWVuE0tgh0XwzdZsD\
sUAQ==
— remora.n621.de \
2net5wAAAABqEiEgPlfF3V06o0Y+fHM+J5J9s27wgxxcOVSpZ/2g/KSiXCg9DEZI+aVCIobWX9sXTynk5XeU/zZ0WBxtqB0DrA\
WfBw==
— witness.stagemole.eu \
Z/euoAAAAABqEiEgw0i+7g2ENfDAWHmtRzCfKTHSDwYDJA2NmKeGi9Y8FtEyOUvVr+AJmIY/2TUFucgKi7lI7cUiOvKFYe/TmN\
9DAg==
"""
LOG_OF_ARCHE = (
    "arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f"
)
NOTE_OF_COACHANDHORSES = """\
coachandhorses2026h1.staging.certificate.transparency.goog
185550722
YXAM0VmnrfvLaBCOOYSJhCaE5F10oGBOo+hkbDa1kng=

— witness.navigli.sunlight.geomys.org \
o+AP4gAAAABqb7DzNrGFRJnQ9vrJ8xpnwZytnr/ZYczDIsvwvouiSjwOjn7a72ccxBk+lKnZ7dKqkYKER1s/KxLTaVwQD7lJZT\
C/CQ==
"""
PUBLIC = [
    (NOTE_OF_ARCHE, "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"),
    (
        NOTE_OF_ARCHE,
        "witness1.smartit.nu/witness1+a48c820f+BPSFWg9G6KPiO7QPryYO5Xq4oYJJ+kAvLKLSimDhoxMO",
    ),
    (NOTE_OF_ARCHE, "witness.stagemole.eu+67f7aea0+BEqSG3yu9YrmcM3BHvQYTxwFj3uSWakQepafafpUqklv"),
    (
        NOTE_OF_COACHANDHORSES,
        "witness.navigli.sunlight.geomys.org+a3e00fe2+BNy/co4C1Hn1p+INwJrfUlgz7W55dSZReusH/GhUhJ/G",
    ),
]


@pytest.mark.parametrize(
    "wrong",
    [
        replace(LINE, time=NOW + 1),
        replace(LINE, value=bytes(64)),
        replace(LINE, value=bytes([LINE.value[0] ^ 1]) + LINE.value[1:]),
        CosignatureSigner(WITNESS.name, bytes(32)).cosign(HEAD, NOW),
        WITNESS.cosign(replace(HEAD, size=8), NOW),
        WITNESS.cosign(replace(HEAD, root=bytes(32)), NOW),
        WITNESS.cosign(replace(HEAD, origin="example.org/other"), NOW),
        WITNESS.cosign(replace(HEAD, extensions=("more",)), NOW),
    ],
)
def test_another_statement_is_not_this_one(wrong: Cosignature) -> None:
    forged = replace(wrong, name=WITNESS.name, key_id=WITNESS.verifier.key_id)
    with pytest.raises(CosignatureError):
        WITNESS.verifier.find(HEAD.body(), [parse_signature(str(forged).rstrip("\n"))])


def test_one_bad_line_of_the_witness_spoils_a_good_one() -> None:
    good = parse_signature(str(LINE).rstrip("\n"))
    bad = replace(good, value=bytes(72))
    with pytest.raises(CosignatureError):
        WITNESS.verifier.find(HEAD.body(), [good, bad])


@pytest.mark.parametrize("length", [0, 1, 63, 64, 71, 73])
def test_a_cosignature_has_72_bytes(length: int) -> None:
    with pytest.raises(CosignatureError):
        Cosignature.of(Signature(WITNESS.name, bytes(4), b"\1" * length))


@pytest.mark.parametrize("time", [0, MAX_TIME + 1, (1 << 64) - 1])
def test_times_out_of_range(time: int) -> None:
    value = time.to_bytes(8, "big") + LINE.value
    with pytest.raises(CosignatureError):
        Cosignature.of(Signature(WITNESS.name, bytes(4), value))
    with pytest.raises(CosignatureError):
        signed_message(HEAD.body(), time)
    assert not WITNESS.verifier.verify(HEAD.body(), value)


def test_a_log_signature_is_no_cosignature_and_the_other_way_round() -> None:
    """One key under two signature types: neither passes for the other."""
    both = Signer(WITNESS.name, WITNESS.seed)
    plain = both.sign(HEAD.body())
    assert both.verifier.key_id != WITNESS.verifier.key_id
    with pytest.raises(CosignatureError):
        WITNESS.verifier.find(HEAD.body(), [plain])
    with pytest.raises(SignatureError):
        open_note(f"{HEAD.body()}\n{LINE}".encode(), [both.verifier])
    assert not both.verifier.verify(HEAD.body(), LINE.value)


VKEY, SKEY = str(WITNESS.verifier), WITNESS.private_text()


@pytest.mark.parametrize(
    "text",
    [
        "",
        VKEY + "\n",
        " " + VKEY,
        VKEY.upper(),
        VKEY.replace("w1", "w2"),
        VKEY.replace("+", "", 1),
        VKEY[:-4],
        SKEY,
        str(LOG.verifier),
    ],
)
def test_other_forms_of_a_vkey_are_refused(text: str) -> None:
    with pytest.raises(NoteError):
        CosignatureVerifier.parse(text)


@pytest.mark.parametrize(
    "text", ["", VKEY, SKEY + "\n", SKEY[1:], SKEY.replace("w1", "w2"), LOG.private_text()]
)
def test_other_forms_of_a_private_key_are_refused(text: str) -> None:
    with pytest.raises(NoteError):
        CosignatureSigner.parse(text)


def test_a_witness_key_is_no_log_key() -> None:
    with pytest.raises(NoteError):
        Verifier.parse(VKEY)
    with pytest.raises(NoteError):
        Signer.parse(SKEY)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\n",
        str(LINE).encode().rstrip(b"\n"),
        str(LINE).encode() + b"\n",
        b"\n" + str(LINE).encode(),
        str(LINE).encode() * 17,
        str(LINE).encode().replace("— ".encode(), b"- "),
        b"\xff\n",
        b"<html></html>\n",
    ],
)
def test_other_answers_are_refused(answer: bytes) -> None:
    with pytest.raises(NoteError):
        parse_lines(answer)


def test_the_specifications_example() -> None:
    """The specification shows a line and the message it signs; it publishes no key for them."""
    line = (
        "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dl"
        "rDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA=="
    )
    read = Cosignature.of(parse_signature(line))
    assert str(read) == f"{line}\n"
    assert read.time == 1679315147
    text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    assert signed_message(text, read.time) == (
        b"cosignature/v1\n"
        b"time 1679315147\n"
        b"example.com/behind-the-sofa\n"
        b"20852163\n"
        b"CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    )


@pytest.mark.parametrize(("text", "vkey"), PUBLIC)
def test_cosignatures_of_public_witnesses_verify(text: str, vkey: str) -> None:
    verifier = CosignatureVerifier.parse(vkey)
    note = open_note(text.encode(), [verifier])
    assert verifier.find(note.text, note.signatures).time > 1_779_000_000
    spoiled = text.replace("\n1", "\n2", 1)
    with pytest.raises(SignatureError):
        open_note(spoiled.encode(), [verifier])


def test_a_public_log_and_its_witnesses_on_one_note() -> None:
    keys = [Verifier.parse(LOG_OF_ARCHE), *(CosignatureVerifier.parse(k) for _, k in PUBLIC[:3])]
    assert len(open_note(NOTE_OF_ARCHE.encode(), keys).signatures) == 4
    assert str(parse_note(NOTE_OF_ARCHE.encode())) == NOTE_OF_ARCHE


@given(names, st.binary(min_size=32, max_size=32), st.integers(1, MAX_TIME))
def test_keys_and_lines_are_read_back(name: str, seed: bytes, time: int) -> None:
    signer = CosignatureSigner(name, seed)
    assert CosignatureSigner.parse(signer.private_text()) == signer
    assert CosignatureVerifier.parse(str(signer.verifier)) == signer.verifier
    line = signer.cosign(HEAD, time)
    lines = parse_lines(f"{LINE}{line}".encode())
    assert signer.verifier.find(HEAD.body(), lines) == line
    assert seed.hex() not in repr(signer)


@given(st.binary(max_size=200))
def test_arbitrary_lines_are_refused_or_spelled_back(data: bytes) -> None:
    for untrusted in (data, str(LINE).encode() + data):
        try:
            lines = parse_lines(untrusted)
        except NoteError:
            continue
        assert "".join(map(str, lines)).encode() == untrusted
