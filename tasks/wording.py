"""Templates of notices in use: the bureau's own where they are right, else the packaged ones."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from appraisal.counting import Words
from appraisal.notice_words import (
    FOLDER,
    LANGUAGES,
    MOST_BYTES,
    NAMES,
    Language,
    file_name,
    mistakes,
)
from storage.custody import Custody


@dataclass(frozen=True)
class TemplateFinding:
    """What was found about one file of ``templates/``; no mistakes: it is in use."""

    name: str
    mistakes: tuple[Words, ...]


def template(custody: Custody, name: str, language: Language) -> bytes:
    """Return a template; a bureau's own that is wrong is left aside for the packaged one."""
    file = file_name(name, language)
    own = _read(custody.workspace.templates / file)
    if own is not None and not mistakes(own):
        return own
    return (FOLDER / file).read_bytes()


def examine_templates(custody: Custody) -> list[TemplateFinding]:
    """Return what is to be said about each file of the workspace's ``templates/``, by name."""
    folder = custody.workspace.templates
    if not folder.is_dir():
        return []
    known = {file_name(name, language) for name in NAMES for language in LANGUAGES}
    found = []
    for path in sorted(folder.iterdir()):
        if path.name not in known:
            wrong: list[Words] = [("不是提醒模板的文件名", "it is the name of no template")]
        else:
            data = _read(path)
            wrong = mistakes(data) if data is not None else [("无法读取", "it cannot be read")]
        found.append(TemplateFinding(path.name, tuple(wrong)))
    return found


def _read(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError:
        return None
