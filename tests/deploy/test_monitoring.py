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


# What a job tells each minute, as promtool writes series: `a+bx200` counts up by b.
STANDS = {"pagemill_groups_in_hand": "2x200"}
WORKS = {**STANDS, 'pagemill_pages_total{status="ok"}': "0+30x200"}
REJECTS = {**WORKS, 'pagemill_pages_total{status="failed"}': "0+3x200"}
DIES = {**WORKS, "pagemill_engine_restarts_total": "0+1x200"}


@pytest.mark.skipif(not shutil.which("promtool"), reason="Debian's package `prometheus`, which has promtool, is not installed")
@pytest.mark.parametrize(
    ("told", "alert"),
    [
        (WORKS, None),
        (STANDS, "PagemillStands"),
        ({**STANDS, 'pagemill_pages_total{status="ok"}': "70x200"}, "PagemillStands"),
        (REJECTS, "PagemillRejectsMany"),
        (DIES, "PagemillEngineDies"),
    ],
)
def test_each_alert_fires_for_its_reason_alone(tmp_path, told, alert):
    """A job that stands, from its first page on or later, rejects many, or whose engine dies raises its alert; one that works raises none."""
    series = [{"series": _of_job(name), "values": values} for name, values in told.items()]
    rules = {rule["alert"]: rule for group in ALERTS["groups"] for rule in group["rules"]}
    told_of = {name: rule["annotations"]["summary"].replace("{{ $labels.job_name }}", "night") for name, rule in rules.items()}
    tests = [
        {
            "eval_time": "100m",
            "alertname": name,
            "exp_alerts": [{"exp_labels": {"job_name": "night"}, "exp_annotations": {"summary": told_of[name]}}]
            * (name == alert),
        }
        for name in rules
    ]
    shutil.copy(FOLDER / "alerts.yml", tmp_path)
    asked = {"rule_files": ["alerts.yml"], "tests": [{"interval": "1m", "input_series": series, "alert_rule_test": tests}]}
    (tmp_path / "asked.yml").write_text(yaml.safe_dump(asked))
    assert _says("test", "rules", str(tmp_path / "asked.yml")) == "SUCCESS"


def _of_job(name):
    """Return a series' name with the labels that every worker gives it."""
    metric, _, labels = name.removesuffix("}").partition("{")
    labels = ",".join(['job_name="night"', 'WorkerId="w"', *filter(None, [labels])])
    return f"ray_{metric}{{{labels}}}"


def _says(*arguments):
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return next(line.strip() for line in done.stdout.splitlines() if "SUCCESS" in line)
