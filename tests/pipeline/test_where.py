"""`rerun --where`: an expression over pages and fields chooses the pages that are read once more."""

import pytest

from pipeline.errors import JobError
from pipeline.reader import read
from pipeline.serving import Serving
from pipeline.where import checked, pages_where


@pytest.fixture
def read_once(mill, machine):
    """Return a sink of two pages whose totals were read, the first of them hardly surely."""
    mill.put("a.pdf", machine.pdf("one one one", "two two two"))

    def say(request):
        logprob = -2.0 if request.view.page_index == 0 else -0.001
        return machine.Completion("INV-0042", (1, 2, 3), (logprob,) * 3, "stop")

    job = mill.job(machine.answer("total", "date"))
    mill.run(job, serving=lambda job: Serving(job.model, 448, lambda _model, resolution: machine.TinyEngine(say, resolution)))
    return mill


def chosen(mill, where: str) -> list[int]:
    return pages_where(mill.sink_uri, where)["page_index"].to_pylist()


def test_pages_are_chosen_by_what_is_known_of_them_and_their_fields(read_once):
    """Each page once, however many of its fields are meant; of a column that both have, the page's is meant."""
    unsure, sure = (read_once.field("a.pdf", "total", page)["confidence"] for page in (0, 1))
    assert unsure < sure
    assert chosen(read_once, f"confidence < {(unsure + sure) / 2}") == [0]
    assert chosen(read_once, "name = 'date' AND value_text LIKE 'INV%'") == [0, 1]
    assert chosen(read_once, "status = 'ok' AND page_index > 0") == [1]
    assert chosen(read_once, "confidence > 2") == []


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("confidense < 0.7", 'column "confidense" not found.*"confidence"'),
        ('status = "ok"', "Text stands in 'single quotes'"),
        ("value_text = 'O'Brien'", "unterminated"),
        ("confidence <", "syntax error"),
        ("1; DROP TABLE pages", "more than one statement"),
        ("true) UNION SELECT page_id, 1 FROM pages WHERE (true", "syntax error"),
        ("length(content) > 0 FROM read_text('x')", "FROM clause"),
        ("confidence < 0,7", "single expression"),
        ("confidence", "neither true nor false"),
        ("sum(confidence) > 1", "aggregate"),
        ("", "selection list"),
    ],
)
def test_what_is_no_expression_is_refused_by_name(where, said):
    """With DuckDB's own words and the columns that may be meant, before a sink is looked at."""
    with pytest.raises(JobError, match=f"(?s)^where .*{said}"):
        checked(where)


def test_of_a_column_that_both_have_the_field_s_can_be_meant(read_once):
    """`fields.status` is the field's and `pages.status` the page's; a subquery may look at either dataset."""
    assert chosen(read_once, "fields.status = 'ok' AND pages.status = 'ok' AND page_index = 1") == [1]
    assert chosen(read_once, "fields.status = 'invalid'") == []
    assert chosen(read_once, "confidence = (SELECT min(confidence) FROM fields)") == [0]
    assert chosen(read_once, "COLUMNS('confidence') < 2") == [0, 1]


def test_files_stay_closed(read_once, tmp_path):
    """An expression that would look into a file is refused, whatever it asks of it."""
    (tmp_path / "secret.txt").write_text("secret")
    with pytest.raises(JobError, match="where"):
        chosen(read_once, f"(SELECT count(*) FROM read_text('{tmp_path}/secret.txt')) > 0")


def test_columns_can_be_read_alone(read_once):
    """In the order they are named in, from either dataset and from the answers; one that is not there is refused by name."""
    assert read(read_once.sink_uri, "pages", columns=["status", "source_uri"]).column_names == ["status", "source_uri"]
    assert read(read_once.sink_uri, "answers", columns=["name", "rule"]).column_names == ["name", "rule"]
    with pytest.raises(JobError, match="no column is called txt; there are page_id"):
        read(read_once.sink_uri, "pages", columns=["txt"])
