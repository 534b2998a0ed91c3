"""Other people's programs that read scans, run on the same file as our engines."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

MISSING = "ocrmypdf: not installed; 'apt-get install ocrmypdf', or 'uv tool install ocrmypdf'"
LANGUAGES = "chi_sim+eng"


def ocrmypdf() -> str | None:
    """Return the program's path, from the search path or beside this Python, or None."""
    beside = Path(sys.executable).parent / "ocrmypdf"
    return str(beside) if beside.exists() else shutil.which("ocrmypdf")


def version(program: str) -> str:
    """Return the version that a program prints."""
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def read_by_ocrmypdf(program: str, scan: Path, processes: int) -> list[str]:
    """Return the text of each page, as OCRmyPDF writes it beside its PDF.

    It may turn and deskew pages, as ours does; it need not make PDF/A nor pack images, which
    ours does not either.
    """
    beside = scan.with_suffix(".txt")
    options = {"-l": LANGUAGES, "-j": str(processes), "--output-type": "pdf", "--optimize": "0"}
    words = [word for option in options.items() for word in option]
    files = [str(scan), str(scan.with_suffix(".read.pdf"))]
    flags = ["--rotate-pages", "--deskew", "--quiet", "--sidecar", str(beside)]
    subprocess.run([program, *words, *flags, *files], check=True)
    return beside.read_text(encoding="utf-8").removesuffix("\f").split("\f")
