"""The demonstration's first part: bundles are dropped, taken, refused, opened layer by layer."""

from __future__ import annotations

import shutil
from pathlib import Path

from deploy.sample.hostile import mailbox_bundle, trap
from portal.commands import cases, quarantine
from portal.show import cell, line
from portal.watching import watch_drop

SAMPLES = Path(__file__).resolve().parents[1] / "deploy" / "sample"


def take_bundles(folder: Path, case: str) -> None:
    """Drop what a unit drops: good, wrong, repeated, packed in layers, and dangerous."""
    unit = folder / "drop" / "pudong-01"
    bundles = SAMPLES / "bundles"
    shutil.copytree(bundles / "a-rights-holder", unit / "权利人材料")
    shutil.copy(bundles / "b-other-side.zip", unit / "被控方材料.zip")
    shutil.copytree(bundles / "c-wrong-manifest", unit / "清单有误")
    line(f"投递目录 drop folder: {cell(unit)}（一个文件夹、一个 zip、一份清单有误的包）")
    line("[dim]Prefect 首次启动需数秒 / Prefect's server takes some seconds to start …[/]")
    watch_drop(once=True, seconds=0)
    (refusal,) = (unit / "rejected").glob("*/REJECTED.md")
    text = refusal.read_text()
    line("[dim]" + cell_lines(text[text.index("## 问题") : text.index("## 怎样处理")]) + "[/]")
    line("同一证据包再投一次 / the same bundle again:")
    shutil.copytree(bundles / "a-rights-holder", unit / "权利人材料-再投")
    watch_drop(once=True, seconds=0)
    line("层层打包的邮箱，和一个含越界路径的 zip / a mailbox packed in layers, and a trap:")
    mailbox_bundle(unit / "邮箱取证")
    trap(unit / "来历不明.zip")
    watch_drop(once=True, seconds=0)
    quarantine.quarantine_list()
    cases.case_show(case, parts=True)


def cell_lines(text: str) -> str:
    """Return text of several lines as a terminal may show it."""
    return "\n".join(cell(each) for each in text.strip().splitlines())
