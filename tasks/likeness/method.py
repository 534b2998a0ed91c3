"""The published parameters of every method; a record names them, docs/likeness.md explains them.

Whoever changes one raises ``VERSION``: values of different versions are never compared.
"""

from __future__ import annotations

from typing import Any

VERSION = "1"
SHINGLE = 5
"""Characters of a shingle."""
CHARACTERS = 2_000_000
"""Normalised characters of a text that count; what follows does not, and the record says so."""
PERMUTATIONS = 128
BANDS = 32
"""Bands of four values each: texts of which half is common share one in 87 of 100 cases."""
TEXT_PERMILLE = 500
"""Texts count as alike from this share of common shingles (Jaccard) on, in thousandths."""
CANDIDATE_PERMILLE = 350
"""Estimates from here on are computed exactly: three standard errors below the threshold."""
IMAGE_DISTANCE = 31
"""Images count as alike up to so many differing bits of 256, as the method's authors advise."""
IMAGE_QUALITY = 50
"""A hash of lower quality says little: the picture is nearly featureless."""
FILE_DISTANCE = 50
"""Files count as alike up to this TLSH distance; 0 is equal but for order of far-off pieces."""
FILE_BYTES = 8 << 20
"""Larger files get no TLSH value: it takes a tenth of a second for each million bytes."""
FRAMES = 20
"""Frames of one image file that are hashed."""

AID_ZH = "相似度仅供检索参考，不是鉴定意见，也不是任何认定。"
AID_EN = "Likeness is an aid to search. It is neither an appraisal nor any finding."


def parameters() -> dict[str, Any]:
    """Return what goes on record beside the values: method, version, parameters, thresholds."""
    return {
        "version": VERSION,
        "text": {
            "method": "minhash",
            "shingle": SHINGLE,
            "permutations": PERMUTATIONS,
            "bands": BANDS,
            "threshold_permille": TEXT_PERMILLE,
        },
        "image": {"method": "pdq", "threshold_distance": IMAGE_DISTANCE},
        "file": {"method": "tlsh", "threshold_distance": FILE_DISTANCE, "max_bytes": FILE_BYTES},
    }
