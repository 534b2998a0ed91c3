"""A new administrator gets from four empty Debian machines to a working system by one page.

The page is docs/deployment.md. What is typed is read from it, so that it cannot say one thing and
the test do another. The walk takes its time (see the page) and stands apart: ``-n0 -m page``.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hosts.lan import ROOT
from tests.hosts.machines import machines
from tests.hosts.page import MACHINES, PAGE, Block, blocks, printed
from tests.hosts.walk import CACHE, UPGRADE, Walk, begin, install, repository

_OF_HARDWARE = {"nvmf-autoconnect.service"}
_FAILED = "systemctl list-units --failed --plain --no-legend"


def failed(walk: Walk) -> list[str]:
    """Return the units that failed on any machine."""
    said = [machine.ask(*_FAILED.split()) for machine in walk.machine.values()]
    names = [line.split()[0] for each in said for line in each.splitlines()]
    return [name for name in names if name not in _OF_HARDWARE]


def page() -> list[Block]:
    return list(blocks(PAGE.read_text()))


def test_every_block_names_its_machines() -> None:
    assert len(page()) > 15
    assert {name for block in page() for name in block.machines} == set(MACHINES)


def test_what_is_to_be_put_in_was_printed_before() -> None:
    """Whoever reads from top to bottom has every value when it is asked for."""
    known = {"AGE"}
    for block in page():
        block.filled(dict.fromkeys(known, "x"), {})
        known |= set(re.findall(r'echo "([A-Z][A-Z0-9_]*)=\$', block.text))
    assert {"CA", "S3_TLS", "CUSTODY_PW", "PREFECT_AUTH", "S3_KEY", "S3_SECRET"} <= known


def test_what_is_the_readers_own_is_in_the_table_at_the_head() -> None:
    table = PAGE.read_text().partition("## 1.")[0]
    for own in ("REPOSITORY", "AGE=...", "VERSION"):
        assert f"| `{own}` |" in table


def test_a_value_that_was_never_printed_is_noticed() -> None:
    block = Block("x", ("db",), "# db\nNOBODY=...\n", shares=False)
    with pytest.raises(KeyError):
        block.filled({}, {})
    assert block.filled({"NOBODY": "1"}, {}) == "# db\nNOBODY=1\n"
    assert printed("x\nNOBODY=a b\n") == {"NOBODY": "a b"}


@pytest.fixture(scope="module")
def walk() -> Iterator[Walk]:
    """The page, walked on empty machines."""
    given = os.environ.get("ZHENGLIAN_WALK")  # a folder in which a walk stopped: it goes on there
    folder = Path(given or tempfile.mkdtemp(prefix="page-"))
    with machines(*MACHINES, folder=folder, cache=CACHE) as made:
        walked = begin(folder, made)
        install(walked)
        yield walked
    if not given:
        shutil.rmtree(folder)


@pytest.mark.page
@pytest.mark.timeout(3600)
def test_the_page_leads_to_a_working_system(walk: Walk) -> None:
    """Every block ended well; nothing failed; the agencies' door answers with its certificate."""
    assert failed(walk) == []


@pytest.mark.page
@pytest.mark.timeout(1200)
def test_everything_comes_back_when_all_machines_are_switched_on_again(walk: Walk) -> None:
    walk.reboot(*MACHINES)
    walk.deliver("B-again", "沪市监案〔2026〕2001号")
    assert failed(walk) == []


@pytest.mark.page
@pytest.mark.timeout(600)
def test_the_timer_makes_a_backup(walk: Walk) -> None:
    """At another hour than the page's, which nobody waits for."""
    keeper = walk.machine["keeper"]
    count = "ls /var/backups/zhenglian | grep -c ^2 || true"
    before = int(keeper.type(count))
    keeper.type(
        "mkdir -p /run/systemd/system/zhenglian-backup.timer.d\n"
        "printf '[Timer]\\nOnCalendar=\\nOnCalendar=*:*:0/20\\nRandomizedDelaySec=0\\n'"
        " > /run/systemd/system/zhenglian-backup.timer.d/soon.conf\n"
        "systemctl daemon-reload && systemctl restart zhenglian-backup.timer\n"
    )
    keeper.type(
        f"for try in $(seq 60); do [ $({count}) -gt {before} ] && break; sleep 2; done\n"
        "rm -r /run/systemd/system/zhenglian-backup.timer.d && systemctl daemon-reload\n"
        "systemctl restart zhenglian-backup.timer\n"
        f"[ $({count}) -gt {before} ]\n"
    )


@pytest.mark.page
@pytest.mark.timeout(1800)
def test_the_page_leads_to_another_version(walk: Walk) -> None:
    """To the same commit, unless the walk began with an older one; the blocks end well anyway."""
    git = ["git", "-C", str(ROOT)]
    newest = [*git, "push", "-q", str(repository(walk.folder)), "HEAD:refs/heads/newest"]
    subprocess.run(newest, check=True, capture_output=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    walk.own["VERSION"] = head.stdout.strip()
    walk.section(UPGRADE)
    walk.deliver("B-upgraded", "沪市监案〔2026〕2002号")
    assert failed(walk) == []


@pytest.mark.page
@pytest.mark.timeout(900)
def test_a_backup_brings_back_a_keeper_and_its_database(walk: Walk) -> None:
    """By the runbook: the machine by the page, up to its settings; then ``zl restore``."""
    db, keeper = walk.machine["db"], walk.machine["keeper"]
    keeper.type("systemctl stop 'zhenglian*' && systemctl start zhenglian-backup")
    keeper.type("rm -r /var/lib/zhenglian/* /etc/zhenglian/zhenglian.env")
    db.type(
        "runuser -u postgres -- psql -v ON_ERROR_STOP=1 <<SQL\n"
        "DROP DATABASE custody WITH (FORCE);\n"
        "CREATE DATABASE custody OWNER custody TEMPLATE template0 ENCODING 'UTF8';\nSQL\n"
    )
    settings, links = [x for x in page() if x.section.startswith("4. ") and not x.shares][:2]
    keeper.type(settings.filled(walk.printed, walk.own))
    keeper.type(links.text.partition("zl init")[0])
    secret = (walk.folder / "custody-backup.txt").read_text()
    keeper.type(
        f"install -m 0400 -o zhenglian /dev/null /run/key && cat > /run/key <<'END'\n{secret}END\n"
        "zl restore /var/backups/zhenglian --identity /run/key\nrm /run/key\n"
        "zl verify 沪浦市监案〔2026〕0123号\n"
        "systemctl start zhenglian.target\n"
    )
    walk.deliver("B-restored", "沪市监案〔2026〕2003号")
    assert failed(walk) == []
