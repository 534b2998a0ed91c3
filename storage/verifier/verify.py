#!/usr/bin/env python3
"""证明包独立核验程序 / Independent verifier of Zhenglian proof bundles.

    python3 -I verify.py [BUNDLE] --policy policy.json [--since CHECKPOINT] [--originals FOLDER]
                         [--lang zh|en] [--certificate FILE.md --by NAME]

One file, the standard library of Python 3.9 or later, no network. BUNDLE is a folder (this one if
not named) or its zip; an appraisal package is one too. Take this program and policy.json from where
you trust them: what came with a bundle alone proves nothing. Used if installed: b3sum for BLAKE3,
OpenSSL for RFC 3161 timestamps. Exit code 0: all that is required holds; 1: something failed; 2:
wrong arguments; 3: something required could not be checked. Messages are Chinese｜English.
"""

from __future__ import annotations

import sys

if __name__ == "__main__" and not sys.flags.isolated:
    del sys.path[0]  # A bundle must not lend its own json.py to the program that checks it.

import base64
import hashlib
import json
import os
import re
import shutil
import stat
import subprocess
import tempfile
import zipfile
from argparse import ArgumentParser, Namespace, RawTextHelpFormatter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

VERSION = "zhenglian-verify 1"
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*", re.ASCII)
MAX_TEXT, MAX_NOTE, MAX_LEAF = 256 << 20, 1_000_000, 65_535
MANIFESTS = ("manifest-sha256.txt", "tagmanifest-sha256.txt")
CHECKS = (("sha256", "sha256"), ("sm3", "sm3"), ("b3", "blake3"))
LISTS = {**dict.fromkeys(MANIFESTS, "sha256"), **{f"checks/{n}sums.txt": a for n, a in CHECKS}}
HOLDS, FAILED = "[通过]｜[holds]", "[失败]｜[FAILED]"
REQUIRED, UNCHECKED = "[应核而未核]｜[required, not checked]", "[未核]｜[not checked]"
GONE = "{occurred_at:.10} {actor[name]}, {details[with]}, {details[list]}: {details[reason]}"
LIMITS = (
    "所计事件之后是否另有事件，须核对整个日志｜later events than those counted: ask the whole log",
    "入库前的真实性、时间戳证书的吊销｜truth before intake, revocation of timestamp certificates",
)


class Refused(Exception):
    """Bytes have not the form or the value that they must have."""


class Report(list[tuple[str, str]]):
    """Marks and messages: what holds, what failed, what could not be checked."""

    def add(self, mark: str, item: object, message: str) -> None:
        """Add what was found of an item."""
        zh, _, en = message.partition("｜")
        self.append((mark, f"{shown(item)}：{zh}｜{shown(item)}: {en}"))

    @contextmanager
    def guard(self, item: object) -> Iterator[None]:
        """Make whatever hostile bytes provoke the failure of their item."""
        try:
            yield
        except Refused as error:
            self.add(FAILED, item, str(error))
        except Exception as error:  # noqa: BLE001 - a bundle must never cause a traceback
            why = type(error).__name__
            self.add(FAILED, item, f"格式不对（{why}）｜has another form or is unreadable ({why})")

    def code(self) -> int:
        """Return the exit code."""
        return 1 if FAILED in dict(self) else 3 if REQUIRED in dict(self) else 0


def shown(untrusted: object) -> str:
    """Return text that cannot move a cursor, forge a line or a cell, or flood the screen."""
    text = str(untrusted)[:200]
    return "".join(c if c.isprintable() and c not in "｜|" else f"\\u{ord(c):04x}" for c in text)


def parse_json(untrusted: bytes, *, canonical: bool = False) -> Any:
    """Parse JSON without fractions, numbers beyond 2**53, or a name twice in one object."""

    def whole(text: str) -> int:
        if len(text) > 17 or not text.lstrip("-").isdigit() or abs(int(text)) >= 1 << 53:
            raise Refused("含小数或过大的数｜holds a number that is not whole or beyond 2**53")
        return int(text)

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        if len(set(names)) != len(names):
            raise Refused("JSON 对象中名称重复｜a JSON object holds a name twice")
        if canonical and names != sorted(names, key=lambda name: name.encode("utf-16-be")):
            raise Refused("名称未按规范排序｜names are not in canonical order")
        return dict(pairs)

    hooks: dict[str, Any] = dict.fromkeys(("parse_int", "parse_float", "parse_constant"), whole)
    value = json.loads(untrusted.decode("utf-8"), object_pairs_hook=unique, **hooks)
    own = json.dumps(value, ensure_ascii=False, separators=(",", ":")) if canonical else ""
    if canonical and own.encode("utf-8") != untrusted:
        raise Refused("不是规范格式｜is not in canonical form")
    return value


P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D, ROOT = -121665 * pow(121666, P - 2, P) % P, pow(2, (P - 1) // 4, P)
Point = tuple[int, int, int, int]  # Extended coordinates: x = X/Z, y = Y/Z, x*y = T/Z.


def add(p: Point, q: Point) -> Point:
    """Return p + q; the formula is complete, so it doubles too."""
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def decode_point(untrusted: bytes) -> Point:
    """Return the point of 32 bytes; one spelling is accepted."""
    sign, y = divmod(int.from_bytes(untrusted, "little"), 1 << 255)
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if x * x % P == square else x * ROOT % P
    if len(untrusted) != 32 or y >= P or x * x % P != square or (x == 0 and sign):
        raise Refused("不是规范的曲线点｜is no point in its one spelling")
    x = x if x & 1 == sign else P - x
    return x, y, 1, x * y % P


BASE = decode_point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def ed25519(public: bytes, signature: bytes, message: bytes) -> bool:
    """Whether a signature is the key's: S below L, R = [S]B - [h]A exactly, A of large order."""
    a, s = decode_point(public), int.from_bytes(signature[32:], "little")
    double = add(a, a)
    if len(signature) != 64 or s >= L or add(add(double, double), add(double, double))[0] == 0:
        return False
    h = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % L
    minus, r = (P - a[0], a[1], 1, P - a[3]), (0, 1, 1, 0)
    table = (r, BASE, minus, add(BASE, minus))
    for bit in range(252, -1, -1):
        r, which = add(r, r), (s >> bit & 1) | (h >> bit & 1) << 1
        r = add(r, table[which]) if which else r
    inverse = pow(r[2], P - 2, P)
    encoded = r[1] * inverse % P | (r[0] * inverse % P & 1) << 255
    return encoded.to_bytes(32, "little") == signature[:32]


Row = dict[str, Any]
Named = tuple[str, bytes, bytes]  # A key's name and ID, and its public key or a signature.


class Checkpoint(NamedTuple):
    """A verified tree head, and the exact note that it came from."""

    size: int
    root: bytes
    note: bytes


def unbase64(untrusted: str, size: int = 0) -> bytes:
    """Decode base64 in its one spelling, of ``size`` bytes if given."""
    data = base64.b64decode(untrusted.encode("ascii"), validate=True)
    if base64.b64encode(data).decode() != untrusted or size not in (0, len(data)):
        raise Refused("base64 不规范或长度不对｜a base64 value has another spelling or length")
    return data


def parse_key(untrusted: str, kind: int) -> Named:
    """Parse ``name+id+base64`` of a log's key (kind 1) or a witness's (kind 4)."""
    name, identifier, encoded = untrusted.split("+", 2)
    data = unbase64(encoded, 33)
    own = hashlib.sha256(name.encode() + b"\n" + data).digest()[:4]
    if data[0] != kind or own.hex() != identifier:
        raise Refused("公钥的类型或编号不对｜a key has another kind or ID")
    return name, own, data[1:]


def parse_note(untrusted: bytes) -> tuple[str, list[Named]]:
    """Return a signed note's text and its signatures, none of them verified."""
    text, separator, tail = untrusted.decode("utf-8").rpartition("\n\n")
    lines = [line.split(" ") for line in tail.split("\n")]
    wild = {each[0] for each in lines[:-1]} != {"—"}
    if not separator or lines.pop() != [""] or len(lines) > 64 or wild:
        raise Refused("不是签名文本｜is no signed note")
    signatures = [(name, unbase64(encoded)) for _, name, encoded in lines]
    return text + "\n", [(name, data[:4], data[4:]) for name, data in signatures]


class Policy:
    """What an auditor pins: the log's keys with the sizes they sign, authorities, witnesses."""

    def __init__(self, untrusted: bytes) -> None:
        value, self.sha256 = parse_json(untrusted), hashlib.sha256(untrusted).hexdigest()
        self.origin, self.needed, keys = value["log"], value["witnesses_needed"], value["keys"]
        self.keys = [(parse_key(k["vkey"], 1), k["first"], k["last"] or 1 << 62) for k in keys]
        self.authorities = [pem for each in value["authorities"] for pem in each["certificates"]]
        self.witnesses = {parse_key(each["vkey"], 4) for each in value["witnesses"]}
        if value["schema"] != "zhenglian.policy/1" or not isinstance(self.needed, int):
            raise Refused("不是核验策略｜is no policy of schema zhenglian.policy/1")

    def open(self, untrusted: bytes) -> Checkpoint:
        """Verify a checkpoint by the key that may sign its size."""
        text, signatures = parse_note(untrusted)
        origin, number, root = text.split("\n")[:3]
        if origin != self.origin or not re.fullmatch("[1-9][0-9]{0,17}", number):
            raise Refused("属于另一日志，或没有大小｜is of another log, or has no size")
        head = Checkpoint(int(number), unbase64(root, 32), untrusted)
        for key, first, last in self.keys:
            values = [value for *known, value in signatures if tuple(known) == key[:2]]
            if first <= head.size <= last and values:
                if not all(ed25519(key[2], value, text.encode()) for value in values):
                    raise Refused("日志签名无效｜the log's signature is bad")
                return head
        raise Refused("没有可签此大小的密钥的签名｜is not signed by a key that may sign this size")


def fold(left: int, right: int, start: bytes, path: list[bytes]) -> tuple[bytes, bytes]:
    """Return the roots of the older and of the newer tree to which a path leads."""
    older = newer = start
    for each in path:
        if right == 0:
            raise Refused("证明过长｜the proof is too long")
        if left & 1 or left == right:
            older = hashlib.sha256(b"\x01" + each + older).digest()
            newer = hashlib.sha256(b"\x01" + each + newer).digest()
            while left and not left & 1:
                left, right = left >> 1, right >> 1
        else:
            newer = hashlib.sha256(b"\x01" + newer + each).digest()
        left, right = left >> 1, right >> 1
    if right != 0:
        raise Refused("证明过短｜the proof is too short")
    return older, newer


def require_extends(old: Checkpoint, new: Checkpoint, path: list[bytes]) -> None:
    """Require that the newer tree begins with the older one."""
    if old.size > new.size:
        raise Refused("日志比此检查点短，被回退｜the log is shorter than this: rolled back")
    left, right = (old.size - 1, new.size - 1) if old.size < new.size else (0, 0)
    while left & 1:
        left, right = left >> 1, right >> 1
    nodes = path if left else [old.root, *path]  # A tree of 2**n leaves is a node of the newer one.
    if not nodes or fold(left, right, nodes[0], nodes[1:]) != (old.root, new.root):
        raise Refused("一致性证明不成立，日志被改写｜the log does not extend this one: rewritten")


def unpack(path: str, folder: str) -> Path:
    """Unpack a zip whose members are stored, not deflated; return the one folder in it."""
    with zipfile.ZipFile(path) as archive:
        if sum(each.file_size for each in archive.infolist()) > Path(path).stat().st_size:
            raise Refused("压缩包的内容大于其自身｜holds more than its own size")
        for each in archive.infolist():
            if not NAME.fullmatch(each.filename.rstrip("/")) or each.compress_type:
                raise Refused(f"成员名不规范 {shown(each.filename)}｜member {shown(each.filename)}")
            target = Path(folder, each.filename)
            target.parent.mkdir(parents=True, exist_ok=True)
            if not each.is_dir():
                with archive.open(each) as source, target.open("xb") as copy:
                    shutil.copyfileobj(source, copy, 1 << 20)
    (root,) = Path(folder).iterdir()
    return root


def digests(stream: BinaryIO) -> dict[str, str]:
    """Return SHA-256, and SM3 where Python's OpenSSL has it, of a stream of any size."""
    hashes = {n: hashlib.new(n) for n in ("sha256", "sm3") if n in hashlib.algorithms_available}
    for piece in iter(lambda: stream.read(1 << 20), b""):
        for each in hashes.values():
            each.update(piece)
    return {name: each.hexdigest() for name, each in hashes.items()}


def parse_list(untrusted: bytes) -> dict[str, str]:
    """Return digest by name of a list as sha256sum, b3sum or cksum writes it."""
    listed: dict[str, str] = {}
    for line in filter(None, untrusted.decode("utf-8").split("\n")):
        match = re.fullmatch(r"SM3 \((.+)\) = ([0-9a-f]{64})|([0-9a-f]{64})  (.+)", line)
        name, value = (match[1] or match[4], match[2] or match[3]) if match else (line, "")
        if not match or not NAME.fullmatch(name) or name in listed:
            raise Refused(f"所列不规范或重复：{shown(name)}｜lists wrongly or twice {shown(name)}")
        listed[name] = value
    return listed


class Bundle:
    """The folder's regular files by plain relative name; nothing else is ever opened."""

    def __init__(self, root: Path, report: Report) -> None:
        self.root, self.report = root.resolve(), report
        self.files: dict[str, str] = {}
        for folder, folders, names in os.walk(self.root):
            for path in (Path(folder, each) for each in (*folders, *names)):
                name, mode = path.relative_to(self.root).as_posix(), path.lstat().st_mode
                if NAME.fullmatch(name) and stat.S_ISREG(mode):
                    self.files[name] = str(path)
                elif not NAME.fullmatch(name) or not stat.S_ISDIR(mode):
                    report.add(FAILED, name, "不是规范的普通文件｜is no plain file of plain name")

    def open(self, name: str) -> BinaryIO:
        """Open one file; a link or pipe that took its place is not followed."""
        if name not in self.files:
            raise Refused("缺失｜is missing")
        flags = (getattr(os, flag, 0) for flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"))
        return os.fdopen(os.open(self.files[name], os.O_RDONLY | sum(flags)), "rb")

    def read(self, name: str, limit: int = MAX_NOTE) -> bytes:
        """Return one file's bytes, at most ``limit``."""
        with self.open(name) as file:
            data = file.read(limit + 1)
        if len(data) > limit:
            raise Refused(f"超过 {limit} 字节｜is longer than {limit} bytes")
        return data

    def below(self, folder: str, ending: str = "") -> list[str]:
        """Return the names below a folder, sorted."""
        return sorted(n for n in self.files if n.startswith(folder) and n.endswith(ending))

    def run(self, name: str, *arguments: str) -> tuple[int, str]:
        """Run an installed program, never one of the bundle; -1 if there is none."""
        path = shutil.which(name)
        if path is None or self.root in Path(path).resolve().parents:
            return -1, ""
        done = subprocess.run([path, *arguments], input=b"", capture_output=True, timeout=600)
        return done.returncode, done.stdout.decode("utf-8", "replace")

    def check_lists(self) -> dict[str, Row]:
        """Compare every file with every list, and every list with the files; return digests."""
        found: dict[str, Row] = {}
        for name in self.below(""):
            with self.report.guard(name), self.open(name) as stream:
                found[name] = digests(stream)
        for names in (list(found)[at : at + 200] for at in range(0, len(found), 200)):
            text = self.run("b3sum", "--no-names", "--", *(self.files[name] for name in names))[1]
            for name, value in zip(names, text.split()):
                found[name]["blake3"] = value
        wrong, files, data = {}, set(self.files), set(self.below("data/"))
        for path, algorithm in LISTS.items():
            with self.report.guard(path):
                listed, due = parse_list(self.read(path, MAX_TEXT)), files - set(LISTS)
                if path in MANIFESTS:
                    due = data if path == MANIFESTS[0] else files - data - {path}
                for name in set(listed) ^ due:
                    wrong[name] = "缺失｜is missing" if name in listed else "未列出｜is not listed"
                for name in set(listed) & set(found):
                    if found[name].get(algorithm, listed[name]) != listed[name]:
                        wrong[name] = f"与 {algorithm} 清单不符｜differs from its {algorithm} list"
        for name in sorted(wrong):
            self.report.add(FAILED, name, wrong[name])
        for algorithm, needs in (("sha256", ""), ("sm3", "OpenSSL"), ("blake3", "b3sum")):
            held = all(algorithm in each for each in found.values())
            zh, en = ("各文件", "of every file") if held else (f"缺少 {needs}", f"needs {needs}")
            mark = UNCHECKED if not held else HOLDS if files >= {*LISTS} and not wrong else FAILED
            self.report.append((mark, f"{algorithm} 清单，{zh}｜list of {algorithm}: {en}"))
        return found


class Proof:
    """A bundle under a policy and its checkpoint."""

    def __init__(self, bundle: Bundle, policy: Policy, head: Checkpoint) -> None:
        self.bundle, self.policy, self.head, self.report = bundle, policy, head, bundle.report
        self.said = parse_json(bundle.read("statement.json", MAX_TEXT))
        self.seqs: set[int] = set()  # Indexes of the events that are proven.
        self.chains: dict[str, dict[int, Any]] = {}  # Of a subject, by count: see check_event.
        self.stamps: list[tuple[int, datetime]] = []  # Size and time.
        self.witnessed = 0

    def check_event(self, name: str) -> None:
        """Verify one tlog-proof and the event beside it."""
        seq = int(name[len("events/") : -len(".tlog-proof")])
        text, _, note = self.bundle.read(name).partition(b"\n\n")
        header, index, *path = text.decode("ascii").split("\n")
        if (header, index, note) != ("c2sp.org/tlog-proof@v1", f"index {seq}", self.head.note):
            raise Refused("格式、序号或检查点不符｜has another form, index or checkpoint")
        leaf = self.bundle.read(f"events/{seq:012d}.json", MAX_LEAF)
        own = hashlib.sha256(b"\x00" + leaf).digest()
        roots = fold(seq, self.head.size - 1, own, [unbase64(each, 32) for each in path])
        if not 0 <= seq < self.head.size or roots[1] != self.head.root:
            raise Refused("包含证明不成立｜the inclusion proof leads to another root")
        body = parse_json(leaf, canonical=True)
        links, named = body["order"]["chains"], {*body["exhibits"], body["case"], body["accession"]}
        if body["order"]["seq"] != seq or named - {""} != set(links):
            raise Refused("事件的序号或所涉不符｜the event has another index or other subjects")
        for subject, link in links.items():
            chain = self.chains.setdefault(subject, {})
            if link["count"] in chain:
                raise Refused("与另一事件计数相同｜has the count of another event of its chain")
            chain[link["count"]] = (seq, own.hex()), (link["seq"], link["previous"]), body
        self.seqs.add(seq)

    def check_events(self) -> None:
        """Verify every event; each needs its proof, and there are as many as stated."""
        proofs, stated = set(self.bundle.below("events/", ".tlog-proof")), self.said["events"]
        for name in self.bundle.below("events/"):
            with self.report.guard(name):
                if name in proofs:
                    self.check_event(name)
                elif name[: -len("json")] + "tlog-proof" not in proofs:
                    raise Refused("没有包含证明｜has no inclusion proof")
        if not (number := len(self.seqs)) == stated == len(proofs):
            raise Refused(f"证实 {number} 个，应有 {stated} 个｜{number} proven, {stated} stated")
        self.report.append((HOLDS, f"{number} 个事件在签名日志中｜{number} events in signed log"))

    def check_chain(self, subject: str) -> None:
        """Require events 1 to the stated count of a subject, each naming the one before."""
        chain, count = self.chains.get(subject, {}), self.said["chains"][subject]
        before = None, ""
        for number in range(1, max([1, count, *chain]) + 1):
            if number > count or number not in chain or chain[number][1] != before:
                raise Refused(f"事件链在第 {number} 个处不连续｜its chain breaks at event {number}")
            before = chain[number][0]

    def check_claims(self) -> None:
        """Verify the other chains that the statement claims, and that it claims what it must."""
        said, files = self.said, {f"data/{each['file']}" for each in self.said["exhibits"]}
        listed = {each["exhibit"] for each in said["exhibits"]}
        case = {said["case"]} if said["kind"] == "case" else set()
        for subject in {*said["chains"], *case} - listed:
            with self.report.guard(subject):
                self.check_chain(subject)
        for name in set(self.bundle.below("data/")) - files:
            self.report.add(FAILED, name, "不属于所列证据｜is of no listed exhibit")
        bodies = [body for _, _, body in self.chains.get(said["case"], {}).values()]
        due = sum(b["details"]["exhibits"] for b in bodies if b["action"] == "accessioned")
        if not listed or (case and due != len(listed)):
            raise Refused(f"登记 {due} 件，所列不同｜{due} accessioned, {len(listed)} listed")

    def check_exhibit(self, said: Any, row: Row, found: dict[str, Row], elsewhere: str) -> None:
        """Verify an exhibit's chain, and its bytes by the digests in its event of storing."""
        name = said["exhibit"]
        self.check_chain(name)
        bodies = [body for _, _, body in self.chains[name].values()]
        stored = [body for body in bodies if body["action"] == "stored"]
        gone = {b["details"]["state"]: b for b in bodies if b["action"] == "disposed"}.get("done")
        if len(stored) != 1 or stored[0]["case"] != self.said["case"]:
            raise Refused("没有本案唯一的入库事件｜has not one event of storing in this case")
        recorded, seq = stored[0]["details"]["fingerprint"]["digests"], stored[0]["order"]["seq"]
        row.update(events=len(self.chains[name]), sha256=recorded["sha256"], sm3=recorded["sm3"])
        row["before"] = min((moment for size, moment in self.stamps if size > seq), default="")
        own = found.get(f"data/{said['file']}", {})
        if not own and elsewhere and NAME.fullmatch(said["file"]):
            with Path(elsewhere, said["file"]).open("rb") as stream:
                own = digests(stream)
        if gone and not own and said["digests"] == recorded and recorded["sha256"] not in str(gone):
            row["result"], text = "disposed", shown(GONE.format(**gone))
            return self.report.add(UNCHECKED, name, f"已处置销毁：{text}｜disposed of: {text}")
        if not own and not self.said["bytes"]:
            return self.report.add(REQUIRED, name, "包内无原件｜bytes not here (--originals)")
        part = said.get("excerpt", {})
        same = bool(own) and all(own[each] == part.get("digests", recorded)[each] for each in own)
        row["result"] = ("ok", "excerpt")[bool(part)] if same else "mismatch" if own else "missing"
        if part:
            self.report.add(REQUIRED, name, "节录，待对原件｜see its original")
        if not same or said["digests"] != recorded:
            raise Refused("字节或说明与入库时不符｜bytes or statement are not as stored")

    def check_stamp(self, name: str, head: Checkpoint, note: str) -> None:
        """Verify a timestamp on a checkpoint by OpenSSL, as of the time that it states."""
        path = self.bundle.files[name]
        code, text = self.bundle.run("openssl", "ts", "-reply", "-in", path, "-text")
        if code < 0 or not self.policy.authorities:
            text = "缺少 OpenSSL 或机构｜needs OpenSSL and an authority"
            return self.report.add(REQUIRED if self.policy.authorities else UNCHECKED, name, text)
        ((day, year),) = re.findall(r"^Time stamp: (\w+ +\d+ [\d:]+)\S* (\d{4}) GMT", text, re.M)
        moment = datetime.strptime(f"{day} {year} +0000", "%b %d %H:%M:%S %Y %z")
        with tempfile.TemporaryDirectory() as scratch:
            pem = Path(scratch, "trusted.pem")
            pem.write_text("\n".join(self.policy.authorities), "ascii")
            data = ("-in", path, "-data", self.bundle.files[note])
            trust = ("-partial_chain", "-CAfile", str(pem), "-untrusted", str(pem), "-attime")
            command = ("openssl", "ts", "-verify", *data, *trust, str(int(moment.timestamp())))
            if self.bundle.run(*command)[0]:
                raise Refused("不属于此检查点或策略所列机构｜is of another checkpoint or authority")
        zh, en = f"前 {head.size} 条不晚于", f"the first {head.size} entries by"
        self.report.append((HOLDS, f"{zh} {moment} {shown(name)}｜{en} {moment} {shown(name)}"))
        self.stamps.append((head.size, moment))

    def check_witnesses(self, head: Checkpoint, files: list[str]) -> None:
        """Count the policy's witnesses that signed a checkpoint (C2SP cosignature/v1)."""
        text, signatures = parse_note(head.note)
        for name in files:
            signatures += parse_note(b"\n\n" + self.bundle.read(name))[1]
        seen = set()
        for *known, value in signatures:
            for key in (each for each in self.policy.witnesses if each[:2] == tuple(known)):
                signed = f"cosignature/v1\ntime {int.from_bytes(value[:8], 'big')}\n{text}"
                if not ed25519(key[2], value[8:], signed.encode()):
                    raise Refused(f"见证人签名无效：{key[0]}｜a bad cosignature of {key[0]}")
                seen.add(key)
        if 0 < self.policy.needed <= len(seen):
            self.witnessed = max(self.witnessed, head.size)

    def check_older(self, since: str) -> None:
        """Verify older checkpoints, that the log extends them, and who vouches for them."""
        kept = self.policy.open(Path(since).read_bytes()) if since else None
        self.check_witnesses(self.head, [])
        paths: dict[int, list[bytes]] = {self.head.size: []}
        for note in self.bundle.below("older/", "/checkpoint"):
            folder = note[: -len("checkpoint")]
            with self.report.guard(note):
                old = self.policy.open(self.bundle.read(note))
                lines = self.bundle.read(folder + "consistency").decode().split("\n")
                form = ["zhenglian.consistency/1", f"old {old.size}", f"new {self.head.size}"]
                if lines[:3] != form or lines.pop():
                    raise Refused("一致性证明格式不对｜its consistency proof has another form")
                paths[old.size] = [unbase64(each, 32) for each in lines[3:]]
                require_extends(old, self.head, paths[old.size])
                self.check_witnesses(old, self.bundle.below(folder, ".cosignature"))
                for name in self.bundle.below(folder, ".tsr"):
                    with self.report.guard(name):
                        self.check_stamp(name, old, note)
        if kept and kept.size < self.head.size and kept.size not in paths:
            text = f"无自大小 {kept.size} 的证明｜there is no proof from size {kept.size}"
            self.report.append((REQUIRED, text))
        elif kept:
            require_extends(kept, self.head, paths.get(kept.size, []))
            self.report.append((HOLDS, "延续所存的检查点｜the log extends the kept checkpoint"))
        for asked, size, what in (
            (self.policy.authorities, max([0, *(n for n, _ in self.stamps)]), "时间戳 timestamp"),
            (self.policy.needed, self.witnessed, "足够的见证 enough cosignatures"),
        ):
            if asked and (bare := sum(seq >= size for seq in self.seqs)):
                self.report.append((REQUIRED, f"{bare} 个事件没有{what}｜{bare} events: no {what}"))


def examine(bundle: Bundle, chosen: Namespace, values: list[str], rows: list[Row]) -> None:
    """Check everything; add the values that were used, and the answer per exhibit."""
    report, found = bundle.report, bundle.check_lists()
    if not chosen.policy:
        report.append((REQUIRED, "公钥随包而来，须核对｜keys came with the bundle: use --policy"))
    with report.guard("policy.json"):
        data = Path(chosen.policy).read_bytes() if chosen.policy else bundle.read("policy.json")
        policy = Policy(data)
        values += [f"策略 policy: sha256 {policy.sha256}"]
        for key, first, last in policy.keys:
            values.append(f"公钥 key: {key[0]}+{key[1].hex()} {key[2].hex()}, {first}-{last}")
        with report.guard("checkpoint"):
            head = policy.open(bundle.read("checkpoint"))
            values.append(f"检查点 checkpoint: {policy.origin} {head.size} {head.root.hex()}")
            with report.guard("statement.json"):
                proof = Proof(bundle, policy, head)
                with report.guard("events/"):
                    proof.check_events()
                with report.guard(chosen.since or "older/"):
                    proof.check_older(chosen.since)
                for said in proof.said["exhibits"]:
                    rows.append({"exhibit": said["exhibit"], "result": "unverified"})
                    with report.guard(said["exhibit"]):
                        proof.check_exhibit(said, rows[-1], found, chosen.originals)
                proof.check_claims()


def told(report: Report, values: list[str], rows: list[Row], english: bool) -> str:
    """Return all that was found as text, in one language."""
    verdicts = ("核验通过｜VERIFIED", "核验不通过｜FAILED", "", "未全部核验｜NOT FULLY VERIFIED")
    columns = ("exhibit", "result", "events", "before", "sha256", "sm3")
    cells = [columns, ["---"] * 6, *([row.get(name, "") for name in columns] for row in rows)]
    table = ["| " + " | ".join(shown(each) for each in line) + " |" for line in cells]
    lines = [*report, *((UNCHECKED, each) for each in LIMITS), ("=>｜=>", verdicts[report.code()])]
    found = ["- " + " ".join(each.partition("｜")[2 * english] for each in line) for line in lines]
    return "\n".join([*(f"- {shown(each)}" for each in values), "", *table, "", *found, ""])


def main() -> int:
    """Verify the bundle that the command line names."""
    parser = ArgumentParser(description=__doc__, formatter_class=RawTextHelpFormatter)
    parser.add_argument("bundle", nargs="?", default=".")
    for option in ("--policy", "--since", "--originals", "--certificate", "--by"):
        parser.add_argument(option, default="")
    parser.add_argument("--lang", choices=("zh", "en"), default="zh")
    chosen, report, rows = parser.parse_args(), Report(), list[Row]()
    own, version = hashlib.sha256(Path(__file__).read_bytes()).hexdigest(), sys.version.split()[0]
    values = [f"工具 tool: {VERSION}, sha256 {own}, Python {version}"]
    values.append(f"时间 when: {datetime.now(timezone.utc).isoformat(' ', 'seconds')}")
    values.append(f"核验人 by: {chosen.by}; 证明包 bundle: {chosen.bundle}")
    with tempfile.TemporaryDirectory() as scratch, report.guard(chosen.bundle):
        path = Path(chosen.bundle)
        root = unpack(chosen.bundle, scratch) if path.is_file() else path
        examine(Bundle(root, report), chosen, values, rows)
    text, code = told(report, values, rows, chosen.lang == "en"), sys.stdout.encoding or "ascii"
    sys.stdout.write(text.encode(code, "backslashreplace").decode(code))
    if chosen.certificate:
        zh, en = (told(report, values, rows, english) for english in (False, True))
        text = f"# 核验证书\n\n{zh}\n# Certificate of verification\n\n{en}\n签名 signature:\n"
        Path(chosen.certificate).write_text(text, "utf-8")
    return report.code()


if __name__ == "__main__":
    sys.exit(main())
