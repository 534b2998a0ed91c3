"""``custody serve`` and ``custody account`` as a person uses them, over real connections."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest

from portal.serving import require_safe
from storage.custody import Custody
from storage.errors import HostError
from storage.settings import Settings
from tests.portal.conftest import Run
from tests.portal.web.signing import PASSWORD

_SERVE = """
import sys
from portal.cli import main
code = main(["serve", "--port", "0"])
print("prefect loaded:", "prefect" in sys.modules)
sys.exit(code)
"""
_ASKED = """
import os, signal, sys, threading
from portal.serving import serve
from storage.custody import current

number, delay = signal.Signals(int(sys.argv[1])), float(sys.argv[2])

def started(address):
    if delay:
        threading.Timer(delay, lambda: os.kill(os.getpid(), number)).start()
    else:
        signal.raise_signal(number)

before = signal.getsignal(number)
serve(current(), "127.0.0.1", 0, started)
print("as before" if signal.getsignal(number) is before else "not as before")
"""
"""Serves, and is asked to stop at once or later: by a process of its own, which may be ended."""
_FIELD = re.compile(r'name="csrf_token" value="([^"]+)"')


@pytest.fixture
def served(house: Custody) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The address of a served house, and the process that serves it."""
    house.database.close()
    command = [sys.executable, "-c", _SERVE]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    first = process.stdout.readline()
    found = re.search(r"http://127\.0\.0\.1:\d+", first)
    assert found is not None, first + process.stdout.read()
    try:
        yield found[0], process
    finally:
        process.kill()
        process.communicate()


def linked(answer: str) -> str:
    """Return the path of the one-time link that a command printed."""
    found = re.search(r"http://127\.0\.0\.1:8080(/welcome/\S+)", answer)
    assert found is not None, answer
    return found[1]


def test_a_link_from_the_command_line_opens_the_served_queue(
    served: tuple[str, subprocess.Popen[str]], run: Run
) -> None:
    """Made while the queue is served: two processes, one house; and it stops when asked to."""
    address, process = served
    made = run("account", "add", "li.si", "--role", "officer", "--name", "李四")
    assert made.code == 0
    with httpx.Client(base_url=address, timeout=30, trust_env=False) as browser:
        path = linked(made.out)
        form = _FIELD.search(browser.get(path).text)
        assert form is not None
        fields = {"password": PASSWORD, "again": PASSWORD, "csrf": form[1]}
        answer = browser.post(path, data=fields)
        assert answer.status_code == 303
        assert browser.get("/tokens").status_code == 200
        assert "server" not in answer.headers
        assert browser.get("/api/v1/openapi.json").json()["openapi"].startswith("3.1")
        ended = run("account", "sign-out", "li.si")
        assert "1" in ended.out
        assert browser.get("/tokens").status_code == 303
    process.send_signal(signal.SIGTERM)
    rest, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "已停止" in rest
    assert "Traceback" not in rest
    assert linked(made.out).rpartition("/")[2] not in rest
    # Nothing that answers requests loads Prefect: a workspace without it is served.
    assert "prefect loaded: False" in rest
    told = run("account", "log")
    assert "signed in" in told.out
    assert "李四" in told.out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("delay", [0, 0.5])
def test_whoever_asks_it_to_stop_is_heard(
    house: Custody, number: signal.Signals, delay: float
) -> None:
    """Also before it listens to signals itself, and nothing is left of it after."""
    command = [sys.executable, "-c", _ASKED, str(number.value), str(delay)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)
    assert (done.returncode, done.stdout) == (0, "as before\n"), done.stderr


def test_a_port_that_is_taken_is_told(house: Custody, run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        answer = run("serve", "--port", port)
    assert answer.code == 5
    assert port in answer.problem[0]


HTTPS = "https://queue.example"


@pytest.mark.parametrize(
    ("host", "url", "proxies", "well"),
    [
        ("127.0.0.1", "", "", True),
        ("localhost", "", "", True),
        ("::1", "", "", True),
        ("127.0.0.1", HTTPS, "", True),
        ("127.0.0.1", "http://localhost:8080", "", True),
        ("0.0.0.0", "", "", False),
        ("192.0.2.1", HTTPS, "", False),
        ("192.0.2.1", "", "192.0.2.9", False),
        ("192.0.2.1", "http://queue.example", "192.0.2.9", False),
        ("192.0.2.1", HTTPS, "192.0.2.9", True),
        ("::", HTTPS, "2001:db8::/64", True),
        ("127.0.0.1", "http://queue.example", "", False),
        ("127.0.0.1", "queue.example", "", False),
        ("127.0.0.1", "https://queue.example/path", "", False),
        ("127.0.0.1", "https://user:secret@queue.example", "", False),
        ("127.0.0.1", "https://[", "", False),
    ],
)
def test_what_anybody_on_the_way_could_read_is_not_served(
    host: str, url: str, proxies: str, well: bool
) -> None:
    settings = Settings(public_url=url, trusted_proxies=proxies)
    if well:
        require_safe(settings, host)
        return
    with pytest.raises(HostError) as caught:
        require_safe(settings, host)
    assert caught.value.remedy


def test_the_commands_of_accounts(house: Custody, run: Run) -> None:
    """As an administrator goes through them, wrong turns included."""
    login = ("li.si",)
    assert run("account", "add", *login, "--role", "officer", "--name", "李四").code == 0
    assert run("account", "add", *login, "--role", "officer", "--name", "李四").code == 3
    wrong = ("account", "add", "wang", "--role", "agency_admin", "--name", "王", "--agency", "NO")
    assert run(*wrong).code == 2
    assert run("account", "add", "x", "--role", "officer", "--name", "王").code == 2
    assert run("account", "token", *login, "--scope", "read", "--days", "400").code == 2
    made = run("account", "token", *login, "--scope", "read", "--scope", "act")
    (secret,) = re.findall(r"zl_[\w-]{43}", made.out)
    listed = run("account", "tokens", *login)
    (token,) = re.findall(r"T-[0-9a-f]{12}", listed.out)
    assert secret not in listed.out + run("account", "tokens", *login, "--json").out
    assert run("account", "revoke", *login, token).code == 0
    assert run("account", "revoke", *login, "T-000000000000").code == 2
    assert run("account", "change", *login, "--name", "李思", "--by", "王主任").code == 0
    assert "李思" in run("account", "list").out
    assert linked(run("account", "reset", *login).out) != linked(
        run("account", "reset", *login).out
    )
    assert run("account", "disable", *login).code == 0
    assert run("account", "reset", *login).code == 3
    assert run("account", "enable", *login).code == 0
    assert run("account", "disable", "nobody").code == 2
    changes = run("account", "log", "--kind", "account", "--json").out
    assert '"kind": "token_revoked"' in changes
    assert secret not in changes
