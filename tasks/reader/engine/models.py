"""Which engine this installation has: versions, models and their digests, without loading it."""

from __future__ import annotations

import hashlib
import platform
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

ENGINE = "rapidocr"
WAY = "3"
"""Of our own way through the models; raised when a page may come out otherwise than before."""
DETECTION = "PP-OCRv6_det_small.onnx"
RECOGNITION = "PP-OCRv6_rec_small.onnx"
PACKAGES = ("rapidocr", "openvino")
_CPUINFO = Path("/proc/cpuinfo")
_DIGITS = 12


@dataclass(frozen=True)
class Models:
    """The models of the engine: ``missing`` says why there are none, Chinese first."""

    folder: Path
    version: str = ""
    missing: str = ""

    @property
    def detection(self) -> Path:
        """The model that finds where text stands."""
        return self.folder / DETECTION

    @property
    def recognition(self) -> Path:
        """The model that reads one line."""
        return self.folder / RECOGNITION


@cache
def installed() -> Models:
    """Return the models that RapidOCR's own package brings.

    The version names packages and models, each model with the first digits of its SHA-256: what
    reads differently is called differently.
    """
    try:
        spec = find_spec("rapidocr")
        packages = [f"{name} {version(name)}" for name in PACKAGES]
    except PackageNotFoundError as error:
        return Models(Path(), missing=f"没有安装软件包 package not installed: {error.name}")
    folder = Path(str(spec.origin)).parent / "models" if spec else Path()
    try:
        names = [f"{Path(name).stem} {_digest(folder / name)}" for name in (DETECTION, RECOGNITION)]
    except OSError as error:
        name = Path(str(error.filename)).name
        return Models(folder, missing=f"没有识别模型 model missing: {name}")
    return Models(folder, ", ".join([*packages, *names]))


def settings(side: int) -> dict[str, str]:
    """Return what a page says of the engine beyond its version, but for what the host decides."""
    return {"detection_side": str(side), "way": WAY}


def unusable() -> str:
    """Return why the engine cannot be used on this host, Chinese first; empty if it can."""
    if platform.machine() == "x86_64" and not _has_avx2():
        return "处理器没有 AVX2，识别太慢。 The processor has no AVX2: too slow."
    return installed().missing


@cache
def _has_avx2() -> bool:
    try:
        flags = next(li for li in _CPUINFO.read_text().splitlines() if li.startswith("flags"))
    except (OSError, StopIteration):
        return False
    return "avx2" in flags.split()


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:_DIGITS]
