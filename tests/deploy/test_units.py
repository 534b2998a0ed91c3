"""systemd's own programs and nginx find nothing wrong with what deploy/ holds for them."""

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UNITS = ROOT / "deploy/systemd"
SERVICES = sorted(path.name for path in UNITS.glob("*.service"))
OPENS_DOCUMENTS = {"zhenglian-watch", "zhenglian-serve", "zhenglian-worker@"}
NEVER_WITH_A_CELL = (
    "ProtectKernelTunables=yes",
    "ProtectKernelLogs=yes",
    "ProtectHostname=yes",
    "ProcSubset=pid",
    "PrivateUsers=yes",
    "MemoryDenyWriteExecute=yes",
)
"""With any of these a user without rights can make no cell; tried with systemd 252."""


def said(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


@pytest.mark.parametrize("name", SERVICES)
def test_a_unit_is_exposed_to_little(name: str) -> None:
    """Lower is better; 9.6 is a unit without walls. What opens documents must be able to mount."""
    answer = said("systemd-analyze", "security", "--offline=true", "--no-pager", UNITS / name)
    found = re.search(r"exposure level .*: ([0-9.]+) ", answer)
    assert found, answer
    opens = name.removesuffix(".service") in OPENS_DOCUMENTS
    assert float(found[1]) <= (3.5 if opens else 1.7)


def test_units_are_well_formed(tmp_path: Path) -> None:
    """Nothing is wrong with them but that /opt/zhenglian is not on this machine."""
    here = ROOT / ".venv/bin/python"
    for path in UNITS.iterdir():
        text = path.read_text().replace("/opt/zhenglian/.venv/bin/python", str(here))
        (tmp_path / path.name).write_text(text.replace("/opt/zhenglian", str(ROOT)))
    answer = said("systemd-analyze", "verify", *sorted(tmp_path.iterdir()))
    ours = [line for line in answer.splitlines() if "zhenglian" in line]
    assert ours == []


def test_a_spoiled_unit_is_noticed(tmp_path: Path) -> None:
    text = (UNITS / "zhenglian-serve.service").read_text()
    (tmp_path / "zhenglian-x.service").write_text(text.replace("PrivateTmp=", "PrivateTemp="))
    answer = said("systemd-analyze", "verify", tmp_path / "zhenglian-x.service")
    assert "PrivateTemp" in answer


@pytest.mark.parametrize("name", SERVICES)
def test_a_unit_that_opens_documents_can_make_the_cell(name: str) -> None:
    lines = (UNITS / name).read_text().splitlines()
    if name.removesuffix(".service") in OPENS_DOCUMENTS:
        assert not set(NEVER_WITH_A_CELL) & set(lines)
        assert "RestrictNamespaces=cgroup ipc mnt net pid user uts" in lines
    else:
        assert "RestrictNamespaces=yes" in lines
    assert "NoNewPrivileges=yes" in lines
    assert not any(line.startswith("User=root") for line in lines)


@pytest.mark.parametrize("name", SERVICES)
def test_a_unit_runs_a_command_that_there_is(name: str) -> None:
    from portal.cli import COMMANDS

    (line,) = [x for x in (UNITS / name).read_text().splitlines() if x.startswith("ExecStart=")]
    program, _, rest = line.partition("=")[2].partition(" -m ")
    assert program == "/opt/zhenglian/.venv/bin/python"
    module, *words = rest.split()
    assert module == "prefect" or (module == "portal.cli" and words[0] in COMMANDS)


@pytest.fixture
def configured(tmp_path: Path) -> Callable[[str], str]:
    """Let nginx look at a configuration, with a certificate of this test."""
    if shutil.which("nginx") is None:
        raise RuntimeError("nginx is not installed; run deploy/setup.sh test")
    tls = tmp_path / "tls"
    tls.mkdir()
    for name in ("queue", "prefect"):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-subj", "/CN=x", "-keyout", tls / f"{name}.key", "-out",
             tls / f"{name}.crt"],
            check=True, capture_output=True,
        )  # fmt: skip

    def look(text: str) -> str:
        text = text.replace("/etc/zhenglian/tls", str(tls))
        (tmp_path / "zhenglian.conf").write_text(text.replace("/var/log/nginx", str(tmp_path)))
        (tmp_path / "nginx.conf").write_text(
            f"pid {tmp_path}/pid; events {{}} error_log {tmp_path}/error.log;\n"
            f"http {{ include {tmp_path}/zhenglian.conf; }}\n"
        )
        return said("nginx", "-t", "-e", "stderr", "-c", tmp_path / "nginx.conf")

    return look


def test_nginx_takes_the_proxys_configuration(configured: Callable[[str], str]) -> None:
    text = (ROOT / "deploy/nginx.conf").read_text()
    assert "test is successful" in configured(text)
    assert "test failed" in configured(text.replace("proxy_buffering off", "proxy_buffering of"))


def test_the_proxy_passes_what_the_queue_takes() -> None:
    from storage.settings import Settings

    text = (ROOT / "deploy/nginx.conf").read_text()
    found = re.search("client_max_body_size ([0-9]+)m;", text)
    assert found
    assert int(found[1]) << 20 > Settings().max_upload_bytes
    for needed in ("proxy_request_buffering off", "proxy_buffering off", "X-Forwarded-For"):
        assert needed in text
