"""Which programs read a document, with their versions; kept in every transcript."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version

_PACKAGES = (
    "av", "chardet", "msoffcrypto-tool", "olefile", "openpyxl", "pillow", "pypdf", "pypdfium2",
    "python-magic", "xlrd",
)  # fmt: skip


@cache
def versions() -> dict[str, str]:
    """Return the versions of the readers in this process."""
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
