"""An evaluation's word on confidence, in a report."""

import pytest

from jobs.evaluate.reliability import reliability
from jobs.evaluate.report import Report
from jobs.report.build import build
from jobs.report.trust import trust_in
from pipeline.errors import JobError


@pytest.fixture
def evaluation(tmp_path):
    """Return what `evaluate --json` says of four answers, the surest three of them right."""
    found = reliability([0.9, 0.8, 0.7, 0.2], [True, True, True, False])
    report = Report(
        sink_uri="s",
        labels_uri="l",
        form="labels",
        resamples=1,
        seed=0,
        pages=1,
        documents=1,
        left_out=(),
        scores=(),
        confidence=found,
    )
    path = tmp_path / "evaluation.json"
    path.write_text(report.model_dump_json())
    return path


def test_a_report_shows_how_far_confidence_can_be_trusted(small, look, evaluation, tmp_path):
    """Risk against coverage and right ones against confidence are drawn, each point with its figures."""
    page = look(build(small, tmp_path / "report", picture_limit=0, is_one_file=True, evaluation=evaluation).index)
    text = page.inner_text("main")
    assert "Risk and coverage of field values" in text
    assert "AUC 1.000" in text
    assert page.locator("polyline.curve").count() == 2
    labels = page.locator("svg[aria-label*=surest]").get_attribute("aria-label")
    assert labels.endswith("surest 75%: 0.0% wrong; surest 100%: 25.0% wrong")


def test_lines_are_told_apart_from_values(evaluation):
    """Each has curves of its own where labels tell, and an evaluation of text alone has only those of lines."""
    report = Report.model_validate_json(evaluation.read_text())
    both = report.model_copy(update={"lines": report.confidence})
    evaluation.write_text(both.model_dump_json())
    assert [each.what for each in trust_in(evaluation)] == ["field values", "lines"]
    evaluation.write_text(both.model_copy(update={"confidence": None}).model_dump_json())
    assert [each.what for each in trust_in(evaluation)] == ["lines"]


@pytest.mark.parametrize("text", ["{}", "not json", "without confidence"])
def test_a_file_that_says_nothing_of_it_is_refused(evaluation, text):
    """The error names the file, and the command that writes one where it is none."""
    if text == "without confidence":
        text = Report.model_validate_json(evaluation.read_bytes()).model_copy(update={"confidence": None}).model_dump_json()
    evaluation.write_text(text)
    with pytest.raises(JobError, match=r"evaluation\.json"):
        trust_in(evaluation)
