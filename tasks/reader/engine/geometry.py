"""Maps between the pixels that an engine was shown and the pixels of the page, as 3x3 matrices.

A matrix here always leads *back*: it takes a point of the changed picture (column, row, 1) to
the same spot of the picture before. Pixel centres are whole numbers.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Matrix = npt.NDArray[np.float64]
Points = npt.NDArray[np.float64]

_TURNS: dict[int, int] = {
    90: cv2.ROTATE_90_CLOCKWISE,
    180: cv2.ROTATE_180,
    270: cv2.ROTATE_90_COUNTERCLOCKWISE,
}


def identity() -> Matrix:
    """Return the map of a picture that was not changed."""
    return np.eye(3, dtype=np.float64)


def moved(matrix: Matrix, points: Any) -> Points:
    """Return points (any shape that ends in 2) taken through the matrix."""
    flat = np.asarray(points, np.float64)
    shape = flat.shape
    flat = flat.reshape(-1, 2)
    mapped = np.hstack([flat, np.ones((len(flat), 1))]) @ matrix.T
    return (mapped[:, :2] / mapped[:, 2:]).reshape(shape)


def turned(pixels: Pixels, degrees: int) -> tuple[Pixels, Matrix]:
    """Return the picture turned clockwise by a multiple of 90 degrees, and the way back."""
    height, width = pixels.shape[:2]
    if degrees == 0:
        return pixels, identity()
    back = {
        90: [[0, 1, 0], [-1, 0, height - 1], [0, 0, 1]],
        180: [[-1, 0, width - 1], [0, -1, height - 1], [0, 0, 1]],
        270: [[0, -1, width - 1], [1, 0, 0], [0, 0, 1]],
    }[degrees]
    return np.asarray(cv2.rotate(pixels, _TURNS[degrees]), np.uint8), np.array(back, np.float64)


def straightened(pixels: Pixels, degrees: float, paper: int) -> tuple[Pixels, Matrix]:
    """Return the picture turned clockwise by ``degrees`` on a larger sheet, and the way back.

    Nothing of the picture is lost; the new corners have the shade ``paper``.
    """
    height, width = pixels.shape[:2]
    forth = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), -degrees, 1.0)
    cosine, sine = abs(forth[0, 0]), abs(forth[0, 1])
    wide, high = round(height * sine + width * cosine), round(height * cosine + width * sine)
    forth[0, 2] += (wide - width) / 2
    forth[1, 2] += (high - height) / 2
    turned_ = cv2.warpAffine(
        pixels, forth, (wide, high), flags=cv2.INTER_CUBIC, borderValue=(paper,) * 3
    )
    full = np.vstack([forth, [0.0, 0.0, 1.0]])
    return np.asarray(turned_, np.uint8), np.asarray(np.linalg.inv(full), np.float64)


def grey(pixels: Pixels) -> Pixels:
    """Return the picture in shades of grey; a grey one is returned as it is."""
    if pixels.ndim == 2:
        return pixels
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)
