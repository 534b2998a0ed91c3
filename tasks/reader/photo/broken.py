"""What Pillow and its parts raise on metadata that is not what it claims to be."""

from __future__ import annotations

import struct

BROKEN = (
    OSError,
    EOFError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    RecursionError,
    struct.error,
)
