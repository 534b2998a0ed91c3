"""A package made of invented material, for tests of its form."""

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO

from appraisal.material import Material
from appraisal.package import PackageInfo, Payload, write_package
from storage.digest import Fingerprint, fingerprint
from tests.appraisal import made

CONTENT = {
    "E0001": b"%PDF-1.7 contract",
    "E0002": b"",
    "E0003": "客户名单".encode("gb18030") * 100_000,
}
MATERIALS = [
    made.material(1, name="供货合同.pdf", content=CONTENT["E0001"]),
    made.material(2, name="=cmd|'/c calc'!A1", content=CONTENT["E0002"], suffix=""),
    made.material(3, name="客户\n名单\u202e.xlsx", content=CONTENT["E0003"], suffix=".xlsx"),
]
PROOFS = [
    path
    for each in MATERIALS
    for path in (
        (f"proofs/{each.number}.event.json", b'{"e":"' + each.number.encode() + b'"}'),
        (f"proofs/{each.number}.tlog-proof", b"c2sp.org/tlog-proof@v1\n"),
    )
]
INFO = PackageInfo(
    name="2026-7-0a1b2c3d",
    commission_no="沪市监鉴委〔2026〕7号",
    case_no=made.CASE_NO,
    client="某市市场监督管理局",
    contact="李明\nPayload-Oxum: 0.0",
    date="2026-01-28",
    software="zhenglian 0.1.0",
    withheld=4,
    commission=made.brief().as_json(),
    readings=({"exhibit": "E0001", "evidence": False, "log_index": 7},),
)
Opener = Callable[[Material], BinaryIO]


def opener(material: Material) -> BinaryIO:
    return io.BytesIO(CONTENT[material.number])


def payloads(materials: Sequence[Material] = MATERIALS, opened: Opener = opener) -> list[Payload]:
    return [
        Payload(each, each.payload_name, each.fingerprint, lambda each=each: opened(each))
        for each in materials
    ]


class Unseekable(io.RawIOBase):
    """A stream that is only ever written to, as a package's is."""

    def __init__(self, target: BinaryIO) -> None:
        self._target = target

    def write(self, data: bytes) -> int:  # type: ignore[override]
        return self._target.write(data)


def build(
    path: Path,
    items: Sequence[Payload] | None = None,
    proofs: Sequence[tuple[str, bytes]] = PROOFS,
    info: PackageInfo = INFO,
) -> Fingerprint:
    with path.open("wb") as target:
        write_package(Unseekable(target), payloads() if items is None else items, proofs, info)
    with path.open("rb") as stream:
        return fingerprint(stream)
