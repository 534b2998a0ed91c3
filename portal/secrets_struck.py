"""What may stand in no log: the secrets of the settings, and whatever looks like one of ours.

Nothing logs a secret on purpose. But an error of a library may quote the address that it called,
and a traceback the line that it read.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from pydantic import SecretStr

from storage.settings import Settings

STRUCK = "***"
_SHORTEST = 6
"""A secret of the settings that is shorter would strike out ordinary words."""
_LOOKS = (
    # What begins with its own name keeps it.
    re.compile(r"(?i)(\b(?:bearer|basic) )[\w.~+/=-]{6,}"),
    re.compile(r"(?i)(\b[\w-]*(?:password|passwd|secret|token|signature|credential)\w*[\"']?\s*[=:]\s*"
               r"[\"']?)[^\s\"'&,;)]+"),
    re.compile(r"(?i)([?&](?:code|state|key)=)[^\s\"'&#]+"),
    re.compile(r"(/welcome/)[^\s\"'/?#{]+"),
    re.compile(r"(://)[^\s/@]*:[^\s/@]*(?=@)"),
    re.compile(r"()\bzl_[\w-]{8,}"),
    # Sessions and codes as they are spelled (appraisal.credentials).
    re.compile(r"()(?<![\w-])[A-Za-z0-9_-]{43}(?![\w-])"),
    re.compile(r"()\bPRIVATE\+KEY\+[^\s\"']+"),
    re.compile(r"()\bAGE-SECRET-KEY-1[0-9A-Z]+"),
    re.compile(r"()-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)",
               re.DOTALL),
)  # fmt: skip


class Strike:
    """Strikes secrets out of texts."""

    def __init__(self, chosen: Settings) -> None:
        """Know the secrets of an installation's settings."""
        held = [
            value.get_secret_value()
            for value in (getattr(chosen, name) for name in Settings.model_fields)
            if isinstance(value, SecretStr)
        ]
        held += [_password(chosen.database), _password(chosen.prefect_api_url)]
        self._secrets = sorted((each for each in held if len(each) >= _SHORTEST), key=len)[::-1]

    def __call__(self, text: str) -> str:
        """Return a text without them."""
        for secret in self._secrets:
            text = text.replace(secret, STRUCK)
        for look in _LOOKS:
            text = look.sub(rf"\1{STRUCK}", text)
        return text


def _password(address: str) -> str:
    try:
        return urlsplit(address).password or ""
    except ValueError:
        return ""
