"""``docs/benchmarks.md``: what was measured against what was to be reached, from kept figures."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.bench.drawing import Bar, Course, bars, courses
from tests.bench.figures import Kept
from tests.bench.goals import GOALS
from tests.bench.profiling import profiles
from tests.bench.running import Run, all_figures, runs

_HEAD = """\
# Benchmarks

Made by `python -m tests.bench report --write`, never by hand: every number below was measured on a
real run, beside the peer or limit of the same run, and kept with when and on what machine. A goal
that is not met is said so, with by how much and what holds it back. Of figures that depend on what
else the machine did, the load of the last minute before and after stands beside them: on {cores}
cores a load above {cores} before the run means that others were at work, and absolute figures are
then too low; shares of a peer suffer less.
"""
_SMALL = """
**This is a quick run with tiny sizes: it shows that the benches work, and says nothing about the
machine or the software.**
"""


def write(page: Path, folder: Path, parts: Sequence[str], *, small: bool) -> int:
    """Write the page and its plots from the figures of a folder; return the goals missed."""
    kept = all_kept(folder, parts)
    plots = page.parent / page.stem
    plots.mkdir(parents=True, exist_ok=True)
    every = [each for found in kept.values() for each in found]
    aimed = [each for each in every if each.figure.goal is not None]
    missed = [each for each in aimed if not each.figure.met]
    text = _HEAD.format(cores=every[0].machine["cores"] if every else "n")
    text += _SMALL if small else ""
    text += _machines(every)
    text += _goals(aimed, missed, page, plots)
    text += _held_back(missed, folder, page, plots)
    text += _unmeasured(every)
    text += "".join(_part(part, found, page, plots) for part, found in kept.items())
    text += _runs(parts, runs(folder))
    page.write_text(text)
    return len(missed)


def all_kept(folder: Path, parts: Sequence[str]) -> dict[str, list[Kept]]:
    """Return the figures of every file of a folder, those of the parts first and in their order."""
    found = all_figures(folder)
    names = [*parts, *sorted(set(found) - set(parts))]
    return {name: found[name] for name in names if found.get(name)}


def number(value: float) -> str:
    """Return a number with three digits that count, in the way of people."""
    if value == 0:
        return "0"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def verdict(each: Kept) -> str:
    """Return whether a goal is met, and by how much."""
    margin = each.figure.margin
    if margin is None:
        return "met" if each.figure.met else "**missed**"
    words = "met" if each.figure.met else "**missed**"
    return f"{words} by {abs(margin):.0%}"


def _machines(every: Sequence[Kept]) -> str:
    """Return the machines that figures come from, each once."""
    seen: dict[str, tuple[str, str]] = {}
    for each in every:
        machine = each.machine
        words = (
            f"{machine['cores']} cores of {machine['processor']}, {machine['memory_gb']} GB, "
            f"{machine['file_system']}, {machine['system']}, {machine['versions']}"
        )
        first, last = seen.get(words, (each.at, each.at))
        seen[words] = (min(first, each.at), max(last, each.at))
    lines = [f"- {words}: from {first} to {last}" for words, (first, last) in seen.items()]
    return "\n## Machine\n\n" + "\n".join(lines or ["- nothing is measured yet"]) + "\n"


def _goals(aimed: Sequence[Kept], missed: Sequence[Kept], page: Path, plots: Path) -> str:
    rows = [
        Bar(
            each.figure.name,
            _times(each),
            f"{number(each.figure.value)} {each.figure.unit}, goal {_goal(each)}",
        )
        for each in aimed
    ]
    plot = plots / "goals.svg"
    plot.write_text(bars("How every figure stands to its goal", rows))
    text = f"\n## Goals\n\n{len(aimed) - len(missed)} of {len(aimed)} are met.\n\n"
    text += f"![How every figure stands to its goal]({plot.relative_to(page.parent)})\n\n"
    text += "| figure | measured | goal | | beside it | measured at | load |\n"
    text += "|---|---|---|---|---|---|---|\n"
    return text + "".join(f"{_goal_row(each)}\n" for each in aimed)


def _times(each: Kept) -> float:
    figure = each.figure
    if not figure.goal or figure.value <= 0:
        return 16.0 if figure.met else 1 / 16
    times = figure.value / figure.goal
    return times if figure.better == "more" else 1 / times


def _goal(each: Kept) -> str:
    sign = "≥" if each.figure.better == "more" else "≤"
    return f"{sign} {number(each.figure.goal or 0)}"


def _goal_row(each: Kept) -> str:
    figure = each.figure
    cells = [
        f"`{figure.name}`",
        f"{number(figure.value)} {figure.unit}",
        _goal(each),
        verdict(each),
        _peer(each),
        each.at[:16].replace("T", " "),
        _load(each),
    ]
    return "| " + " | ".join(cells) + " |"


def _peer(each: Kept) -> str:
    figure = each.figure
    if not figure.peer:
        return ""
    value = f": {number(figure.peer_value)} " if figure.peer_value is not None else ""
    return f"{figure.peer}{value}{(figure.peer_unit or figure.unit) if value else ''}"


def _load(each: Kept) -> str:
    return f"{each.machine['load_before']:.1f} → {each.machine['load_after']:.1f}"


def _held_back(missed: Sequence[Kept], folder: Path, page: Path, plots: Path) -> str:
    """Return what holds back each missed goal, with the profile of its bench."""
    if not missed:
        return ""
    text = "\n## What is missed, and what holds it back\n\n"
    known = profiles(folder)
    for each in missed:
        name = each.figure.name
        told = [each.figure.holds_back] if each.figure.holds_back else []
        if name in known:
            sentence, _, profile = known[name]
            shutil.copy(profile, plots / profile.name)
            link = (plots / profile.name).relative_to(page.parent)
            told.append(f"{sentence} ([profile]({link}))")
        why = ". ".join(told) or "Its part did not come to a profile; `--profile` makes one"
        text += f"- `{name}`: {verdict(each)} ({each.figure.about}). {why}.\n"
    return text


def _unmeasured(every: Sequence[Kept]) -> str:
    """Return which goals have no figure at all."""
    names = [each.figure.name for each in every]
    absent = [goal for goal in GOALS if not any(name.startswith(goal.figures) for name in names)]
    if not absent:
        return ""
    lines = "".join(f"- {goal.words} (`{goal.figures}`)\n" for goal in absent)
    return f"\n## Goals without a figure\n\nNot measured on this machine yet:\n\n{lines}"


def _part(part: str, found: Sequence[Kept], page: Path, plots: Path) -> str:
    text = f"\n## {part}\n\nBy `{found[-1].command}`.\n\n| figure | value | beside it | what |\n"
    text += "|---|---|---|---|\n"
    for each in found:
        figure = each.figure
        value = f"{number(figure.value)} {figure.unit}"
        text += f"| `{figure.name}` | {value} | {_peer(each)} | {figure.about} |\n"
    drawn: dict[tuple[str, str], list[Course]] = {}
    for each in found:
        if each.figure.points:
            course = Course(each.figure.name, each.figure.points)
            drawn.setdefault(each.figure.axes, []).append(course)
    for at, (axes, rows) in enumerate(drawn.items()):
        plot = plots / (f"{part}-{at}.svg" if at else f"{part}.svg")
        title = f"{part}: {axes[1]} over {axes[0]}"
        plot.write_text(courses(title, axes, rows))
        text += f"\n![{title}]({plot.relative_to(page.parent)})\n"
    return text


def _runs(parts: Sequence[str], how: Mapping[str, Run]) -> str:
    text = "\n## How the runs went\n\n| part | begun | seconds | ended | command |\n"
    text += "|---|---|---|---|---|\n"
    for part in parts:
        if (run := how.get(part)) is None:
            text += f"| {part} | | | not run | |\n"
        else:
            at = run.at[:16].replace("T", " ")
            text += f"| {part} | {at} | {run.seconds:.0f} | {run.ended} | `{run.command}` |\n"
    return text
