"""Two more bundles for the demonstration: a mailbox packed in layers, and a trap.

The mailbox is evidence as strangers send it: mail with an archive attached, in a mailbox, in a
compressed archive. The trap is a zip archive with a member that would be written outside of any
folder it is unpacked into. Equal bytes at every run: no time of day goes in.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

MANIFEST = """# 证据包清单
schema: zhenglian.manifest/1
bundle_no: PD-2026-0123-04
case_no: 沪浦市监案〔2026〕0123号
cause: 涉嫌侵犯商业秘密
unit: pudong-01
officers:
- {name: 张伟, id: '310115001'}
- {name: 李娜, id: '310115002'}
submitted_by: 张伟
submitted_at: '2026-11-21T15:00:00+08:00'
secrecy: 商业秘密
items:
- path: 邮箱导出.tar.xz
  kind: 电子数据
  form: 原件
  name: 被控方销售经理邮箱导出
  source_holder: 苏州某精密模具有限公司
  obtained_at: 2026-11-20 09:30
  obtained_place: 苏州某精密模具有限公司
  method: 邮箱导出后封装
  fact_to_prove: 向客户发送报价
  category: 电子邮件
  digest: sha256:{digest}
"""
_DATE = (2026, 11, 20, 9, 30, 0)


def mailbox_bundle(folder: Path) -> None:
    """Lay the mailbox and its manifest down as a bundle."""
    folder.mkdir(parents=True)
    mails = (
        _mail("报价", "附件为冷却板报价与客户名单，请勿外传。", "报价.zip", _attachment()),
        _mail("回复：报价", "价格可以，按附件客户名单逐家联系。", "", b""),
    )
    mbox = b"".join(
        b"From sales@example.invalid Fri Nov 20 09:30:00 2026\n" + each + b"\n" for each in mails
    )
    with tarfile.open(folder / "邮箱导出.tar.xz", "w:xz") as archive:
        entry = tarfile.TarInfo("邮箱/收件箱.mbox")
        entry.size = len(mbox)
        archive.addfile(entry, io.BytesIO(mbox))
    digest = hashlib.sha256((folder / "邮箱导出.tar.xz").read_bytes()).hexdigest()
    text = MANIFEST.replace("{digest}", digest)
    (folder / "manifest.yaml").write_text(text, encoding="utf-8")


def _attachment() -> bytes:
    text = "客户名单,报价\n上海客户甲,1200\n宁波客户乙,1180\n"
    return _zip({"客户名单与报价.csv": text.encode("gb18030"), "说明.txt": "密".encode() * 40})


def _zip(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name, _DATE), data)
    return buffer.getvalue()


def _mail(subject: str, body: str, name: str, attached: bytes) -> bytes:
    mail = EmailMessage(SMTP.clone(linesep="\n"))
    mail["From"], mail["To"] = "sales@example.invalid", "buyer@example.invalid"
    mail["Date"] = "Fri, 20 Nov 2026 09:30:00 +0800"
    mail["Subject"] = subject
    mail.set_content(body)
    if attached:
        mail.add_attachment(attached, "application", "zip", filename=name)
        mail.set_boundary("=_zhenglian_sample_")
    return mail.as_bytes()


def trap(path: Path) -> None:
    """Write the trap as one dropped archive."""
    path.write_bytes(
        _zip({"manifest.yaml": MANIFEST.encode(), "../../keys/log.key": b"a key of somebody else"})
    )
