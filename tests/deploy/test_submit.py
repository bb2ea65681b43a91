"""The very entrypoint of the RayJob, submitted to a cluster of several nodes on this machine, and the metrics that it leaves."""

import importlib.util
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from pipeline.verify import verify

ROOT = Path(__file__).parents[2]
RAYJOB = yaml.safe_load((ROOT / "deploy" / "kubernetes" / "rayjob.yaml").read_text())
DASHBOARD = json.loads((ROOT / "deploy" / "monitoring" / "grafana.json").read_text())
RECEIPT = ROOT / "jobs" / "examples" / "documents" / "receipt.png"
DOCUMENTS, PATIENCE_S = 48, 900
"""Six groups for four workers, of 16 s each: Ray reports what the first came to while others are at work, every ten seconds."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.ray,
    # Ray warns of its own settings as it reads them, and leaves files open in the process that started it.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@dataclass
class Nodes:
    """A head without CPUs for actors and two nodes with, as in raycluster.yaml."""

    dashboard: str
    exporters: list[str]

    def samples(self, name: str) -> Counter[tuple[str, ...]]:
        """Return a metric's values over all nodes, by its labels of Pagemill."""
        found: Counter[tuple[str, ...]] = Counter()
        for url in self.exporters:
            try:
                text = urllib.request.urlopen(url, timeout=10).read().decode()  # noqa: S310 (this machine)
            except OSError:  # not up yet, or not in time: asked again
                continue
            for labels, value in re.findall(rf"^{name}{{(.*?)}} (\S+)$", text, re.MULTILINE):
                pairs = dict(re.findall(r'(\w+)="(.*?)"', labels))
                found[tuple(pairs[key] for key in ("job_name", "status", "rung", "stage", "code") if key in pairs)] += float(
                    value
                )
        return found


@pytest.fixture
def nodes(monkeypatch, ray_nodes) -> Iterator[Nodes]:
    import ray
    from ray.cluster_utils import Cluster

    ray.shutdown()
    monkeypatch.setenv(
        "PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    )  # as in the image, where jobs find `pagemill`
    head = {"num_cpus": 0, "include_dashboard": True, "dashboard_port": 0, "dashboard_agent_listen_port": _free_port()}
    cluster = ray_nodes.started_at_last(lambda: Cluster(initialize_head=True, head_node_args=head))
    try:
        for _ in range(2):
            ray_nodes.add_node(cluster, cpus=2)
        ray.init(address=cluster.address, log_to_driver=False)
        exporters = [f"http://127.0.0.1:{node['MetricsExportPort']}/metrics" for node in ray.nodes()]
        assert len(set(exporters)) == 3
        yield Nodes(f"http://{cluster.head_node.webui_url}", exporters)
    finally:
        ray.shutdown()
        cluster.shutdown()


def test_the_entrypoint_runs_on_several_nodes_and_is_exact(nodes, tmp_path):
    """`ray job submit` of the RayJob's own command ends well; every page has its row, and the exporters say what was done.

    Where Prometheus is installed, it looks at the nodes meanwhile, and takes every query of the dashboard.
    """
    sink = _jobs(tmp_path)
    prometheus = _module("prometheus")
    targets = [url.removeprefix("http://").removesuffix("/metrics") for url in nodes.exporters]
    with prometheus.running(tmp_path, targets) if prometheus.is_installed() else nullcontext() as watching:
        _submit(nodes, tmp_path)
        if watching is not None:
            _look(watching)
    report = verify(str(sink))
    assert (report.is_exact, report.pages, report.pages_ok) == (True, DOCUMENTS, DOCUMENTS)


def _look(watching):
    """Put every query of the dashboard to Prometheus; which series it has caught by now is a matter of moments."""
    assert watching.ask("count(up)") == [3]
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            watching.ask(target["expr"].replace("$job", ".*").replace("$__rate_interval", "10m"))


def _submit(nodes, tmp_path):
    """Run the job to its end, and look at what the exporters tell meanwhile."""
    entrypoint = shlex.split(RAYJOB["spec"]["entrypoint"].replace("/jobs/", f"{tmp_path}/"))
    ray_command = Path(sys.executable).with_name("ray")
    command = [
        ray_command,
        "job",
        "submit",
        "--address",
        nodes.dashboard,
        "--no-wait",
        "--submission-id",
        "night",
        "--",
        *entrypoint,
    ]
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    until = time.monotonic() + PATIENCE_S
    while (submitted := subprocess.run(command, env=environment, capture_output=True, text=True, check=False)).returncode:
        assert "No available agent" in submitted.stderr, submitted.stderr  # as KubeRay does, wait for the head to be ready
        assert time.monotonic() < until, "no agent takes the job"
        time.sleep(2)

    pages: Counter[tuple[str, ...]] = Counter()
    requests: Counter[tuple[str, ...]] = Counter()
    while (status := _status(nodes)) in ("PENDING", "RUNNING"):
        pages, requests = (
            pages | nodes.samples("ray_pagemill_pages_total"),
            requests | nodes.samples("ray_pagemill_requests_total"),
        )
        assert time.monotonic() < until, "the job does not end"
        time.sleep(1)
    logs = subprocess.run(
        [ray_command, "job", "logs", "--address", nodes.dashboard, "night"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert status == "SUCCEEDED", logs.stdout
    assert 0 < pages["nightly", "ok"] <= DOCUMENTS
    assert 0 < requests["nightly", "0"] <= DOCUMENTS


def _free_port() -> int:
    """Return a port for the agent that takes jobs: another Ray on this machine may hold the usual one."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _jobs(folder: Path) -> Path:
    """Write the job file that the entrypoint names, and its documents: other bytes each, two seconds of sleep each."""
    (folder / "in").mkdir()
    (folder / "truth").mkdir()
    (folder / "truth" / "scripted.json").write_text('{"seconds_per_request": 2}')
    for number in range(DOCUMENTS):
        copy = folder / "in" / f"{number}.png"
        shutil.copy(RECEIPT, copy)
        with copy.open("ab") as file:
            file.write(str(number).encode())
    job = {
        "name": "nightly",
        "source": {"uri": str(folder / "in")},
        "model": {"engine": "scripted", "checkpoint": str(folder / "truth")},
        "workers": {"cpus": 4},
        "sink": {"uri": str(folder / "out")},
    }
    (folder / "nightly.yaml").write_text(yaml.safe_dump(job))
    return folder / "out"


def _status(nodes: Nodes) -> str:
    from ray.job_submission import JobSubmissionClient

    return str(JobSubmissionClient(nodes.dashboard).get_job_status("night").value)


def _module(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
