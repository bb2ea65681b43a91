"""Dashboard and alerts ask for what workers tell, by the labels that it has."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "monitoring"
DASHBOARD = json.loads((FOLDER / "grafana.json").read_text())
ALERTS = yaml.safe_load((FOLDER / "alerts.yml").read_text())
TOLD = {
    name: set(re.findall(r'"(\w+)"', labels)) | {"WorkerId", "NodeAddress"}
    for name, labels in re.findall(
        r'(?:Counter|Gauge)\(\s*"(\w+)", "[^"]*", \(([^)]*)\)', (ROOT / "pipeline" / "metrics.py").read_text()
    )
}
EXPRESSIONS = [
    *(target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]),
    *(rule["expr"] for group in ALERTS["groups"] for rule in group["rules"]),
]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_each_query_asks_for_what_is_told(expression):
    """Names of Pagemill's metrics exist, and so do the labels by which they are chosen and summed."""
    names = re.findall(r"ray_(pagemill_\w+)", expression)
    assert set(names) <= set(TOLD)
    if names:
        used = set(re.findall(r'(\w+)=~?"', expression)) | {
            label.strip() for group in re.findall(r"by \(([^)]*)\)", expression) for label in group.split(",")
        }
        assert used <= set.union(*(TOLD[name] for name in names))


def test_everything_that_is_told_is_shown():
    """No metric is collected that no panel shows, but for the seconds that groups take."""
    shown = set(re.findall(r"ray_(pagemill_\w+)", " ".join(EXPRESSIONS)))
    assert len(TOLD) == 10
    assert set(TOLD) - shown == {"pagemill_group_seconds_total"}


def test_panels_do_not_overlap():
    """Each panel has a place and a number of its own, says what it shows, names its lines, and reads the data source that is chosen above."""
    panels = DASHBOARD["panels"]
    assert len({(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels}) == len(panels)
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        assert panel["description"]
        assert panel["options"]["legend"]["showLegend"]
        assert all(target["legendFormat"] for target in panel["targets"])
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])
        assert panel["datasource"]["uid"] == f"${{{DASHBOARD['templating']['list'][0]['name']}}}"


def test_prometheus_finds_the_port_that_the_pods_name():
    """The scrape configuration keeps the port `metrics`, which each of Ray's pods opens and Ray is told to use."""
    (scrape,) = yaml.safe_load((FOLDER / "prometheus.yml").read_text())["scrape_configs"]
    assert [rule["regex"] for rule in scrape["relabel_configs"] if rule.get("action") == "keep"] == ["metrics"]
    spec = yaml.safe_load((ROOT / "deploy" / "kubernetes" / "raycluster.yaml").read_text())["spec"]
    for group in [spec["headGroupSpec"], *spec["workerGroupSpecs"]]:
        ports = {port["name"]: port["containerPort"] for port in group["template"]["spec"]["containers"][0]["ports"]}
        assert group["rayStartParams"]["metrics-export-port"] == str(ports["metrics"])


@pytest.mark.skipif(not shutil.which("promtool"), reason="Debian's package `prometheus`, which has promtool, is not installed")
def test_prometheus_understands_all_of_it(tmp_path):
    """Prometheus' own tool accepts the scrape configuration, the alerts, and every query of the dashboard."""
    for number, expression in enumerate(EXPRESSIONS):
        assert "$job" not in expression or 'job_name=~"$job"' in expression, number
    queries = [expression.replace("$job", ".*").replace("$__rate_interval", "1m") for expression in EXPRESSIONS]
    rules = [{"record": f"query_{number}", "expr": query} for number, query in enumerate(queries)]
    (tmp_path / "queries.yml").write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    assert _says("check", "rules", str(tmp_path / "queries.yml")) == f"SUCCESS: {len(queries)} rules found"
    assert _says("check", "rules", str(FOLDER / "alerts.yml")) == "SUCCESS: 3 rules found"
    scraping = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
    for scrape in scraping["scrape_configs"]:
        assert [found["role"] for found in scrape.pop("kubernetes_sd_configs")] == [
            "pod"
        ]  # Debian's build does not know Kubernetes
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(scraping))
    shutil.copy(FOLDER / "alerts.yml", tmp_path)
    assert _says("check", "config", str(tmp_path / "prometheus.yml")) == "SUCCESS: 1 rule files found"


def _says(*arguments):
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return next(line.strip() for line in done.stdout.splitlines() if "SUCCESS" in line)
