"""A house to work in: a fresh workspace, bundles to put into it, commissions to send out."""

import atexit
import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from storage.custody import Custody, current, init_custody
from storage.event import Action, CustodyEvent, decode
from storage.settings import Settings, relocate, settings

CASE_NO = "沪市监案〔2026〕0777号"
HEADER = """\
bundle_no: {number}
case_no: {case_no}
cause: 涉嫌侵犯商业秘密
unit: pudong-01
submitted_by: 张三
submitted_at: 2026-11-20T09:30:00+08:00
officers:
- {{name: 张三, id: "310001"}}
- {{name: 李四, id: "310002"}}
items:
"""
ITEM = """\
- path: {path}
  kind: documentary
  form: original
  name: {path}
  source_holder: 某公司
  obtained_at: 2026-11-19T10:00:00+08:00
  obtained_place: 上海
  method: 调取
"""
FILES = {"a.txt": "甲方客户名单".encode(), "b.txt": "乙方报价".encode("gb18030"), "c.txt": b"c"}


def make_bundle(
    folder: Path,
    number: str = "B1",
    files: dict[str, bytes] | None = None,
    case_no: str = CASE_NO,
    secrecy: str = "",
) -> Path:
    """Write a bundle with a right manifest; ``secrecy`` is its mark, if it has one."""
    folder.mkdir(parents=True)
    files = FILES if files is None else files
    text = f"secrecy: {secrecy}\n" if secrecy else ""
    text += HEADER.format(number=number, case_no=case_no)
    text += "".join(ITEM.format(path=path) for path in files)
    (folder / "manifest.yaml").write_text(text)
    for path, data in files.items():
        (folder / path).write_bytes(data)
    return folder


def forget() -> None:
    """Close what this process has open and forget its settings, as a new process would."""
    if current.cache_info().currsize:
        current().database.close()
    current.cache_clear()
    settings.cache_clear()


def lay_out(chosen: Settings) -> None:
    """Lay out the home of a house in which nothing has happened.

    What ``custody init`` makes is made once in a process and copied: houses with the same settings
    share key and first entry. A house on a server, whose state is not in its home, is made anew.
    """
    if chosen.store != "directory" or chosen.database:
        init_custody(chosen)
    else:
        shutil.copytree(_made(chosen.model_copy(update={"home": Path()})), chosen.home)


@cache
def _made(chosen: Settings) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="house-"))
    atexit.register(_remove, folder, os.getpid())
    init_custody(chosen.model_copy(update={"home": folder / "home"}))
    return folder / "home"


def _remove(folder: Path, maker: int) -> None:
    """Remove a folder with the process that made it; its forks leave it alone."""
    if os.getpid() == maker:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def opened_house(home: Path) -> Iterator[Custody]:
    """Lay out a workspace at ``home`` that this process works in until the block ends."""
    forget()
    try:
        lay_out(relocate(home))
        yield current()
    finally:
        forget()
        os.environ.pop("CUSTODY_HOME", None)


def events(house: Custody, action: Action) -> list[CustodyEvent]:
    """Return the events of one kind, in the order of the log."""
    found = (decode(leaf) for _, leaf in house.log.reader().entries())
    return [event for event in found if event.action is action]


def brief_for(case_no: str, number: str, *exhibits: str, **changes: Any) -> dict[str, Any]:
    """Return a filled-in brief that sends exhibits of a case to the sample agency."""
    from tests.appraisal.made import brief_fields

    materials = [{"exhibit": each} for each in exhibits]
    return brief_fields(case_no=case_no, commission_no=number, materials=materials, **changes)
