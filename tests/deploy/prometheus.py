"""A real Prometheus, where one is installed (Debian's package `prometheus`), for tests to put the dashboard's and the alerts' queries to."""

import json
import shutil
import socket
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError

import yaml

PATIENCE_S = 120


class Prometheus:
    """One that runs."""

    def __init__(self, url: str) -> None:
        self._url = url

    def ask(self, expression: str) -> list[float]:
        """Return the values of all series that an expression gives now; raise where it is none."""
        with urllib.request.urlopen(f"{self._url}/api/v1/query?{urllib.parse.urlencode({'query': expression})}") as answer:  # noqa: S310
            return [float(series["value"][1]) for series in json.load(answer)["data"]["result"]]

    def wait(self) -> None:
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                urllib.request.urlopen(f"{self._url}/-/ready").close()  # noqa: S310 (this machine)
            except (URLError, ConnectionError):
                if time.monotonic() > until:
                    raise
                time.sleep(0.2)
            else:
                return


def is_installed() -> bool:
    return shutil.which("prometheus") is not None and shutil.which("promtool") is not None


@contextmanager
def running(folder: Path, targets: Sequence[str]) -> Iterator[Prometheus]:
    """Run one that looks at these targets (host:port) every second."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    configuration = {
        "global": {"scrape_interval": "1s"},
        "scrape_configs": [{"job_name": "nodes", "static_configs": [{"targets": list(targets)}]}],
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(configuration))
    command = ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb"]
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen([*command, f"--web.listen-address={address}"], stdout=log, stderr=log)
        try:
            prometheus = Prometheus(f"http://{address}")
            prometheus.wait()
            yield prometheus
        finally:
            process.terminate()
            process.wait()
