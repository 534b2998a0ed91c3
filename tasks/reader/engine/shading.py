"""The light on a photographed page, evened out; pale writing made darker.

The paper's shade is described by a smooth surface of few numbers, so what is divided out can
only be light: no letter, box or picture is as smooth. A page that is evenly lit stays as it is,
to the last bit.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from tasks.reader.engine.geometry import Pixels

_SIDE = 64
_DEGREE = 4
# Paper whose light differs by less than this share is evenly lit.
_UNEVEN = 0.16
# Where the surface misses the paper by more than this share, the page is no sheet of paper.
_MISSED = 0.12
_ROUNDS = 4
# Darker than this share of the lightest paper is no shadow: it is dark for a reason.
_DEEPEST = 0.35
_PALE = 110
_FAINT = 14
_PAPER, _INK = 248.0, 24.0
_STRIP = 256

_Floats = npt.NDArray[np.float64]


def evened(pixels: Pixels, grey: Pixels) -> Pixels | None:
    """Return the picture as if evenly lit, None where its light is even or it is no page."""
    surface = _paper(grey)
    if surface is None:
        return None
    low, high = np.percentile(surface, 2), np.percentile(surface, 98)
    if high <= 40 or (high - low) / high < _UNEVEN:
        return None
    height, width = grey.shape
    light = cv2.resize(surface.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    np.maximum(light, max(24.0, _DEEPEST * float(high)), out=light)
    factor = np.divide(_PAPER, light, out=light)
    lit = np.empty_like(pixels)
    # Whole pages of floats in one expression are a quarter of a gigabyte, in colour three.
    for top in range(0, height, _STRIP):
        strip = slice(top, top + _STRIP)
        share = factor[strip] if pixels.ndim == 2 else factor[strip, :, None]
        lit[strip] = np.minimum(pixels[strip] * share, 255.0)
    return lit


def _paper(grey: Pixels) -> _Floats | None:
    """Return the shade of the paper on a small grid as a smooth surface."""
    small = cv2.resize(grey, (_SIDE * 4, _SIDE * 4), interpolation=cv2.INTER_AREA)
    # Letters are darker than the paper round them: the lightest of each spot is paper.
    spread = cv2.dilate(small, np.ones((13, 13), np.uint8))
    seen = cv2.resize(spread, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(np.float64)
    axis = np.linspace(-1.0, 1.0, _SIDE)
    across, down = np.meshgrid(axis, axis)
    terms = np.stack(
        [across**i * down**j for i in range(_DEGREE + 1) for j in range(_DEGREE + 1 - i)], axis=-1
    ).reshape(-1, (_DEGREE + 1) * (_DEGREE + 2) // 2)
    values, weights = seen.ravel(), np.ones(seen.size)
    for _ in range(_ROUNDS):
        # Fifteen equations instead of four thousand: a hundredth of the time.
        weighted = terms * weights[:, None]
        found = np.linalg.solve(weighted.T @ weighted, weighted.T @ (values * weights))
        fitted = terms @ found
        missed = np.abs(values - fitted) / max(float(values.max()), 1.0)
        weights = 1.0 / (1.0 + np.square(missed / 0.05))
    if float(np.median(missed)) > _MISSED / 3 or float((missed > _MISSED).mean()) > 0.35:
        return None
    surface: _Floats = np.clip(fitted, 1.0, 255.0).reshape(_SIDE, _SIDE)
    return surface


def darkened(pixels: Pixels, grey: Pixels) -> Pixels | None:
    """Return the picture with pale writing made dark, None where the writing is dark or absent."""
    shades = np.bincount(grey.ravel()[:: max(1, grey.size // 2_000_000)], minlength=256)
    total = np.cumsum(shades) / max(1, int(shades.sum()))
    ink, paper = (int(np.searchsorted(total, share)) for share in (0.002, 0.6))
    if paper < 100 or not _FAINT <= paper - ink < _PALE:
        return None
    table = (np.arange(256) - ink) * ((_PAPER - _INK) / (paper - ink)) + _INK
    return np.asarray(cv2.LUT(pixels, np.clip(table, 0, 255).astype(np.uint8)), np.uint8)
