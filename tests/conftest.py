"""What tests in several folders share: an S3 server, a proxy before it that fails, and Ray's nodes on this machine.

The server is OpenStack Swift where PAGEMILL_SHARED (by default the folder `shared` beside the checkout) has s3/swift-up.sh and it can be
started, else moto's. PAGEMILL_TEST_S3=moto asks for moto's. The end of the test report says which one it was.
"""

import fcntl
import importlib.util
import os
import re
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import boto3
import pytest
from botocore.exceptions import BotoCoreError, ClientError
from hypothesis import settings

# The same examples each time, and no time limit on one: a machine that is busy for a moment is no finding. Others: --hypothesis-profile default
settings.load_profile("ci")

HERE = Path(__file__).parent
SHARED = Path(os.environ.get("PAGEMILL_SHARED", HERE.parent.parent / "shared"))
SWIFT_PORTS = (8080, 6200, 6201, 6202, 11211)
BUCKET = "pagemill-tests"
PATIENCE_S = 120.0
ONE_A_MACHINE = re.compile(r"\b(s3_endpoint|s3_uri|faulty_s3|ray_started|ray_nodes|mark\.ray)\b")
"""How a file's words tell that its tests start the S3 server, whose ports are given, or Ray, which takes most of a machine."""
_WHICH = "pagemill_s3_server"
_which_server = pytest.StashKey[str]()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object:
    """Let processes that share the tests take whole files, and one of them all files that need what a machine has one of."""
    from xdist.scheduler import LoadFileScheduling

    class Neighbours(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file: str = super()._split_scope(nodeid)
            return "the machine" if _needs_the_machine(config.rootpath / file) else file

    return Neighbours(config, log)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over from a process that ran tests which S3 server it had."""
    if _WHICH in getattr(node, "workeroutput", {}):
        node.config.stash[_which_server] = node.workeroutput[_WHICH]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if _which_server in config.stash:
        terminalreporter.write_line(f"S3 server of these tests: {config.stash[_which_server]}")


@pytest.fixture(scope="session", autouse=True)
def _ray_gets_its_share() -> Iterator[None]:
    """Ray's workers go as fast as other tests beside them: its own niceness of 15 leaves them next to nothing of two cores."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_worker_niceness", "0")
        yield


@pytest.fixture(scope="session")
def s3_endpoint(pytestconfig: pytest.Config) -> Iterator[str]:
    """Start an S3 server with one empty bucket; the environment points to it until the session ends."""
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        for variable in [variable for variable in os.environ if variable.startswith("AWS_")]:
            patch.delenv(variable)
        patch.setenv("AWS_CONFIG_FILE", os.devnull)
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        environment, name = _server(stack)
        getattr(pytestconfig, "workeroutput", {})[_WHICH] = pytestconfig.stash[_which_server] = name
        for variable, value in environment.items():
            patch.setenv(variable, value)
        yield environment["AWS_ENDPOINT_URL"]


@pytest.fixture
def s3_uri(s3_endpoint: str) -> str:  # noqa: ARG001 (it has to run)
    """Return an s3:// folder with nothing in it."""
    return f"s3://{BUCKET}/{uuid.uuid4().hex}"


@pytest.fixture(scope="session")
def ray_nodes() -> ModuleType:
    """Return faults/nodes.py, which starts Ray's nodes here, also on a machine that is slow."""
    return _module(HERE / "faults" / "nodes.py")


@pytest.fixture
def faulty_s3(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., object]]:
    """Return a function that puts a FaultyProxy (see faults/s3proxy.py for its arguments) before the S3 server, for this test's new clients."""
    s3proxy = _module(HERE / "faults" / "s3proxy.py")
    with ExitStack() as stack:

        def start(**settings: object) -> object:
            proxy = stack.enter_context(s3proxy.running(s3proxy.FaultyProxy(s3_endpoint, **settings)))
            monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
            return proxy

        yield start


@cache
def _needs_the_machine(file: Path) -> bool:
    return ONE_A_MACHINE.search(file.read_text()) is not None


def _server(stack: ExitStack) -> tuple[dict[str, str], str]:
    """Start a server; return the environment that finds it, and its name."""
    problem = _why_not_swift(stack)
    if problem is None:
        try:
            with ExitStack() as trial:
                environment = trial.enter_context(_swift())
                _make_bucket(environment)
                stack.enter_context(trial.pop_all())
                return environment, "OpenStack Swift"
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired, BotoCoreError, ClientError) as exc:
            problem = f"Swift did not start: {exc}"
    environment = stack.enter_context(_moto())
    _make_bucket(environment)
    return environment, f"moto, because {problem}"


def _why_not_swift(stack: ExitStack) -> str | None:
    """Return why Swift cannot be started here, or None, holding the lock on its ports."""
    if os.environ.get("PAGEMILL_TEST_S3") == "moto":
        return "PAGEMILL_TEST_S3 asks for it"
    if not (SHARED / "s3" / "swift-up.sh").exists():
        return f"{SHARED / 's3' / 'swift-up.sh'} is not there"
    if os.geteuid() != 0:
        return "Swift needs root"
    lock = stack.enter_context((Path(tempfile.gettempdir()) / "pagemill-tests-swift.lock").open("w"))
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return "another test session uses Swift's ports"
    taken = _taken_ports()
    return f"ports are taken: {taken}" if taken else None


def _taken_ports() -> list[int]:
    """Return the ports of Swift's that somebody has; one that was just told to end keeps them for a moment."""
    until = time.monotonic() + PATIENCE_S / 4
    while (taken := list(filter(_is_taken, SWIFT_PORTS))) and time.monotonic() < until:
        time.sleep(0.2)
    return taken


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _make_bucket(environment: dict[str, str]) -> None:
    """Make the bucket; Swift's proxy listens before the servers behind it do, and says 503 until then."""
    client = boto3.session.Session().client(
        "s3",
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
    )
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            client.create_bucket(Bucket=BUCKET)
        except (BotoCoreError, ClientError):
            if time.monotonic() > until:
                raise
            time.sleep(1)
        else:
            return


@contextmanager
def _swift() -> Iterator[dict[str, str]]:
    script = str(SHARED / "s3" / "swift-up.sh")
    with tempfile.TemporaryDirectory(prefix="pagemill-swift-", ignore_cleanup_errors=True) as folder:
        try:
            started = subprocess.run(
                ["bash", script, folder], capture_output=True, text=True, timeout=300, check=True, stdin=subprocess.DEVNULL
            )
            yield dict(re.findall(r"(AWS_\w+)=(\S+)", started.stdout))
        finally:
            subprocess.run(["bash", script, "--stop", folder], check=False, capture_output=True)
            _taken_ports()  # waits until they are free again


@contextmanager
def _moto() -> Iterator[dict[str, str]]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield {"AWS_ENDPOINT_URL": f"http://{host}:{port}", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    finally:
        server.stop()


def _module(path: Path) -> ModuleType:
    """Import a module of tests/ by its path: tests are no package, so that none of them shadows what they test."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
