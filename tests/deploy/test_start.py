"""start.py against an API on this machine: a night has one RayJob, however often it is tried."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

FOLDER = Path(__file__).parents[2] / "deploy" / "kubernetes"


class Api(ThreadingHTTPServer):
    """Keeps RayJobs by name, as the Kubernetes API does."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.created: dict[str, dict] = {}
        self.asked: list[tuple[str, str | None]] = []
        self.answer: int | None = None


class Handler(BaseHTTPRequestHandler):
    """Creates what is not there yet, and refuses the rest."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name = body["metadata"]["name"]
        self.server.asked.append((self.path, self.headers["Authorization"]))
        status = self.server.answer or (409 if name in self.server.created else 201)
        if status == 201:
            self.server.created[name] = body
        self.send_response(status)
        self.end_headers()
        self.wfile.write(b'{"message": "words of the API"}')

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def api() -> Iterator[Api]:
    with Api() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def start(api, tmp_path):
    """Return a function that runs the program as the CronJob does."""
    (tmp_path / "token").write_text("secret-token\n")
    (tmp_path / "namespace").write_text("pagemill")
    environment = {
        "KUBERNETES_API": f"http://127.0.0.1:{api.server_port}",
        "SERVICE_ACCOUNT": str(tmp_path),
        "NAME": "pagemill-nightly-29384720",
    }

    def run() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, str(FOLDER / "start.py"), str(FOLDER / "rayjob.yaml")]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)

    return run


def test_a_night_has_one_rayjob(api, start):
    """The first try creates the RayJob under the night's name; another finds it there and is content."""
    first, second = start(), start()
    assert (first.returncode, second.returncode) == (0, 0)
    assert ("created" in first.stdout, "exists already" in second.stdout) == (True, True)
    (job,) = api.created.values()
    given = yaml.safe_load((FOLDER / "rayjob.yaml").read_text())
    assert job["spec"] == given["spec"]
    assert job["metadata"] == {"name": "pagemill-nightly-29384720", "namespace": "pagemill"}
    assert api.asked == [("/apis/ray.io/v1/namespaces/pagemill/rayjobs", "Bearer secret-token")] * 2


def test_a_refusal_is_told_and_tried_again(api, start):
    """Where the API refuses, its words are in the log without the token, and the exit code makes the CronJob try again."""
    api.answer = 403
    refused = start()
    assert refused.returncode == 1
    assert "403" in refused.stderr
    assert "words of the API" in refused.stderr
    assert "secret-token" not in refused.stderr


def test_an_api_that_is_away_is_told(api, start):
    """No connection is an error in words."""
    api.shutdown()
    api.server_close()
    gone = start()
    assert gone.returncode == 1
    assert "cannot be reached" in gone.stderr
