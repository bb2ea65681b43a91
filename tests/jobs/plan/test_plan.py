"""Plans, held against what a run of the same job then really asked."""

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from jobs.cli import cli
from jobs.plan.arithmetic import model_of
from jobs.plan.earlier import earlier
from jobs.plan.make import make
from jobs.plan.todo import todo
from jobs.report.planned import plan_entry
from pipeline.runs import Runs
from pipeline.serving import Serving
from schemas.job import AnswerField, AnswerTask, Model, Render, Rung, Source
from schemas.plan import Estimate, Plan
from schemas.unit import Tally

EXAMPLES = Path(__file__).parents[3] / "jobs" / "examples" / "documents"
SHARED = Path(os.environ.get("PAGEMILL_SHARED", Path(__file__).parents[4] / "shared"))
LADDER = (Rung(tiles="none"), Rung(tiles="whitespace"))


def _plan(job, **changes) -> Plan:
    return make(job, **{"sample": 100, "seed": 0, "backfill": False, "gpu": "h100", "dollars_per_hour": 2.0, **changes})


def _exactly(number: float) -> Estimate:
    return Estimate(value=number, low=number, high=number)


def test_a_plan_of_all_documents_is_what_a_run_then_does(mill, machine):
    """Pages, shares, unreadable documents and requests are the run's own; after it, nothing is left to plan."""
    mill.put("a.pdf", machine.pdf("one two three four five six", "", "seven eight nine"))
    mill.put("b.pdf", machine.pdf("many words of another document"))
    mill.put("broken.pdf", b"%PDF-1.7 nothing else")
    mill.put("scan.tiff", machine.tiff("a scan", "another"))
    job = mill.job(machine.OCR, machine.answer("total", "date"), render=Render(text_layer="prefer"))
    plan = _plan(job)
    ran = mill.run(job)
    assert plan.pages == _exactly(ran.pages)
    assert plan.requests == _exactly(ran.requests)
    assert plan.unreadable == _exactly(ran.findings.unreadable)
    statuses = [row["status"] for row in mill.rows()]
    assert plan.blank.value == statuses.count("blank") / len(statuses)
    assert plan.with_text_layer.value == [row["text_source"] for row in mill.rows()].count("text_layer") / len(statuses)
    assert plan.dollars.value == pytest.approx(2 * plan.gpu_hours.value)
    after = _plan(job)
    assert (after.objects_left, after.pages, after.requests) == (0, _exactly(0), _exactly(0))


def test_a_new_field_is_planned_alone(mill, machine):
    """With --backfill, a field that was added is one request a page; without, known documents need nothing, and the unreadable is not tried."""
    mill.put("a.pdf", machine.pdf("one two", "three four", "five six"))
    mill.run(mill.job(machine.answer("total")))
    added = mill.job(machine.answer("total", "date"))
    assert _plan(added).objects_left == 0
    assert _plan(added, backfill=True).requests == _exactly(3)


def test_the_ladder_is_planned_rung_by_rung_as_runs_tell(mill, machine):
    """Before any run a tenth is taken to climb, and that is said; after one, what climbed then and how long answers were."""
    mill.put("a.pdf", machine.pdf("one two three", "four five six"))
    job = mill.job(render=Render(text_layer="ignore", ladder=LADDER))
    plan = _plan(job)
    assert [each.requests.value for each in plan.rungs] == [2, pytest.approx(0.2)]
    assert any("climb" in said for said in plan.taken_for_granted)
    ran = mill.run(job)
    runs = Runs(mill.store, mill.places)
    (summary,) = runs.ended()
    runs.end(summary.model_copy(update={"tally": Tally(requests=3, rungs=(2, 1), tokens=30)}))
    assert ran.requests == 2
    mill.put("b.pdf", machine.pdf("seven eight nine", "ten eleven", "twelve", "thirteen"))
    plan = _plan(job)
    assert [each.requests.value for each in plan.rungs] == [4, pytest.approx(2)]
    assert plan.tokens.value == pytest.approx(60)


def test_a_rerun_tells_nothing_of_pages_to_come(mill, machine):
    """Neither of what will climb, as its pages were chosen, nor of what came of a plan, as it reads pages a second time."""
    mill.put("a.pdf", machine.pdf("one two three"))
    job = mill.job(render=Render(text_layer="ignore", ladder=LADDER))
    plan = _plan(job)
    mill.run(job)
    runs = Runs(mill.store, mill.places)
    (summary,) = runs.ended()
    many = {"tally": Tally(requests=9, rungs=(1, 8), tokens=90), "pages_ok": 7, "started_at": plan.made_at}
    runs.end(summary.model_copy(update={**many, "kind": "rerun"}))
    assert earlier(runs, job).tally == Tally()
    assert plan_entry([plan], runs.begun(), runs.ended()).runs == 0
    runs.end(summary.model_copy(update=many))
    assert earlier(runs, job).climbed(1) == 8
    assert plan_entry([plan], runs.begun(), runs.ended()).rows[0][4] == 7


def test_places_that_are_read_again_are_planned_too(mill, machine):
    """Before any run, each value is taken to stand on one page of its document, and that is said; after one, as many as then."""
    mill.put("a.pdf", machine.pdf("one two three", "four five six"))
    fields = tuple(AnswerField(name=name, question=f"{name}?", verify=name != "date") for name in ("total", "number", "date"))
    job = mill.job(AnswerTask(type="answer", fields=fields), render=Render(text_layer="ignore", ladder=LADDER))
    asked, read_again = 2 * 3, 2
    plan = _plan(job)
    assert plan.requests.value == pytest.approx(asked + 0.1 * asked + read_again)
    assert [each.requests.value for each in plan.rungs] == [asked, pytest.approx(0.1 * asked + read_again)]
    assert any("verify" in said for said in plan.taken_for_granted)
    alone = _plan(mill.job(AnswerTask(type="answer", fields=fields[2:]), render=job.render))
    assert not any("verify" in said for said in alone.taken_for_granted)
    mill.run(job)
    runs = Runs(mill.store, mill.places)
    (summary,) = runs.ended()
    runs.end(summary.model_copy(update={"tally": Tally(requests=12, rungs=(6, 6), verified=3, tokens=96)}))
    mill.put("b.pdf", machine.pdf("seven eight nine", "ten eleven", "twelve", "thirteen"))
    plan = _plan(job)
    assert [each.requests.value for each in plan.rungs] == [12, pytest.approx(6 + 6)]
    assert plan.requests.low <= plan.requests.value <= plan.requests.high


def test_a_run_counts_what_it_reads_again(mill, machine):
    """Apart, so that the next plan tells what climbs from what is verified."""
    mill.put("a.pdf", machine.pdf("total is 42"))
    field = AnswerField(name="total", question="total?", type="integer", verify=True)

    def say(request):
        return machine.said("42" if request.prompt.startswith("answer") else "total is 42")

    job = mill.job(AnswerTask(type="answer", fields=(field,)), render=Render(text_layer="prefer"))
    ran = mill.run(job, serving=lambda job: Serving(job.model, 448, lambda _model, size: machine.TinyEngine(say, size)))
    tally = ran.commits.tally
    assert (tally.requests, tally.rungs, tally.verified) == (2, (2,), 1)


def test_documents_that_ship_are_planned_as_they_are_read(mill):
    """Of the shipped documents, scans and photos among them, the plan's pages and first requests are those of the run, one object a document."""
    job = mill.job(
        model=Model(engine="scripted", checkpoint=str(EXAMPLES)),
        source=Source(uri=str(EXAMPLES), exclude=("**/*.json",)),
        render=Render(text_layer="prefer", ladder=(Rung(tiles="whitespace"),)),
    )
    plan = _plan(job)
    ran = mill.run(job)
    assert (plan.pages, plan.requests) == (_exactly(ran.pages), _exactly(ran.requests))
    assert plan.tokens.value == pytest.approx(ran.commits.tally.tokens, rel=0.35)


def test_the_same_sample_is_drawn_wherever_a_folder_lies(mill, tmp_path):
    """Objects are drawn by their keys below the source: what a plan says does not hang on where the folder is kept."""
    for place in ("in", "moved/far"):
        (tmp_path / place).mkdir(parents=True, exist_ok=True)
        for number in range(20):
            (tmp_path / place / f"{number}.pdf").write_bytes(b"%PDF-1.7")
    drawn = [
        [each.new.uri.rsplit("/", 1)[-1] for each in todo(job, sample=5, seed=3, backfill=False).drawn]
        for job in (mill.job(source=Source(uri=str(tmp_path / place))) for place in ("in", "moved/far"))
    ]
    assert drawn[0] == drawn[1]
    assert len(drawn[0]) == 5


@pytest.mark.slow
def test_a_sample_of_the_corpus_tells_what_the_run_does(mill):
    """From half of the corpus, the run's pages, requests and text layers lie within the intervals."""
    corpus = SHARED / "corpus" / "pdfplumber"
    if not corpus.is_dir():
        pytest.skip(f"no corpus under {corpus}: the plan is held against made-up documents only")
    job = mill.job(
        source=Source(uri=str(corpus), include=("**/*.pdf",)),
        render=Render(text_layer="prefer", ladder=(Rung(tiles="whitespace"),)),
    )
    plan = _plan(job, sample=26)
    ran = mill.run(job)
    shares = [row["text_source"] == "text_layer" for row in mill.rows()]
    assert plan.documents_looked_at == 26
    for estimate, actual in (
        (plan.pages, ran.pages),
        (plan.requests, ran.requests),
        (plan.with_text_layer, sum(shares) / len(shares)),
    ):
        assert estimate.low <= actual <= estimate.high


def test_the_command_keeps_its_plan_in_the_sink(tmp_path, machine):
    """`pagemill plan` prints words or JSON, asks no model, and leaves the plan where a report finds it, unless told not to."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.pdf").write_bytes(machine.pdf("one two three"))
    sink = tmp_path / "out"
    arguments = ["plan", str(tmp_path / "in"), "--sink", str(sink), "--quiet"]
    told = CliRunner().invoke(cli, [*arguments, "--price", "2.5", "--no-keep"], catch_exceptions=False)
    assert "pages       1\n" in told.output
    assert "at $2.50 an hour" in told.output
    assert not sink.exists()
    told = CliRunner().invoke(cli, [*arguments, "--json"], catch_exceptions=False)
    (kept,) = (sink / "_pagemill" / "plans").iterdir()
    assert json.loads(kept.read_text()) == json.loads(told.output)
    assert json.loads(told.output)["dollars"] is None


def test_an_empty_source_needs_nothing(tmp_path):
    """A folder without documents is nothing to do, not a failure."""
    (tmp_path / "in").mkdir()
    told = CliRunner().invoke(cli, ["plan", str(tmp_path / "in"), "--sink", str(tmp_path / "out"), "--quiet"])
    assert "nothing to do" in told.output


def test_larger_models_and_views_cost_more(tmp_path):
    """Checkpoints are known by name or by their configuration; what is not known is said to be taken for another."""
    names = ["google/paligemma2-3b-mix-448", "s3://models/paligemma2-10b", "google/paligemma2-28b-pt-896"]
    costs = [model_of(name)[0].operations(448, 1, 1, 10) for name in names]
    assert costs == sorted(costs)
    assert costs[0] == pytest.approx(
        5.4e12, rel=0.05
    )  # 2 · 2.0e9 parameters · 1036 tokens, 2 · 0.4e9 · 1024 of vision, attention
    assert model_of("google/paligemma-3b-mix-448")[0].name == "PaliGemma 3B"
    assert model_of("s3://models/mine")[1] is False
    model = model_of("embedded")[0]
    assert model.operations(448, 1, 1, 10) < costs[0] / 50
    assert model.operations(896, 1, 1, 10) > 4 * model.operations(448, 1, 1, 10)
    (tmp_path / "config.json").write_text(json.dumps({"text_config": {"num_hidden_layers": 13}}))
    assert model_of(str(tmp_path))[0].operations(448, 0, 0, 1) < model_of("x2-3b")[0].operations(448, 0, 0, 1)


def test_documents_out_of_reach_are_left_out(mill, machine):
    """A document that vanished between listing and looking is no page and no failure of the plan."""
    mill.put("a.pdf", machine.pdf("one two three"))
    gone = mill.put("b.pdf", machine.pdf("four five"))

    def watch(drawn):
        Path(gone).unlink(missing_ok=True)
        return drawn

    assert _plan(mill.job(), watch=watch).documents_looked_at == 1
