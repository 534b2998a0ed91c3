"""Passwords: which are refused, and how they are hashed. Pure; salts are arguments.

argon2id (RFC 9106) with its second recommended set: 3 passes over 64 MiB, 4 lanes, salt of 16
bytes, hash of 32. The parameters stand in every hash; one of other parameters is made anew when
its password is next shown. A password is compared in NFKC, so that keyboards do not matter.
"""

from __future__ import annotations

from itertools import pairwise

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from storage.errors import InputError
from storage.normal import normal_form

PASSES, MEMORY_KIB, LANES, SALT_BYTES, HASH_BYTES = 3, 65_536, 4, 16, 32
SHORTEST, LONGEST = 12, 256
"""Characters of a password."""
_MOST_TYPED = 4 * LONGEST
"""Characters that are looked at: to normalise costs the square of the length."""

_HASHER = PasswordHasher(PASSES, MEMORY_KIB, LANES, HASH_BYTES, SALT_BYTES, type=Type.ID)
_COMMON = (
    "password",
    "passw0rd",
    "qwerty",
    "1q2w3e4r",
    "zhenglian",
    "admin",
    "woaini",
    "iloveyou",
    "12345",
    "54321",
    "abcdef",
)
"""Beginnings of what is guessed first; they count for little in a password."""
DUMMY = (
    "$argon2id$v=19$m=65536,t=3,p=4$MDAwMDAwMDAwMDAwMDAwMA"
    "$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
)
"""A hash that no password has: verified for unknown logins, at the same cost (RULES ST-06)."""


def normal(password: str) -> str:
    """Return the characters that are hashed."""
    return normal_form("NFKC", password[:_MOST_TYPED])


def require_good(password: str, login: str) -> None:
    """Refuse a password that would soon be guessed.

    Raises:
        InputError: too short, too long, or made of the login or of what everybody takes.
    """
    text = normal(password)
    if not SHORTEST <= len(text) <= LONGEST or len(password) > _MOST_TYPED:
        raise InputError(
            f"密码须为{SHORTEST}至{LONGEST}个字符 "
            f"a password has {SHORTEST} to {LONGEST} characters",
            remedy="请选更长的，例如几个词 choose a longer one, for example several words",
        )
    left = text.casefold()
    for each in (login.casefold(), login.casefold().partition("@")[0], *_COMMON):
        left = left.replace(each, "") if each else left
    if len(set(left)) < 5 or _counts_up(left) or text.isdigit():
        raise InputError(
            "密码过于简单：仅含数字、登录名、常用词或重复字符 this password is too easy to guess",
            remedy="请选几个互不相关的词 choose several words that do not belong together",
        )


def _counts_up(text: str) -> bool:
    """Whether a text only goes on as the alphabet or the digits do."""
    steps = {ord(b) - ord(a) for a, b in pairwise(text)}
    return len(steps) <= 1


def hashed(password: str, salt: bytes) -> str:
    """Return the hash of a password with its parameters and 16 random bytes of salt."""
    if len(salt) != SALT_BYTES:
        raise ValueError(f"{SALT_BYTES} random bytes are needed")
    return _HASHER.hash(normal(password), salt=salt)


def matches(stored: str, password: str) -> bool:
    """Whether a password has a hash; costs the same for a wrong password and for ``DUMMY``."""
    try:
        return _HASHER.verify(stored, normal(password).encode("utf-8", "replace"))
    except (VerificationError, InvalidHashError):
        return False


def outdated(stored: str) -> bool:
    """Whether a hash has other parameters than are used today."""
    return _HASHER.check_needs_rehash(stored)
