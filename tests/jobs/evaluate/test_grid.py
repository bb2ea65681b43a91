"""A grid: every combination over the same sample, the cheapest acceptable first; nothing that is refused stops the others."""

import json
from pathlib import Path

import pytest
import yaml

from jobs.evaluate.accept import bound
from jobs.evaluate.grid import rows_of, run_grid
from jobs.evaluate.gridfile import Combination, combinations, read_grid
from pipeline.errors import CheckpointError, JobError
from schemas.job import Job
from schemas.run import RunOptions, RunSummary
from schemas.unit import Tally


def _grid(bench, **settings) -> Path:
    job = {
        "name": "tried",
        "source": {"uri": bench.source, "exclude": ["**/*.json"]},
        "model": {"engine": "scripted", "checkpoint": bench.source},
        "tasks": [{"type": "ocr", "max_tokens": 4096}],
        "sink": {"uri": str(bench.folder / "never")},
    }
    (bench.folder / "job.yaml").write_text(yaml.safe_dump(job))
    grid = {"job": str(bench.folder / "job.yaml"), "labels": bench.source, "scratch": str(bench.folder / "grid")} | settings
    (bench.folder / "grid.yaml").write_text(yaml.safe_dump(grid))
    return bench.folder / "grid.yaml"


class Runner:
    """Runs combinations in this process. What each costs is made up: as many tokens a page as its number."""

    def __init__(self, bench, costs: list[float]) -> None:
        self.bench, self.costs, self.jobs = bench, iter(costs), list[Job]()

    def __call__(self, job: Job, options: RunOptions) -> RunSummary:
        if job.model.checkpoint == "not-there":
            raise CheckpointError("not-there is no checkpoint")
        self.jobs.append(job)
        mill = type(self.bench.mill)(self.bench.folder, (self.bench.mill.inspecting, self.bench.mill.reading), job.sink.uri)
        mill.run(job, until="commit")
        cost = next(self.costs)
        counts = {name: 0 for name, info in RunSummary.model_fields.items() if info.is_required() and info.annotation is int}
        summary = RunSummary.model_validate(
            {
                **counts,
                "run_id": mill_run_id(job),
                "job_name": job.name,
                "sink_uri": job.sink.uri,
                "started_at": "2026-01-01T00:00:00Z",
                "ended_at": "2026-01-01T00:00:00Z",
                "max_reject_rate": 0,
                "pages_ok": 4,
                "tally": Tally(requests=4, tokens=int(4 * cost), engine_seconds=4 * cost),
            }
        )
        (Path(job.sink.uri) / "_pagemill" / "runs" / summary.run_id / "summary.json").write_text(summary.model_dump_json())
        assert options.sample is None
        return summary


def mill_run_id(job: Job) -> str:
    """Return the id of the one run of a sink."""
    (folder,) = (Path(job.sink.uri) / "_pagemill" / "runs").iterdir()
    return folder.name


def test_the_cheapest_acceptable_comes_first(bench):
    """Acceptable combinations stand by cost before those that are not, however cheap; what is refused stands last and says why."""
    poor = bench.folder / "poor"
    poor.mkdir()
    (poor / "scripted.json").write_text(json.dumps({}))  # it knows no document, and answers with digests
    grid = read_grid(_grid(bench, checkpoints=[bench.source, str(poor), "not-there"], resolutions=[448, 224]))
    runner = Runner(bench, [30, 20, 1, 2])
    report = run_grid(grid, [bound("cer<=0.03")], runner, resamples=5)
    assert [each.name for each in report.outcomes] == [
        f"{bench.source}, 224",
        f"{bench.source}, 448",
        f"{poor}, 448",
        f"{poor}, 224",
        "not-there, 448",
        "not-there, 224",
    ]
    assert [each.is_acceptable for each in report.outcomes] == [True, True, False, False, False, False]
    assert report.outcomes[-1].refused == "not-there is no checkpoint"
    first = report.outcomes[0].cost
    assert first is not None
    assert (first.pages, first.requests, first.tokens, first.engine_seconds) == (4, 1, 20, 20)
    assert report.exit_code == 0
    heads, rows = rows_of(report)
    assert heads == ["settings", "accepted", "text CER", "text WER", "requests/page", "tokens/page", "engine s/page"]
    assert rows[0][1:] == ["yes", "0.0000", "0.0000", "1.0", "20", "20.000"]
    assert rows[-1][1] == "refused: not-there is no checkpoint"
    assert len({job.sink.uri for job in runner.jobs}) == 4
    assert {job.render.text_layer for job in runner.jobs} == {"ignore"}


def test_a_grid_with_nothing_acceptable_exits_1(bench):
    """Where no combination keeps within the bounds, the grid says so by its exit code."""
    grid = read_grid(_grid(bench, resolutions=[448]))
    report = run_grid(grid, [bound("teds>=0.5")], Runner(bench, [1]), resamples=5)
    assert report.exit_code == 1


def test_settings_reach_the_job(bench):
    """Each choice changes the job as it says, and nothing else; combinations that no run can satisfy are told by name."""
    prompts = [{"name": "plain"}, {"name": "other", "ocr": "read all"}]
    grid = read_grid(_grid(bench, tiles=["none", "whitespace"], resolutions=[224], prompts=prompts, text_layer="prefer"))
    made = [each for each in combinations(grid) if isinstance(each, Combination)]
    assert [(each.tiles, each.prompts, each.job.tasks[0].prompt) for each in made] == [
        ("none", "plain", None),
        ("none", "other", "read all"),
        ("whitespace", "plain", None),
        ("whitespace", "other", "read all"),
    ]
    assert {(rung.resolution, rung.tiles) for each in made for rung in each.job.render.ladder} == {
        (224, "none"),
        (224, "whitespace"),
    }
    assert {each.job.render.text_layer for each in made} == {"prefer"}
    assert len({each.job.sink.uri for each in made}) == 4


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("job: j.yaml\nlabels: l\n", "needs settings to compare"),
        ("job: j.yaml\nlabels: l\nresolutions: [300]\n", r"grid\.yaml:3: resolutions\[0\]"),
        ("job: j.yaml\nlabels: l\nresolution: [224]\n", r"grid\.yaml:3: resolution:"),
        ("job: [", r"grid\.yaml:1"),
    ],
)
def test_a_bad_grid_file_names_its_line(tmp_path, text, match):
    """What is wrong with a grid file is told with its line, before anything starts."""
    (tmp_path / "grid.yaml").write_text(text)
    with pytest.raises(JobError, match=match):
        read_grid(tmp_path / "grid.yaml")
