"""Locked entries of zip archives: WinZip's AES (AE-1 and AE-2) and the old ZipCrypto.

Only with a password that came with the job. ZipCrypto (APPNOTE 6.1) has one byte to check a
password by, so a wrong one may pass once in 256 times and then fails at the checksum. PKWARE's
strong encryption is not read.
"""

from __future__ import annotations

import hmac
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from tasks.reader import password
from tasks.reader.job import Refused
from tasks.reader.source import Source
from tasks.reader.zipdir import ZipMember

_AES, _AES_EXTRA = 99, 0x9901
_HEADER = 12
_CODE = 10
_CHUNK = 1 << 18
_STRONG = 1 << 6
_WITH_DESCRIPTOR = 1 << 3
_REFUSED = "该项已加密。 The entry is encrypted."


@dataclass(frozen=True)
class _Lock:
    """What the local header says: flags, the time that may check a password, and AES' own."""

    start: int
    flags: int
    time: int
    strength: int = 0
    method: int = 0
    vendor: int = 0


def opens(source: Source, member: ZipMember) -> bool:
    """Return whether the password of this job opens an entry, as far as its own check goes."""
    return _key(source, member) is not None


def unchecked(source: Source, member: ZipMember) -> bool:
    """Return whether an entry keeps no checksum because its authentication takes its place."""
    lock = _lock(source, member)
    return lock is not None and lock.vendor == 2


def decrypted(source: Source, member: ZipMember) -> tuple[int, Iterator[bytes]]:
    """Return the method of compression and the decrypted, still compressed bytes.

    Raises:
        Refused: the password does not open the entry.
    """
    lock, key = _lock(source, member), _key(source, member)
    if lock is None or key is None:
        raise Refused(_REFUSED)
    password.use()
    if member.method == _AES:
        return lock.method, _aes(source, member, lock, key)
    return member.method, _old(source, member, lock, key)


def _lock(source: Source, member: ZipMember) -> _Lock | None:
    header = source.at(member.offset, 30)
    if len(header) < 30 or header[:4] != b"PK\x03\x04":
        return None
    flags, _, time, name, extra = struct.unpack("<6xHHH14xHH", header)
    if flags & _STRONG:
        return None
    start = member.offset + 30 + name + extra
    if member.method != _AES:
        return _Lock(start, flags, time)
    for number, data in _extras(source.at(member.offset + 30 + name, extra)):
        if number == _AES_EXTRA and len(data) >= 7:
            vendor, _, strength, method = struct.unpack_from("<H2sBH", data)
            if strength in (1, 2, 3):
                return _Lock(start, flags, time, strength, method, vendor)
    return None


def _extras(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 4 <= len(data):
        number, length = struct.unpack_from("<HH", data, at)
        yield number, data[at + 4 : at + 4 + length]
        at += 4 + length


def _key(source: Source, member: ZipMember) -> bytes | None:
    """Return the spelling of the password that passes the entry's check, None if none does."""
    lock = _lock(source, member) if password.given() else None
    if lock is None:
        return None
    for spelling in password.spellings():
        if member.method == _AES:
            salt, check = _salt(source, lock)
            if hmac.compare_digest(_derived(spelling, salt, lock.strength)[2], check):
                return spelling
        else:
            last = _OldKeys(spelling).decrypt(source.at(lock.start, _HEADER))[-1:]
            byte = lock.time >> 8 if lock.flags & _WITH_DESCRIPTOR else member.crc >> 24
            if last == bytes([byte]):
                return spelling
    return None


def _salt(source: Source, lock: _Lock) -> tuple[bytes, bytes]:
    length = 4 + 4 * lock.strength
    head = source.at(lock.start, length + 2)
    return head[:length], head[length:]


@lru_cache(64)
def _derived(spelling: bytes, salt: bytes, strength: int) -> tuple[bytes, bytes, bytes]:
    """Return the key, the key of the authentication, and the two bytes to check by."""
    import hashlib

    size = 8 + 8 * strength
    made = hashlib.pbkdf2_hmac("sha1", spelling, salt, 1000, 2 * size + 2)
    return made[:size], made[size : 2 * size], made[2 * size :]


def _aes(source: Source, member: ZipMember, lock: _Lock, spelling: bytes) -> Iterator[bytes]:
    """Yield the decrypted bytes; raise ``Refused`` at the end if they are not authentic."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    salt, _ = _salt(source, lock)
    key, authentic, _ = _derived(spelling, salt, lock.strength)
    # The counter of this mode is little-endian (APPNOTE by WinZip), which no library offers.
    blocks = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305
    code = hmac.new(authentic, digestmod="sha1")
    at, end = lock.start + len(salt) + 2, lock.start + member.compressed_size - _CODE
    counter = 1
    while at < end:
        data = source.at(at, min(_CHUNK, end - at))
        if not data:
            break
        code.update(data)
        count = -(-len(data) // 16)
        stream = blocks.update(
            b"".join(n.to_bytes(16, "little") for n in range(counter, counter + count))
        )
        yield _xor(data, stream[: len(data)])
        counter, at = counter + count, at + len(data)
    if not hmac.compare_digest(code.digest()[:_CODE], source.at(end, _CODE)):
        raise Refused("内容与其校验值不符。 The content does not match its authentication.")


def _xor(one: bytes, two: bytes) -> bytes:
    number = int.from_bytes(one, "little") ^ int.from_bytes(two, "little")
    return number.to_bytes(len(one), "little")


def _old(source: Source, member: ZipMember, lock: _Lock, spelling: bytes) -> Iterator[bytes]:
    keys = _OldKeys(spelling)
    keys.decrypt(source.at(lock.start, _HEADER))
    at, end = lock.start + _HEADER, lock.start + member.compressed_size
    while at < end:
        data = source.at(at, min(_CHUNK, end - at))
        if not data:
            return
        yield keys.decrypt(data)
        at += len(data)


class _OldKeys:
    """The three keys of ZipCrypto, changed by every byte."""

    def __init__(self, spelling: bytes) -> None:
        self._keys = (0x12345678, 0x23456789, 0x34567890)
        for byte in spelling:
            self._keys = _next(*self._keys, byte)

    def decrypt(self, data: bytes) -> bytes:
        """Return the plain bytes."""
        one, two, three = self._keys
        out, table = bytearray(len(data)), _TABLE
        for at, byte in enumerate(data):
            mask = three | 2
            plain = byte ^ (mask * (mask ^ 1) >> 8 & 0xFF)
            out[at] = plain
            one = table[(one ^ plain) & 0xFF] ^ one >> 8
            two = (two + (one & 0xFF)) * 134775813 + 1 & 0xFFFFFFFF
            three = table[(three ^ two >> 24) & 0xFF] ^ three >> 8
        self._keys = (one, two, three)
        return bytes(out)


def _next(one: int, two: int, three: int, byte: int) -> tuple[int, int, int]:
    one = _TABLE[(one ^ byte) & 0xFF] ^ one >> 8
    two = (two + (one & 0xFF)) * 134775813 + 1 & 0xFFFFFFFF
    return one, two, _TABLE[(three ^ two >> 24) & 0xFF] ^ three >> 8


# The table of CRC-32, by what zlib makes of one byte from a register of zeros.
_TABLE = tuple(zlib.crc32(bytes([byte]), 0xFFFFFFFF) ^ 0xFFFFFFFF for byte in range(256))
