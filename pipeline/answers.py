"""A document's one answer to each field, where several of its pages may answer, and the rule that chose it.

Rules, the first that decides: a person's word ("human"); the only page that has a value ("only"); all pages that have one say the same
("agreed"); the value with the most confidence behind it, summed over the pages that say it, one half where none is known ("weight"); the
first page ("first"). Of the pages that say it, the surest stands for it. Where no page has a value ("none"), the row says why: what
was read but is invalid comes before what was rejected, and that before absence.

The rule stands here twice: for all rows of a sink at once, and for one document in the hands of a worker; a test holds both to the same answers.
"""

from collections.abc import Sequence
from typing import cast

import pyarrow as pa

from schemas.arrow import schema_of
from schemas.field import AnswerRow, FieldRow

_UNWEIGHED = 0.5

_CHOSEN = """
WITH said AS (
    SELECT *, coalesce(confidence, 0.5) AS weight, coalesce(value_source = 'human', false) AS is_human,
        CASE status WHEN 'ok' THEN 0 WHEN 'invalid' THEN 1 WHEN 'rejected' THEN 2 ELSE 3 END AS rank,
        concat_ws('/', value_number, value_date, value_bool, currency,
            if(coalesce(value_number::VARCHAR, value_date::VARCHAR, value_bool::VARCHAR) IS NULL,
                lower(regexp_replace(trim(value_text), '\\s+', ' ', 'g')), NULL)) AS meaning
    FROM fields
), value AS (
    SELECT source_id, name, meaning, bool_or(is_human) AS human, round(sum(weight), 9) AS support, count(*) AS pages_agreeing
    FROM said WHERE status = 'ok' GROUP BY ALL
), field AS (
    SELECT source_id, name, count(*) AS n_values, sum(pages_agreeing) AS pages_answering,
        bool_or(human) AS any_human, list(support ORDER BY support DESC) AS supports
    FROM value GROUP BY ALL
)
SELECT said.* EXCLUDE (weight, is_human, rank, meaning),
    CASE WHEN said.rank > 0 THEN 'none' WHEN any_human THEN 'human' WHEN pages_answering = 1 THEN 'only' WHEN n_values = 1 THEN 'agreed'
        WHEN supports[1] > supports[2] THEN 'weight' ELSE 'first' END AS rule,
    coalesce(pages_answering, 0)::BIGINT AS pages_answering, coalesce(pages_agreeing, 0)::BIGINT AS pages_agreeing
FROM said LEFT JOIN field USING (source_id, name)
LEFT JOIN value ON said.rank = 0 AND value.source_id = said.source_id AND value.name = said.name AND value.meaning = said.meaning
QUALIFY row_number() OVER (
    PARTITION BY said.source_id, said.name ORDER BY said.rank, is_human DESC, support DESC NULLS LAST, weight DESC, said.page_index) = 1
ORDER BY source_uri, name
"""


def answers(fields: pa.Table) -> pa.Table:
    """Return one row a document and field, of rows of fields/."""
    import duckdb  # workers, which choose for a document at a time, need none

    with duckdb.connect() as connection:
        connection.register("fields", fields)
        found = cast("pa.Table", connection.sql(_CHOSEN).to_arrow_table())
    schema = schema_of(AnswerRow)
    return found.select(schema.names).cast(schema)


def agreeing(rows: Sequence[FieldRow]) -> tuple[int, ...]:
    """Return which rows of one field of a document, by their positions, say what the document answers; rows come by page. None without a value."""
    said = [(at, row) for at, row in enumerate(rows) if row.status == "ok"]
    support: dict[tuple[object, ...], float] = {}
    for _, row in said:
        support[_meaning(row)] = support.get(_meaning(row), 0.0) + _weight(row)
    by_hand = [(at, row) for at, row in said if row.value_source == "human"]
    best = min(
        by_hand or said, key=lambda each: (-round(support[_meaning(each[1])], 9), -_weight(each[1]), each[0]), default=None
    )
    return tuple(at for at, row in said if best and _meaning(row) == _meaning(best[1]))


def _weight(row: FieldRow) -> float:
    return _UNWEIGHED if row.confidence is None else row.confidence


def _meaning(row: FieldRow) -> tuple[object, ...]:
    """Return what makes two values the same: what they mean, or without that their words, case and spaces aside."""
    typed = (row.value_number, row.value_date, row.value_bool)
    words = " ".join((row.value_text or "").lower().split()) if typed == (None, None, None) else None
    return (*typed, row.currency, words)
