"""Excerpts: some pages of an exhibit go out in place of the whole, as a marked derivative.

The pages are taken out in the cell; what comes back is held in scratch space with its own
fingerprint. It is no evidence and says so: ``excerpts.json`` names parent, pages, tool and
version. (RULES: AP-07, FP-06.)
"""

from __future__ import annotations

import importlib.metadata
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, BinaryIO

from appraisal.material import Material
from appraisal.package import Payload
from appraisal.page_ranges import count_of, parse_pages
from storage.custody import Custody
from storage.digest import digest_stream, fingerprint
from storage.errors import InputError, IntegrityError
from storage.objects import ObjectRef
from tasks.kept_files import opened
from tasks.reader.cell import CellPool
from tasks.reader.containers import wanted
from tasks.reader.failures import reason
from tasks.reader.process import CellFailure

MAX_PAGES = 2000
"""Pages of one excerpt; whoever needs more sends the whole."""
_TOOL = "pypdf"


class _Held:
    """A scratch file that is opened again and again from its start, and closed by its owner."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    @contextmanager
    def _opened(self) -> Iterator[BinaryIO]:
        self._file.seek(0)
        yield self._file

    def open(self) -> Any:
        """Return a context manager of the file at its start."""
        return self._opened()


@contextmanager
def excerpted(
    custody: Custody,
    materials: list[tuple[Material, ObjectRef]],
    pool: Callable[[], CellPool],
) -> Iterator[dict[str, Payload]]:
    """Yield the excerpts of the lines that name pages, by exhibit; they last as long as the block.

    ``pool`` is asked for only if there is anything to excerpt.

    Raises:
        InputError: the exhibit is no PDF, has not so many pages, or cannot be taken apart.
    """
    with ExitStack() as stack:
        found = {}
        for material, ref in materials:
            if not material.pages:
                continue
            file = stack.enter_context(tempfile.TemporaryFile(dir=custody.workspace.work))
            found[material.exhibit_id] = _excerpt(custody, material, ref, pool(), file)
        yield found


def _excerpt(
    custody: Custody, material: Material, ref: ObjectRef, pool: CellPool, file: BinaryIO
) -> Payload:
    ranges = parse_pages(material.pages)
    if count_of(ranges) > MAX_PAGES:
        raise _refused(material, f"超过{MAX_PAGES}页 more than {MAX_PAGES} pages")
    numbers = [n for first, last in ranges for n in range(first, last + 1)]
    limit = max(4 * material.fingerprint.size, 1 << 26)
    try:
        with opened(custody, ref) as source:
            _require_original(material, source)
            given = pool.stream("excerpt", source, "", limit, wanted=wanted.encode(numbers))
            for piece in given:
                file.write(piece)
    except CellFailure as error:
        raise _refused(material, reason(error)) from error
    file.flush()
    file.seek(0)
    made = fingerprint(file)
    told = {
        "pages": material.pages,
        "tool": _TOOL,
        "version": importlib.metadata.version(_TOOL),
    }
    return Payload(material, material.payload_name, made, _Held(file).open, told)


def _require_original(material: Material, source: BinaryIO) -> None:
    if digest_stream(source, "blake3") != material.fingerprint.blake3:
        raise IntegrityError(
            f"{material.number}（{material.name}）现有字节与入库时不一致 the bytes stored "
            "now are not those recorded at intake; nothing was excerpted",
            remedy="run 'custody verify' for the case; do not send anything of it out",
            exhibit=material.exhibit_id,
        )
    source.seek(0)


def _refused(material: Material, why: str) -> InputError:
    return InputError(
        f"{material.number}（{material.name}）第{material.pages}页不能节录：{why} "
        f"pages {material.pages} of {material.number} cannot be excerpted",
        remedy="send the whole exhibit, or correct the pages in the material list",
        exhibit=material.exhibit_id,
        pages=material.pages,
    )
