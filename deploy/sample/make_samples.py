"""Makes ``deploy/sample/bundles/``; run as ``python -m deploy.sample.make_samples [FOLDER]``.

Three bundles of one invented case, the same bytes on every run::

    a-rights-holder/     the complainant's material, with manifest.yaml
    b-other-side.zip     the other side's material, with manifest.xlsx inside
    c-wrong-manifest/    an unknown kind, one officer, a missing and an unlisted file
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from deploy.sample import documents, story
from deploy.sample.manifests import as_xlsx, as_yaml, electronic, header, other_side, paper

FOLDER = Path(__file__).parent / "bundles"


def rights_holder() -> dict[str, bytes]:
    """Return bundle A."""
    files = {
        "合同/供货合同_扫描件.pdf": documents.contract(),
        "合同/保密协议.pdf": documents.text_pdf(story.NDA, "保密协议"),
        "现场/工艺卡片_照片.jpg": documents.process_card(),
        "客户/客户名单.xlsx": documents.customer_list(),
        "技术/冷却板真空钎焊工艺说明.docx": documents.process_note(),
        "邮件/报价单往来.eml": documents.mail(),
        "技术/会议纪要_20260312.txt": documents.minutes(),
        "技术/设计资料.zip": documents.design_zip(),
    }
    contract, nda, card, customers, note, mail, minutes, design = files
    items = [
        paper(contract, "冷却板供货合同", "权利人向客户供货的事实、价格和保密约定", pages="2"),
        paper(nda, "保密协议", "权利人采取了保密措施，离职员工负有保密义务", method="现场调取"),
        paper(
            card,
            "真空钎焊工艺卡片",
            "权利人主张的工艺参数",
            form="照片或录像",
            method="现场拍照",
            copy_reason="卡片固定在炉旁，不便取下",
            original_location=f"{story.HOLDER}钎焊车间",
        ),
        electronic(customers, "客户名单", "客户名单的内容和整理过程", "电子表格", files[customers]),
        electronic(
            note,
            "冷却板真空钎焊工艺说明",
            "权利人主张的密点",
            "文档",
            files[note],
            algorithm="sm3",
        ),
        electronic(mail, "报价单往来邮件", "被控方以低价联系同一客户", "电子邮件", files[mail]),
        electronic(minutes, "工艺改进会议纪要", "离职员工接触过工艺参数", "文档", files[minutes]),
        electronic(design, "设计资料", "炉温曲线和夹具尺寸", "文档", files[design]),
    ]
    head = header("PD-2026-0123-01", "2026-11-20T09:30:00+08:00", "权利人提交的材料")
    return {"manifest.yaml": as_yaml(head, items), **files}


def counterpart() -> dict[str, bytes]:
    """Return bundle B."""
    files = {
        "作业指导书_YH-SOP-033.pdf": documents.text_pdf(story.RIVAL_CARD, "作业指导书"),
        "生产销售台账.xlsx": documents.rival_output(),
        "询问笔录_周启明.pdf": documents.statement(),
    }
    rules, output, statement = files
    record = paper(
        statement,
        f"{story.ENGINEER}询问笔录",
        "离职员工带走并使用工艺参数",
        kind="当事人的陈述",
        is_digitised="是",
        pages="1",
        copy_reason="纸质笔录原件归入案卷",
    )
    items = [
        other_side(paper(rules, "液冷板真空钎焊作业指导书", "被控方使用的工艺参数")),
        other_side(
            electronic(output, "生产销售台账", "被控产品的数量和价款", "电子表格", files[output])
        ),
        other_side(record) | {"original_location": story.BUREAU, "obtained_at": "2026-11-19 11:20"},
    ]
    head = header("PD-2026-0123-02", "2026-11-20T15:10:00+08:00", "对被控方现场检查取得的材料")
    return {"manifest.xlsx": as_xlsx(head, items), **files}


def faulty() -> dict[str, bytes]:
    """Return bundle C, which must be refused."""
    head = header("PD-2026-0123-03", "2026-11-21T10:00:00+08:00", "填写有误的清单")
    head["officers"] = head["officers"][:1]
    mail = "往来邮件.eml"
    items = [
        paper("补充合同.pdf", "补充合同", "续签的事实", method="现场调取"),
        paper(mail, "往来邮件", "联系客户的事实", kind="电子文件", category="电子邮件"),
    ]
    return {
        "manifest.yaml": as_yaml(head, items),
        mail: documents.mail(),
        "未列入清单.txt": "现场随手记录，尚未整理。\n".encode(),
    }


def make(folder: Path) -> None:
    """Write all bundles into a folder, in place of what was there."""
    bundles: dict[str, Callable[[], dict[str, bytes]]] = {
        "a-rights-holder": rights_holder,
        "b-other-side.zip": counterpart,
        "c-wrong-manifest": faulty,
    }
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, files in bundles.items():
        if name.endswith(".zip"):
            (folder / name).write_bytes(documents.zipped(files()))
            continue
        for path, data in files().items():
            target = folder / name / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)


if __name__ == "__main__":
    make(Path(sys.argv[1]) if sys.argv[1:] else FOLDER)
