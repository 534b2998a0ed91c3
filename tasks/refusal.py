"""The answer to a refused bundle: what is wrong, what to do, and where its bytes are kept.

``REJECTED.md`` is Markdown that also reads as plain text. Whatever came with the bundle is
shown without characters that hide or turn text, and never as markup.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from storage.listing import ListedFile
from storage.names import shown, visible
from storage.nouns import Person
from tasks.manifest_mistakes import Mistake

# Only what Markdown would take as markup is escaped, so that the file also reads as text: an
# underscore inside a word, for one, is left alone.
_MARKUP = re.compile(
    r"([`*\[<&]|~(?=~)|\\(?=[!-/:-@\[-`{-~])|(?<![^\W_])_|_(?![^\W_])|(?<=^)[#>+=-])"
)
_NUMBER = re.compile(r"^([0-9]+)([.)])")


def render_refusal(
    *,
    accession: str,
    bundle: str,
    unit: str,
    mistakes: Sequence[Mistake],
    files: Sequence[ListedFile],
    received_at: str,
    receiver: Person,
    checkpoint: str,
    retry: str = "",
) -> str:
    """Return the text of ``REJECTED.md``.

    Args:
        accession: number under which the bytes are kept.
        bundle: name of the bundle as it was dropped.
        unit: the unit whose drop folder it lay in.
        mistakes: everything that is wrong, in the order found.
        files: every file as received, with its digests.
        received_at: when the bytes were received, RFC 3339.
        receiver: who received.
        checkpoint: signed checkpoint that covers the record of the refusal; its exact text.
        retry: the drop folder to use again, if another than before.
    """
    parts = [
        f"# 证据包未被接收：{escaped(shown(bundle))}",
        _where_kept(accession, len(files)),
        *_facts(accession, unit, received_at, receiver),
        f"## 问题（共 {len(mistakes)} 处）",
        *(_mistake_zh(number, each) for number, each in enumerate(mistakes, 1)),
        "## 怎样处理",
        _next_steps(retry),
        f"# Bundle not accepted: {escaped(shown(bundle))}",
        _where_kept_en(accession, len(files)),
        f"## What is wrong ({len(mistakes)})",
        *(_mistake_en(number, each) for number, each in enumerate(mistakes, 1)),
        "## What to do",
        _next_steps_en(retry),
        "## 收到的文件 Files as received",
        _table(files),
        "## 保管日志检查点 Log checkpoint",
        "该检查点之前的日志已记录本次接收和拒收。 The log up to it records the receipt and "
        "the refusal.",
        _block(checkpoint),
    ]
    return "\n\n".join(parts) + "\n"


def escaped(text: str) -> str:
    """Return text from outside as Markdown that shows it literally, on one line."""
    plain = _MARKUP.sub(r"\\\1", visible(text).strip())
    return _NUMBER.sub(r"\1\\\2", plain)


def code(text: str) -> str:
    """Return text from outside as a Markdown code span; a longer fence holds its backticks."""
    shown = visible(text)
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if shown.startswith("`") or shown.endswith("`") or not shown.strip() else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def place(where: str) -> str:
    """Return where a mistake is, in Chinese: ``line 12`` is 第 12 行."""
    match = re.fullmatch(r"(line|row) ([0-9]+)", where)
    if match:
        return f"第 {match.group(2)} 行"
    if re.fullmatch(r"[A-Z]{1,3}[0-9]+", where):
        return f"单元格 {where}"
    return code(where)


def _facts(accession: str, unit: str, received_at: str, receiver: Person) -> list[str]:
    who = " ".join(filter(None, (receiver.unit, receiver.name, receiver.phone)))
    return [
        "\n".join(
            (
                f"- 接收编号：{accession}",
                f"- 提交单位：{escaped(unit) or '未注明'}",
                f"- 接收时间：{escaped(received_at.replace('T', ' ', 1))}",
                f"- 接收人：{escaped(who)}",
            )
        )
    ]


def _where_kept(accession: str, count: int) -> str:
    return (
        f"收到的 {count} 个文件全部保存在隔离区，编号 **{accession}**，原始字节和校验值均已记录，"
        "没有丢失，也没有进入案件。"
    )


def _where_kept_en(accession: str, count: int) -> str:
    return (
        f"All {count} files received are kept in quarantine under **{accession}**; their bytes "
        "and digests are on record. Nothing is lost, and nothing entered the case."
    )


def _mistake_zh(number: int, mistake: Mistake) -> str:
    where = f"（{place(mistake.where)}）" if _tells(mistake.where, mistake.text_zh) else ""
    head = f"{number}. {escaped(mistake.text_zh)}{where}"
    return f"{head}\n   处理办法：{escaped(mistake.remedy_zh)}"


def _mistake_en(number: int, mistake: Mistake) -> str:
    where = f" ({code(mistake.where)})" if _tells(mistake.where, mistake.text_en) else ""
    head = f"{number}. {escaped(mistake.text_en)}{where}"
    return f"{head}\n   What to do: {escaped(mistake.remedy_en)}"


def _tells(where: str, text: str) -> bool:
    """Return whether the place says more than the text does already."""
    return bool(where) and where not in text


def _next_steps(retry: str) -> str:
    target = code(retry) if retry else "原投递文件夹"
    return (
        "1. 按上面逐条更正。证据文件本身不要改动。\n"
        "2. 更正后可先检查：`custody manifest check 文件夹`。\n"
        f"3. 将整个证据包重新投递到{target}；证据包编号可以不变。\n"
        "4. 有疑问请凭接收编号联系接收人。"
    )


def _next_steps_en(retry: str) -> str:
    target = code(retry) if retry else "the same drop folder"
    return (
        "1. Correct each point above. Do not change the evidence files.\n"
        "2. Check it before dropping: `custody manifest check FOLDER`.\n"
        f"3. Drop the whole bundle again into {target}; its bundle number may stay.\n"
        "4. Ask the receiver, naming the number above, if anything is unclear."
    )


def _table(files: Sequence[ListedFile]) -> str:
    """Return every file with its digests, as a list: digests do not fit into a table."""
    parts = []
    for file in files:
        digests = "\n".join(
            f"  - {name} `{value}`" for name, value in file.fingerprint.digests.items()
        )
        size = f"{file.fingerprint.size:,} 字节 bytes"
        parts.append(f"- {code(shown(file.path))}, {size}\n{digests}")
    return "\n".join(parts) or "（没有文件 none）"


def _block(text: str) -> str:
    """Return exact lines as a fenced block; a longer fence holds any backticks."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    lines = "\n".join(visible(line) for line in text.rstrip("\n").split("\n"))
    return f"{fence}text\n{lines}\n{fence}"
