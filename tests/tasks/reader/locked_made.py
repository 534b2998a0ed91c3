"""Locked files by writers of our own: zip archives of both kinds, and PDF of an old revision."""

from __future__ import annotations

import hashlib
import hmac
import io
import struct
import zlib

import pypdf
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tests.tasks.reader import samples

_STRENGTH = {"aes128": 1, "aes256": 3}


def zip_of(members: dict[str, bytes], password: str, kind: str) -> bytes:
    local, central = bytearray(), bytearray()
    for name, data in members.items():
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        packed = packer.compress(data) + packer.flush()
        crc, method, extra = zlib.crc32(data), 8, b""
        if kind == "old":
            packed = _old(bytes(11) + bytes([crc >> 24]) + packed, password.encode())
        else:
            packed = _aes(packed, password.encode(), _STRENGTH[kind])
            extra = struct.pack("<HHH2sBH", 0x9901, 7, 2, b"AE", _STRENGTH[kind], 8)
            crc, method = 0, 99
        name_ = name.encode()
        head = struct.pack("<HHHHIII", 1, method, 0, 33, crc, len(packed), len(data))
        lengths = struct.pack("<HH", len(name_), len(extra))
        place = len(local)
        local += b"PK\x03\x04" + struct.pack("<H", 51) + head + lengths + name_ + extra + packed
        central += b"PK\x01\x02" + struct.pack("<HH", 51, 51) + head
        central += struct.pack("<HHHHHII", len(name_), len(extra), 0, 0, 0, 0, place)
        central += name_ + extra
    count = len(members)
    end = struct.pack("<HHHHIIH", 0, 0, count, count, len(central), len(local), 0)
    return bytes(local) + bytes(central) + b"PK\x05\x06" + end


def _aes(data: bytes, password: bytes, strength: int) -> bytes:
    size = 8 + 8 * strength
    salt = bytes(range(size // 2))
    made = hashlib.pbkdf2_hmac("sha1", password, salt, 1000, 2 * size + 2)
    blocks = Cipher(algorithms.AES(made[:size]), modes.ECB()).encryptor()
    out = bytearray()
    for number, at in enumerate(range(0, len(data), 16), 1):
        pad = blocks.update(number.to_bytes(16, "little"))
        out += bytes(x ^ y for x, y in zip(data[at : at + 16], pad, strict=False))
    code = hmac.new(made[size : 2 * size], out, "sha1").digest()[:10]
    return salt + made[2 * size :] + bytes(out) + code


def _old(data: bytes, password: bytes) -> bytes:
    """Encrypt as APPNOTE 6.1 says, written independently of the reader."""
    keys = [0x12345678, 0x23456789, 0x34567890]

    def crc(register: int, byte: int) -> int:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (0xEDB88320 if register & 1 else 0)
        return register

    def update(byte: int) -> None:
        keys[0] = crc(keys[0], byte)
        keys[1] = ((keys[1] + (keys[0] & 0xFF)) * 134775813 + 1) & 0xFFFFFFFF
        keys[2] = crc(keys[2], keys[1] >> 24)

    for byte in password:
        update(byte)
    out = bytearray()
    for byte in data:
        mask = (keys[2] | 2) & 0xFFFF
        out.append(byte ^ ((mask * (mask ^ 1)) >> 8 & 0xFF))
        update(byte)
    return bytes(out)


def old_pdf(password: bytes) -> bytes:
    """Return a PDF locked with RC4 of 128 bits by the bytes of a password."""
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(samples.pdf([samples.TEXT])))
    writer.encrypt(password.decode("latin-1"), "owner", algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()
