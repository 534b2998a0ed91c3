"""A house with a history, made once for all tests that only look."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from storage.custody import current
from tests.flows.sending import NUMBER, opened_desk
from tests.house import CASE_NO, forget, make_bundle, opened_house

EVIL_NAME = "[bold]合同[blink] \x1b[31m\u202etxt.exe"
EVIL_TEXT = "竞争对手的客户名单 [red]秘密[/] [/nope] \x1b]0;title\x07 \u202egpj"
LATE = "沪市监鉴委〔2026〕78号"


@dataclass(frozen=True)
class Told:
    """Where the house stands, and what was done in it."""

    home: Path
    folder: Path
    accessions: tuple[str, str]


def told_house(folder: Path) -> Iterator[Told]:
    """Two bundles, one of them with hostile names; a commission on its way and one overdue."""
    from portal.running import ingest_path

    with opened_house(folder / "home") as house:
        first = ingest_path(make_bundle(folder / "one"), "")
        second = ingest_path(evil_bundle(folder / "two"), "")
        sending = opened_desk(house)
        sending.draft()
        past = f"{(sending.desk.today() - timedelta(days=90)).isoformat()}T09:00:00+08:00"
        sending.draft(past, LATE, "E0003")
        sending.dispatch("", NUMBER)
        sending.dispatch(past, LATE)
        current().database.close()
        yield Told(folder / "home", folder, (first["accession"], second["accession"]))
    forget()


def evil_bundle(folder: Path) -> Path:
    """Write a bundle whose names and texts try to move a cursor, turn text, or be markup."""
    files = {"x.txt": EVIL_TEXT.encode(), "cut.pdf": b"%PDF-1.7\n1 0 obj\n<<"}
    make_bundle(folder, "[red]B2[/red]", files, CASE_NO)
    (folder / "x.txt").rename(folder / EVIL_NAME)
    manifest = folder / "manifest.yaml"
    escaped = EVIL_NAME.replace("\x1b", "\\e").replace("\u202e", "\\u202e")
    text = manifest.read_text().replace("path: x.txt", f'path: "{escaped}"')
    text = text.replace("name: x.txt", 'name: "[bold]合同[/nope]"')
    manifest.write_text(text.replace("bundle_no: [red]B2[/red]", 'bundle_no: "[red]B2[/red]"'))
    return folder
