"""Finding the checkpoint that somebody kept, in whatever they kept it in.

A receipt (``receipt.json``), a package's or a proof bundle's folder, its ``checkpoint`` file, a
cosigned note as witnesses hold it, a ``.tlog-proof``: each carries the signed note. Nothing found
here is verified; only a receipt that contradicts itself is refused already.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from storage.checkpoint import parse_body
from storage.errors import InputError, IntegrityError
from storage.note import Note, encode_base64, parse_note
from storage.proof import HEADER, parse_proof

LONGEST = 128 << 20
"""Bytes of a file looked into: the receipt of a hundred thousand items."""
_IN_FOLDERS = ("proofs/checkpoint", "checkpoint", "receipt.json", "log/checkpoint")


class TamperedError(IntegrityError):
    """What was kept contradicts itself: it was changed after it was issued."""


def find_note(path: Path) -> Note:
    """Return the checkpoint's note in a file or folder, not verified.

    Raises:
        InputError: there is no such file, or no checkpoint in it.
        TamperedError: a receipt's checkpoint is damaged, or is not what it says beside it.
    """
    data = _read(path)
    try:
        if data.lstrip()[:1] == b"{":
            return _in_receipt(path, data)
        if data.startswith(HEADER.encode()):
            data = parse_proof(data).checkpoint.encode()
        note = parse_note(data)
        parse_body(note.text)
        return note
    except TamperedError:
        raise
    except IntegrityError as error:
        raise InputError(
            f"在{path}中找不到检查点 there is no checkpoint in it: {error.message}",
            remedy="give receipt.json, a package's proofs/checkpoint, or a signed checkpoint",
        ) from error


def _read(path: Path) -> bytes:
    if path.is_dir():
        found = [path / name for name in _IN_FOLDERS if (path / name).is_file()]
        if not found:
            raise InputError(
                f"文件夹{path}中没有检查点 the folder holds no checkpoint",
                remedy=f"it would be one of: {', '.join(_IN_FOLDERS)}",
            )
        path = found[0]
    try:
        if not path.is_file():
            raise InputError(f"没有文件{path} there is no such file")
        with path.open("rb") as file:
            data = file.read(LONGEST + 1)
    except OSError as error:
        raise InputError(f"无法读取{path} it cannot be read: {error.strerror}") from error
    if len(data) > LONGEST:
        raise InputError(f"{path}过大 it is longer than any receipt")
    return data


def _in_receipt(path: Path, data: bytes) -> Note:
    try:
        log: Any = json.loads(data)["log"]
        text, beside = log["checkpoint"], (log["origin"], log["size"], log["root"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"{path}不是收据 it is no receipt with a checkpoint") from error
    try:
        note = parse_note(text.encode())
        checkpoint = parse_body(note.text)
    except (IntegrityError, AttributeError, ValueError) as error:
        raise TamperedError(
            f"收据{path}中的检查点已损坏 the receipt's checkpoint is damaged: {error}"
        ) from error
    if beside != (checkpoint.origin, checkpoint.size, encode_base64(checkpoint.root)):
        raise TamperedError(
            f"收据{path}自相矛盾：所写条数或根哈希与其检查点不符 "
            "the receipt contradicts its checkpoint"
        )
    return note
