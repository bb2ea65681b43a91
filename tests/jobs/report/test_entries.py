"""From rows to what is shown: quality puts the worst first, and the machine's words hold no secrets."""

import pytest

from jobs.report.entries import page_entry
from pipeline.redact import HIDDEN, redact
from pipeline.witness import agreement


def test_the_words_of_both_are_agreement(make):
    """Of seven words, four are shared; what one side alone has is named."""
    entry = page_entry(make("page", "s", agreement=agreement("a b b c", "b a d")), ())
    assert entry.agreement
    assert entry.agreement.score == pytest.approx(2 * 2 / 7, abs=1e-4)
    assert (entry.agreement.only_model, entry.agreement.only_layer) == (("b", "c"), ("d",))


def test_quality_orders_pages_by_what_is_wrong(make):
    """Failed, in part, with a value that does not hold, with an unsure one, and nothing wrong: in that order."""
    page = make("page", "s")
    bad, unsure = make("field", page, "f", status="invalid"), make("field", page, "f", confidence=0.7)
    entries = [
        page_entry(make("page", "s", status="failed"), ()),
        page_entry(make("page", "s", status="partial"), (bad,)),
        page_entry(page, (bad,)),
        page_entry(page, (unsure,)),
        page_entry(page, ()),
    ]
    assert [entry.quality for entry in entries] == [0.0, 0.2, 0.4, 0.7, 1.0]


def test_what_is_shown_is_what_rows_hold(make):
    """Text, places, values with their meaning, tables and answers are there; the text layer's witness is not an answer."""
    rows = make("rich", "s")
    entry = page_entry(rows.page, rows.fields)
    assert [line.rect for line in entry.lines] == [(20, 30, 90, 44), (20, 50, 100, 64)]
    assert entry.text is None
    assert [(field.raw, field.meaning) for field in entry.fields] == [("40.00", "40.00 EUR"), ("99/99", None)]
    assert [cell.text for cell in entry.tables[0].cells] == ["Total", "40.00"]
    assert [item.task for item in entry.asked] == ["ocr"]
    assert entry.asked[0].odds == pytest.approx(0.9048)
    assert entry.agreement
    assert entry.agreement.only_layer == ("40.99",)


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("https://b.example/k?a=1&X-Amz-Signature=00ff11&X-Amz-Credential=AK%2Fx", "00ff11"),
        ("https://b.example/k?sv=2020&sig=Zm9v%3D&se=2026", "Zm9v"),
        ("https://me:hunter2@store.example/x", "hunter2"),
        ("s3 said no to AKIAABCDEFGHIJKLMNOP", "AKIAABCDEFGHIJKLMNOP"),
        ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG", "wJalr"),
        ("Authorization: Bearer abc.def.ghi123", "abc.def"),
        ("password=correct-horse", "correct-horse"),
        ("token hf_abcdefghijklmnopqrstuvwx", "hf_abc"),
    ],
)
def test_secrets_are_hidden(text, secret):
    """Presigned addresses, credentials in them, keys and passwords are replaced, and the rest stays."""
    assert secret not in redact(text)
    assert HIDDEN in redact(text)
    assert redact(text).split("/")[0].split(" ")[0].split("=")[0] == text.split("/")[0].split(" ")[0].split("=")[0]


@pytest.mark.parametrize(
    "text",
    [
        "s3://bucket/in/a b.pdf",
        "the document is encrypted; name its password in source.passwords",
        "https://example.com/a?page=2",
    ],
)
def test_what_is_no_secret_stays(text):
    """Names, addresses and advice are shown as they are."""
    assert redact(text) == text


def test_what_only_says_what_was_looked_at_is_told_from_a_place(make):
    """A tile's box and a whole page's are shown only while they are lit, as they would hide what stands there."""
    rows = make("rich", "s")
    line, known = rows.page.lines
    page = rows.page.model_copy(update={"lines": (line.model_copy(update={"box_source": "tile"}), known)})
    fields = (rows.fields[0].model_copy(update={"box_source": "page"}), *rows.fields[1:])
    entry = page_entry(page, fields)
    assert [line.rough for line in entry.lines] == [True, False]
    assert [field.rough for field in entry.fields] == [True, False]
