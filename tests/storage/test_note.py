"""Signed notes and keys: strict forms first, then round trips."""

import base64
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.note import (
    MAX_NOTE,
    MAX_SIGNATURES,
    NoteError,
    Signature,
    SignatureError,
    Signer,
    Verifier,
    decode_base64,
    encode_base64,
    open_note,
    parse_note,
    sign_note,
)

SIGNER = Signer("example.org/log", bytes(range(32)))
OTHER = Signer("witness.example", bytes(32))
TEXT = "first\n\nsecond\n"
GOOD = str(sign_note(TEXT, [SIGNER, OTHER])).encode()

names = st.text(
    st.characters(min_codepoint=33, exclude_categories=("Zs", "Zl", "Zp", "Cc", "Cs")), min_size=1
).filter(lambda name: "+" not in name and not any(c.isspace() for c in name))
texts = st.text(
    st.one_of(st.just("\n"), st.characters(min_codepoint=32, exclude_categories=("Cs",))),
    max_size=80,
).map(lambda text: text + "\n")


@pytest.mark.parametrize(
    "note",
    [
        b"",
        b"\n",
        b"\n\n",
        b"text\n",
        b"text\n\n",
        GOOD[:-1],
        GOOD + b"\n",
        GOOD + b"x",
        GOOD + b"\n\n",
        GOOD.rpartition(b"\n\n")[2],
        GOOD.replace(b"\n", b"\r\n"),
        GOOD.replace(b"first", b"fi\0st"),
        GOOD.replace(b"first", b"fi\tst"),
        GOOD.replace(b"first", b"fi\xffst"),
        GOOD.replace("— ".encode(), b"- "),
        GOOD.replace("— ".encode(), "—".encode()),
        GOOD.replace(b"example.org/log ", b"example.org/log  "),
        GOOD.replace(b"example.org/log ", b"example+org/log "),
        GOOD.replace(b"example.org/log ", "example　org ".encode()),
        GOOD.replace(b"example.org/log ", b" "),
        b"text\n\n\xe2\x80\x94 name AAAA\n",
        b"text\n\n\xe2\x80\x94 name\n",
        b"text\n\n\xe2\x80\x94 name !!!!\n",
        b"x" * (MAX_NOTE + 1),
    ],
)
def test_other_forms_are_refused(note: bytes) -> None:
    with pytest.raises(NoteError):
        parse_note(note)


def test_too_many_signatures_are_refused() -> None:
    line = str(SIGNER.sign(TEXT))
    parse_note(f"{TEXT}\n{line * MAX_SIGNATURES}".encode())
    with pytest.raises(NoteError):
        parse_note(f"{TEXT}\n{line * (MAX_SIGNATURES + 1)}".encode())


def test_sixteen_post_quantum_signatures_are_accepted() -> None:
    big = [Signature(f"pq{number}", bytes(4), bytes(5000)) for number in range(16)]
    note = f"{TEXT}\n{SIGNER.sign(TEXT)}{''.join(map(str, big))}".encode()
    assert len(open_note(note, [SIGNER.verifier]).signatures) == 17


@pytest.mark.parametrize("text", ["", "no newline", "tab\t\n", "\n" * 0])
def test_only_a_notes_text_is_signed(text: str) -> None:
    with pytest.raises(NoteError):
        sign_note(text, [SIGNER])
    with pytest.raises(NoteError):
        sign_note(TEXT, [])


def test_the_text_ends_at_the_last_empty_line() -> None:
    note = open_note(GOOD, [SIGNER.verifier])
    assert note.text == TEXT
    assert [each.name for each in note.signatures] == ["example.org/log", "witness.example"]
    assert str(note).encode() == GOOD


def test_unknown_signatures_are_kept_and_ignored() -> None:
    assert len(open_note(GOOD, [OTHER.verifier]).signatures) == 2


def test_no_known_key_signed() -> None:
    stranger = Signer("example.org/log", bytes(31) + b"\1")
    with pytest.raises(SignatureError):
        open_note(GOOD, [stranger.verifier])
    with pytest.raises(SignatureError):
        open_note(GOOD, [])


def test_one_bad_signature_of_a_known_key_refuses_the_note() -> None:
    bad = SIGNER.sign("another text\n")
    for lines in (f"{bad}{OTHER.sign(TEXT)}", f"{OTHER.sign(TEXT)}{bad}", str(bad)):
        with pytest.raises(SignatureError):
            open_note(f"{TEXT}\n{lines}".encode(), [SIGNER.verifier, OTHER.verifier])


def test_same_name_or_same_id_is_not_the_same_key() -> None:
    signature = SIGNER.sign(TEXT)
    for forged in (replace(signature, name="x"), replace(signature, key_id=bytes(4))):
        with pytest.raises(SignatureError):
            open_note(f"{TEXT}\n{forged}".encode(), [SIGNER.verifier])


@pytest.mark.parametrize("length", [1, 63, 65, 200])
def test_signatures_of_another_length_are_bad(length: int) -> None:
    forged = Signature(SIGNER.name, SIGNER.verifier.key_id, bytes(length))
    with pytest.raises(SignatureError):
        open_note(f"{TEXT}\n{forged}".encode(), [SIGNER.verifier])


def test_any_changed_byte_is_noticed() -> None:
    note = str(sign_note("zhenglian\n1\n", [SIGNER])).encode()
    for at in range(len(note)):
        for bit in (1, 32):
            changed = note[:at] + bytes([note[at] ^ bit]) + note[at + 1 :]
            with pytest.raises((NoteError, SignatureError)):
                open_note(changed, [SIGNER.verifier])


@given(texts, names, st.binary(min_size=32, max_size=32))
def test_notes_are_read_back(text: str, name: str, seed: bytes) -> None:
    signer = Signer(name, seed)
    note = sign_note(text, [signer])
    again = open_note(str(note).encode(), [signer.verifier])
    assert again == note
    assert again.text == text


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_refused_or_spelled_back(data: bytes) -> None:
    for untrusted in (data, TEXT.encode() + b"\n" + data):
        try:
            note = parse_note(untrusted)
        except NoteError:
            continue
        assert str(note).encode() == untrusted


@given(names, st.binary(min_size=32, max_size=32))
def test_keys_are_read_back(name: str, seed: bytes) -> None:
    signer = Signer(name, seed)
    assert Signer.parse(signer.private_text()) == signer
    assert Verifier.parse(str(signer.verifier)) == signer.verifier
    assert seed.hex() not in repr(signer)


def test_a_known_key() -> None:
    """The key pair that the specification's reference implementation has in its own tests."""
    signer = Signer.parse(
        "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
    )
    public = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    assert str(signer.verifier) == public
    text = (
        "If you think cryptography is the answer to your problem,\n"
        "then you don't know what your problem is.\n"
    )
    signed = (
        "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqd"
        "ngotpRZb6KE6RyyBwJnAM=\n"
    )
    assert str(sign_note(text, [signer])) == f"{text}\n{signed}"
    open_note(f"{text}\n{signed}".encode(), [Verifier.parse(public)])


VKEY = str(SIGNER.verifier)
SKEY = SIGNER.private_text()


@pytest.mark.parametrize(
    "text",
    [
        "",
        VKEY + "\n",
        " " + VKEY,
        VKEY.upper(),
        VKEY.replace("example", "exemple"),
        VKEY.replace("+", " ", 1),
        "+" + VKEY.partition("+")[2],
        VKEY.rpartition("+")[0],
        VKEY[:-4],
        f"{VKEY.rpartition('+')[0]}+{encode_base64(b'2' + bytes(32))}",
        f"{VKEY.rpartition('+')[0]}+{encode_base64(bytes([1]) + bytes(31))}",
        SKEY,
    ],
)
def test_other_key_forms_are_refused(text: str) -> None:
    with pytest.raises(NoteError):
        Verifier.parse(text)


@pytest.mark.parametrize(
    "text",
    [VKEY, SKEY[1:], SKEY + "\n", SKEY.replace("KEY", "key"), SKEY.replace("example", "exemple")],
)
def test_other_private_forms_are_refused(text: str) -> None:
    with pytest.raises(NoteError):
        Signer.parse(text)


@pytest.mark.parametrize(
    "text", ["A", "AA", "AAA", "AB==", "AAA=\n", "A A=", "_-8=", "AAAA====", "é"]
)
def test_base64_has_one_spelling(text: str) -> None:
    with pytest.raises(NoteError):
        decode_base64(text)


@given(st.binary(max_size=100))
def test_base64_is_read_back(data: bytes) -> None:
    assert decode_base64(encode_base64(data)) == data == base64.b64decode(encode_base64(data))
