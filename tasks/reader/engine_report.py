"""Whether the OCR engine runs on this host and what holds it, for ``custody doctor``."""

from __future__ import annotations

from dataclasses import dataclass

from storage.errors import HostError
from tasks.reader.engine import models
from tasks.reader.engine.form import Told
from tasks.reader.engine_pool import EnginePool
from tasks.reader.engines import EngineName
from tasks.reader.syscalls import ALLOWED

_INSTEAD = "由 Tesseract 识读。 Tesseract reads instead."


@dataclass(frozen=True)
class EngineReport:
    """Which engine will read pages, and what was seen of it; ``degraded`` if not the wanted one.

    ``usable`` is false where no page would be read at all.
    """

    engine: str
    seen: str
    degraded: bool = False
    usable: bool = True


def engine_report(wanted: EngineName, *, reduced: bool = False) -> EngineReport:
    """Start the engine as a page would, unless another was chosen, and say what was seen."""
    if wanted == "tesseract":
        return EngineReport("tesseract", "CUSTODY_OCR_ENGINE")
    why = models.unusable()
    if not why:
        pool = EnginePool(Told(), reduced=reduced)
        try:
            return EngineReport("rapid", _seen(pool.greeting()))
        except HostError as error:
            why = error.message
        finally:
            pool.close()
    if wanted == "auto":
        return EngineReport("tesseract", f"{why} {_INSTEAD}", degraded=True)
    return EngineReport("rapid", why, degraded=True, usable=False)


def _seen(greeting: dict[str, object]) -> str:
    walls = [
        f"Landlock {greeting['landlock']}" if greeting.get("landlock") else "no Landlock",
        f"{len(ALLOWED['engine'])} calls" if greeting.get("seccomp") else "no seccomp",
        "own user" if greeting.get("own_user") else "this program's user",
    ]
    return f"{models.installed().version}; {', '.join(walls)}"
