"""What a proof bundle says of itself: ``statement.json`` for programs, ``README.txt`` for people.

Neither is signed: ``verify.py`` compares what the statement claims with what the log proves.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from appraisal.material import safe_suffix
from storage.custody import VERSION
from storage.gathered import told_disposal
from storage.names import visible
from storage.note import encode_base64
from tasks.proof_events import Showing, Target

SCHEMA = "zhenglian.proof/1"


def file_name(row: dict[str, Any]) -> str:
    """Return the plain ASCII name of an original in the bundle: ``E0001.pdf``."""
    return str(row["exhibit_id"]).rpartition("/")[2] + safe_suffix(row["item"]["path"])


def statement(target: Target, showing: Showing, *, originals: bool, made_at: str) -> dict[str, Any]:
    """Return the statement.

    Args:
        target: what is shown.
        showing: its events, and the checkpoint that all proofs lead to.
        originals: whether the originals' bytes are in the bundle.
        made_at: when the bundle was made, RFC 3339.
    """
    head = showing.snapshot.checkpoint
    gone = {name: {"disposed": text} for name, text in _disposals(target, showing)}
    return {
        "schema": SCHEMA,
        "kind": target.kind,
        "case": target.case_id,
        "case_no": target.case["case_no"],
        "made_at": made_at,
        "software": f"zhenglian {VERSION}",
        "log": head.origin,
        "checkpoint": {"size": head.size, "root": encode_base64(head.root)},
        "bytes": originals,
        "exhibits": [
            {
                "exhibit": row["exhibit_id"],
                "name": row["name"],
                "file": file_name(row),
                "events": showing.chains[row["exhibit_id"]],
                "size": row["fingerprint"]["size"],
                "digests": row["fingerprint"]["digests"],
                **gone.get(row["exhibit_id"], {}),
            }
            for row in target.exhibits
        ],
        "events": len(showing.events),
        "chains": showing.chains,
        "not_shown": target.others,
    }


def _disposals(target: Target, showing: Showing) -> Iterator[tuple[str, str]]:
    """Yield the exhibits whose bytes were destroyed, and by whom, as the log says."""
    keys = {row["exhibit_id"]: row["object"]["key"] for row in target.exhibits}
    for event in (each.disposal for each in showing.events):
        if event is not None and event.details["state"] == "done":
            left = {each["object"] for each in event.details["left"]}
            for exhibit in event.exhibits:
                if keys.get(exhibit, "") not in left:
                    yield exhibit, told_disposal(event)


def as_bytes(value: dict[str, Any]) -> bytes:
    """Return a value as readable JSON."""
    text = json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    return text.encode("utf-8", "backslashreplace")


def readme(said: dict[str, Any]) -> bytes:
    """Return the README of a bundle, Chinese first."""
    rows = "\n".join(
        f"    {each['exhibit']}  {visible(each['name'])}\n"
        f"        {each['events']} 个事件 events；{each['size']} 字节 bytes\n"
        f"        SHA-256 {each['digests']['sha256']}"
        + (f"\n        {visible(each['disposed'])}" if "disposed" in each else "")
        for each in said["exhibits"]
    )
    head = said["checkpoint"]
    text = _README.format(
        case_no=visible(said["case_no"]),
        made_at=said["made_at"],
        log=visible(said["log"]),
        size=head["size"],
        root=head["root"],
        rows=rows,
        events=said["events"],
        others=said["not_shown"],
        bytes_zh="原件" if said["bytes"] else "（空：本包只含校验值，不含原件）",
        bytes_en="the originals" if said["bytes"] else "(empty: digests only, no originals)",
    )
    return text.encode("utf-8-sig")


_README = """\
证明包说明
==========

案号          {case_no}
制作时间      {made_at}
日志          {log}
检查点        {size} 条，根 {root}

本包出示的证据（其余 {others} 件未出示）：
{rows}

共 {events} 个保管事件。每件证据的事件自第 1 个起逐个相接，件数如上；缺任何一个都会被发现。
在检查点之后、或所列件数之后是否另有事件，本包不能证明，须核对整个日志。

怎样核验
    python3 -I verify.py 本文件夹 --policy policy.json --certificate 核验证书.md --by 姓名
    policy.json 和 verify.py 请用事先公布、您自己留存的，不要用随包而来的：随包而来的公钥，
    未与公布的核对，不证明任何事。以前收到过检查点的，加 --since 检查点文件。

内容
    data/          {bytes_zh}
    events/        保管事件的原始字节（.json）及其包含证明（.tlog-proof，C2SP）
    checkpoint     日志的签名检查点（C2SP tlog-checkpoint）
    older/         更早的检查点、到本检查点的一致性证明，以及其上的时间戳（.tsr，RFC 3161）
                   和见证人签名（.cosignature，C2SP）
    policy.json    公钥、时间戳机构、见证人
    statement.json 本包出示什么（机读）
    checks/        SHA-256、SM3、BLAKE3 清单，可用 sha256sum、cksum、b3sum 核对
    verify.py      独立核验程序，只用 Python 标准库
    其他案件的内容不在本包内：证明中只有散列值。


About this proof bundle
=======================

It shows the exhibits above and all their custody events; {others} other exhibit(s) of the case are
not shown. The events of each exhibit are chained and counted: a missing one is noticed. Whether
there are later events than those counted takes the whole log.

How to verify
    python3 -I verify.py THIS_FOLDER --lang en --policy policy.json --certificate FILE.md --by NAME
    Use the policy.json and the verify.py that were published and that you kept. Keys that came
    with the bundle prove nothing until they are compared with the published ones. If you hold an
    older checkpoint, add --since FILE.

What is here
    data/          {bytes_en}
    events/        the events' exact bytes (.json) and their inclusion proofs (.tlog-proof, C2SP)
    checkpoint     the log's signed checkpoint (C2SP tlog-checkpoint)
    older/         older checkpoints, consistency proofs to this one, and what vouches for them:
                   timestamps (.tsr, RFC 3161), witness cosignatures (.cosignature, C2SP)
    policy.json    keys, timestamp authorities, witnesses
    statement.json what this bundle shows, for programs
    checks/        lists for sha256sum -c, b3sum -c and cksum -a sm3 --check
    verify.py      the independent verifier: one file, Python's standard library
    Nothing of other cases is here: proofs hold hashes alone.
"""
