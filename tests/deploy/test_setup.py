"""The set-up runs once, heals itself, takes turns, and says what it lacks.

It runs in a small checkout whose lock holds uv alone; the programs that change the machine
(apt-get, sudo) are stand-ins on the path that keep a list of what is installed.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DONE = "Done in"
CLI = "import os, sys\nprint(os.getcwd(), *sys.argv[1:], sep='|')\n"


@pytest.mark.parametrize("shell", ["sh", "dash", "bash"])
@pytest.mark.parametrize("script", ["custody", "deploy/setup.sh"])
def test_the_scripts_are_plain_posix_shell(shell, script):
    subprocess.run([shell, "-n", ROOT / script], check=True)
    assert os.access(ROOT / script, os.X_OK)


def test_continuous_integration_is_shell():
    subprocess.run(["bash", "-n", ROOT / ".ci/run"], check=True)


def make_checkout(folder):
    (folder / "deploy").mkdir(parents=True)
    (folder / "portal").mkdir()
    for name in ("custody", "deploy/setup.sh", "deploy/bootstrap.lock"):
        shutil.copy(ROOT / name, folder / name)
    shutil.copy(ROOT / "deploy/bootstrap.lock", folder / "deploy/requirements.lock")
    (folder / "deploy/apt-packages.txt").write_text("# Nothing but this.\npython3\n")
    (folder / "deploy/apt-packages-test.txt").write_text("")
    (folder / "portal/__init__.py").touch()
    (folder / "portal/cli.py").write_text(CLI)
    return folder


def custody(folder, *arguments, cwd=None, path=None, program=None):
    environment = dict(os.environ)
    environment.pop("PYTHONPATH", None)
    if path:
        environment["PATH"] = f"{path}:{environment['PATH']}"
    return subprocess.run(
        [program or folder / "custody", *arguments],
        cwd=cwd or folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    folder = make_checkout(tmp_path_factory.mktemp("set-up") / "a checkout")
    first = custody(folder, "first")
    assert first.returncode == 0, first.stderr
    assert DONE in first.stderr
    return folder


def test_the_second_run_does_nothing_and_says_nothing(checkout):
    stamp = checkout / ".venv/.setup-stamp-run"
    before = stamp.stat().st_mtime_ns
    again = custody(checkout, "again")
    assert (again.returncode, again.stderr) == (0, "")
    assert stamp.stat().st_mtime_ns == before


def test_arguments_and_the_callers_folder_are_kept(checkout, tmp_path):
    answer = custody(checkout, "ingest", "my bundle", cwd=tmp_path)
    assert answer.stdout == f"{tmp_path}|ingest|my bundle\n"


def test_nothing_in_the_callers_folder_is_imported(checkout, tmp_path):
    (tmp_path / "portal").mkdir()
    for name in ("portal/__init__.py", "portal/cli.py", "os.py", "storage.py", "sitecustomize.py"):
        (tmp_path / name).write_text("raise SystemExit('evidence was run')\n")
    answer = custody(checkout, "doctor", cwd=tmp_path)
    assert (answer.returncode, answer.stdout) == (0, f"{tmp_path}|doctor\n")


def test_a_link_from_elsewhere_finds_the_checkout(checkout, tmp_path):
    (tmp_path / "inner").symlink_to(checkout / "custody")
    (tmp_path / "custody").symlink_to("inner")
    answer = custody(checkout, "doctor", cwd=tmp_path, program=tmp_path / "custody")
    assert answer.stdout == f"{tmp_path}|doctor\n"


def test_a_killed_set_up_is_made_again(checkout):
    (checkout / ".venv/.unfinished").touch()
    shutil.rmtree(checkout / ".venv/lib")
    answer = custody(checkout)
    assert answer.returncode == 0, answer.stderr
    assert DONE in answer.stderr
    assert custody(checkout).stderr == ""


def test_a_changed_lock_is_installed(checkout):
    with (checkout / "deploy/requirements.lock").open("a") as lock:
        lock.write("# changed\n")
    assert DONE in custody(checkout).stderr
    assert custody(checkout).stderr == ""


def test_the_tests_have_packages_of_their_own(checkout):
    assert DONE in custody(checkout, "test").stderr
    assert custody(checkout, "test").stderr == ""
    assert custody(checkout, "doctor").stderr == ""


def test_an_unknown_profile_is_refused():
    answer = subprocess.run(
        ["sh", ROOT / "deploy/setup.sh", "everything"], capture_output=True, check=False
    )
    assert answer.returncode == 2


def test_two_at_once_take_turns(checkout):
    (checkout / ".venv/.unfinished").touch()
    runs = [
        subprocess.Popen([checkout / "custody", "x"], stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    told = [run.communicate()[1] for run in runs]
    assert [run.returncode for run in runs] == [0, 0, 0]
    assert sum(DONE in each for each in told) == 1


def stand_ins(folder, *, user, sudo, known, installed="python3"):
    """Return a folder of programs that play a Debian machine; ``installed`` is its state."""
    folder.mkdir()
    state = folder / "installed"
    state.write_text(f"{installed}\n")
    programs = {
        "id": f"echo {user}",
        "sudo": f'[ "$1" = -n ] && shift; [ {sudo} = yes ] && exec "$@"; exit 1',
        "dpkg-query": f'for name; do :; done; grep -qx "$name" {state} && echo installed',
        "apt-cache": f'for name; do :; done; case " {known} " in *" $name "*) ;; *) exit 1 ;; esac',
        "apt-get": f"""echo "$@" >>{folder}/calls
            while [ $# -gt 0 ] && [ "$1" != install ]; do shift; done
            for each; do case $each in -* | install) ;; *) echo "$each" >>{state} ;; esac; done""",
    }
    for name, body in programs.items():
        (folder / name).write_text(f"#!/bin/sh\n{body}\n")
        (folder / name).chmod(0o755)
    return folder


@pytest.fixture
def lacking(checkout):
    """Return the checkout asking for two more packages, one of them under either name."""
    listed = checkout / "deploy/apt-packages.txt"
    before = listed.read_text()
    listed.write_text(before + "bubblewrap\nlibmagic1t64|libmagic1\n")
    yield checkout
    listed.write_text(before)


@pytest.mark.parametrize(
    ("known", "chosen"),
    [("bubblewrap libmagic1", "libmagic1"), ("bubblewrap libmagic1t64", "libmagic1t64")],
)
@pytest.mark.parametrize(("user", "sudo"), [(0, "no"), (1000, "yes")])
def test_only_what_is_missing_is_installed(lacking, tmp_path, known, chosen, user, sudo):
    (lacking / ".venv/.setup-stamp-run").unlink(missing_ok=True)
    machine = stand_ins(tmp_path / "bin", user=user, sudo=sudo, known=known)
    answer = custody(lacking, "x", path=machine)
    assert answer.returncode == 0, answer.stderr
    assert (machine / "installed").read_text().split() == ["python3", "bubblewrap", chosen]
    assert "--no-install-recommends" in (machine / "calls").read_text()


def test_without_the_right_to_install_it_says_what_to_ask_for(lacking, tmp_path):
    (lacking / ".venv/.setup-stamp-run").unlink(missing_ok=True)
    machine = stand_ins(tmp_path / "bin", user=1000, sudo="no", known="bubblewrap libmagic1")
    answer = custody(lacking, "x", path=machine)
    assert answer.returncode == 5
    assert answer.stdout == ""
    last = answer.stderr.splitlines()[-1]
    assert "apt-get install --no-install-recommends bubblewrap libmagic1" in last
