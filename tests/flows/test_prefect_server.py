"""What goes wrong with a Prefect server is told alike by every command, and never as a defect."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from flows.engine import blamed
from portal.cli import _usage_or_defect
from storage.errors import CustodyError, HostError, TransientError
from tests.services.rgw import free_port

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("prefect")]


class Answers(BaseHTTPRequestHandler):
    """Answers everything with the code that its server was told."""

    def do_POST(self) -> None:
        """Answer."""
        self.send_response(self.server.code)  # type: ignore[attr-defined]
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    do_GET = do_POST

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    """A server that is no Prefect."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield made
        made.shutdown()


def failing(url: str) -> CustodyError:
    """Ask for an ingest of a server that cannot; return how that is told."""
    from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

    from tasks.workers import hand_ingest

    with (
        temporary_settings({PREFECT_API_URL: url, PREFECT_CLIENT_MAX_RETRIES: 0}),
        pytest.raises(CustodyError) as caught,
    ):
        hand_ingest("A2026-000001")
    return caught.value


@pytest.mark.parametrize(
    ("code", "kind"), [(401, HostError), (403, HostError), (404, HostError), (503, TransientError)]
)
def test_a_server_that_refuses_is_looked_at_and_one_that_cannot_now_is_asked_again(
    server: ThreadingHTTPServer, code: int, kind: type[CustodyError]
) -> None:
    server.code = code  # type: ignore[attr-defined]
    error = failing(f"http://127.0.0.1:{server.server_port}/api")
    assert type(error) is kind
    assert error.remedy


def test_a_server_that_is_not_there_is_asked_again() -> None:
    assert type(failing(f"http://127.0.0.1:{free_port()}/api")) is TransientError


def test_deploying_and_the_watcher_say_the_same(server: ThreadingHTTPServer) -> None:
    from prefect.settings import PREFECT_API_URL, temporary_settings

    from flows.deploying import deploy

    server.code = 401  # type: ignore[attr-defined]
    url = f"http://127.0.0.1:{server.server_port}/api"
    with temporary_settings({PREFECT_API_URL: url}), pytest.raises(HostError) as caught:
        deploy()
    assert caught.value.remedy == failing(url).remedy


def test_a_temporary_server_that_does_not_come_up_is_no_defect(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from prefect.server.api.server import SubprocessASGIServer

    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    started = SubprocessASGIServer(free_port())
    sleeps = [sys.executable, "-c", "import time; time.sleep(60)"]
    monkeypatch.setattr(started, "_run_uvicorn_command", lambda: subprocess.Popen(sleeps))
    with pytest.raises(RuntimeError, match="Timed out") as caught:
        started.start(timeout=1)
    process = started.server_process
    assert process is not None
    process.kill()
    process.wait()
    assert _usage_or_defect(caught.value) == TransientError("").exit_code == 6
    assert "CUSTODY_PREFECT_API_URL" in " ".join(capsys.readouterr().err.split())


def test_what_the_work_itself_raises_stays_what_it_is() -> None:
    for error in (HostError("no disk"), OSError("no disk"), RuntimeError("a defect")):
        with pytest.raises(type(error)) as caught:
            raise error
        assert blamed(caught.value) is None
