"""Documents that ship, read by the checkpoint that ships: off their pictures, tile by tile, never from their text layers."""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from jobs.evaluate.boxes import ENOUGH, overlaps
from jobs.evaluate.text import character_errors
from jobs.train.asked import LABELS
from jobs.train.scores import boxes, score
from pipeline.documents.document import open_document
from pipeline.documents.padding import padded
from pipeline.documents.picture import Pixels
from pipeline.documents.tiles import grid
from pipeline.engines.base import Engine
from pipeline.engines.reader import read
from pipeline.engines.start import start
from pipeline.tasks import table
from schemas.job import Limits, Model
from schemas.truth import DocumentTruth
from schemas.view import Completion, Request, View

DOCUMENTS = Path(__file__).parents[2] / "jobs" / "examples" / "documents"
RESOLUTION, MOST_TOKENS = 448, 400
Tiles = list[tuple[str, Completion]]


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # more only wait for each other on a busy machine
    started = start(Model(dtype="float32"), RESOLUTION)
    yield started
    started.close()
    torch.set_num_threads(threads)


def tiles(engine: Engine, name: str, spoiled: Callable[[Pixels], Pixels] = lambda image: image, prompt: str = "ocr") -> Tiles:
    """Return what each tile of a document's first page truly shows, and what the checkpoint said of it, or of its picture spoiled."""
    path = DOCUMENTS / name
    truth = DocumentTruth.model_validate_json((DOCUMENTS / f"{path.stem}.truth.json").read_bytes()).pages[0]
    regions = grid(truth.width_pt, truth.height_pt, RESOLUTION)
    if prompt == table.PROMPT:
        regions = [region.padded() for region in regions]
    document = open_document(path, Limits(), ())
    try:
        images = list(document.render(0, [region.frame for region in regions], RESOLUTION))
    finally:
        document.close()
    views = [View("", 0, region, spoiled(padded(image, region))) for region, image in zip(regions, images, strict=True)]
    answers = engine.generate([Request(view, prompt, MOST_TOKENS) for view in views])
    known = [read(truth, region.affine, prompt, frame=region.frame) or "" for region in regions]
    return list(zip(known, answers, strict=True))


def error_rate(read_tiles: Tiles) -> float:
    """Return the page's character error rate: edits over true characters."""
    errors = [character_errors(answer.text, true) for true, answer in read_tiles]
    return sum(edits for edits, _ in errors) / sum(count for _, count in errors)


def lines_read(read_tiles: Tiles) -> set[str]:
    """Return the lines that the checkpoint wrote and that the same tile truly has."""
    return {line for true, answer in read_tiles for line in set(true.split("\n")) & set(answer.text.split("\n"))}


@pytest.mark.parametrize(
    ("name", "most", "lines"),
    [
        (
            "letter.jp2",
            0.05,
            {
                *("2016-12-22", "Zeichen: 61-950-C", "Guten Tag Otto Staiör,", "über das neue Verfahren.", "voller Briefe."),
                *("Viele Grüße", "Rüdiger Lissdoulür", "Pause sprach Wiebke Quokard"),
            },
        ),
        (
            "statement.pdf",
            0.07,
            {
                *("13 April 2019", "Folding mirror 27 ml", "Large wrench", "3,150.08", "6,053.89", "6,976.54"),
                *("20 May 2019", "Steel bucket", "Round label B90", "List no.: 3859818"),
            },
        ),
        (
            "invoice.pdf",
            0.04,
            {
                *("INVOICE", "Chuss Ltd", "Wouckbrion plc", "Blue clamp", "Spare hose", "205.24", "Grand total", "€17,790.51"),
                *("123 Kiodeapbass Street", "Tax 19%", "Paula Reengwio", "€3,380.20", "€21,170.71"),
            },
        ),
        (
            "invoice-rotated.pdf",
            0.02,
            {
                "Chornkoustoud Paper plc",
                "Dora X. Kaicou",
                "BU-8319",
                "Apr 26, 2024",
                "216 Weavougrail Road",
                "$9,834.24",
                "$1,868.51",
                "$11,702.75",
            },
        ),
        ("invoice-scan.pdf", 0.045, {"Rechnung", "14.04.2026", "Margit W. Feashong", "Stahl Umschlag", "208,34", "541,02 €"}),
        (
            "receipt-photo.jpg",
            0.09,
            {"Skesho Print Ltd", "Receipt: 2238-91", "Date: 04 Oct 2025", "Salad 3 x 3.75", "£425.59", "£38.69"},
        ),
        ("receipt.png", 0.01, {"Jeajewee Optics plc", "Receipt: 701218", "Date: November 28, 2026", "Soup 3 x 5.00", "$70.97"}),
    ],
)
def test_a_page_is_read_off_its_picture(engine, name, most, lines) -> None:
    """No more characters are wrong than were measured, with a little room, and what was right then is right: dates, amounts, names."""
    found = tiles(engine, name)
    assert error_rate(found) <= most
    assert lines <= lines_read(found)
    assert all(answer.finish_reason == "stop" for _, answer in found)


@pytest.mark.parametrize(
    ("name", "question", "value"),
    [
        ("article.pdf", "what is the date?", "13 May 2022"),
        ("statement.pdf", "what is the date?", "17 June 2019"),
        ("invoice.pdf", "who sent the invoice?", "Chuss Ltd"),
        ("invoice.pdf", "what is the invoice number?", "181535"),
        ("invoice.pdf", "what is the date?", "13 October 2026"),
        ("invoice.pdf", "what is the subtotal?", "€17,790.51"),
        ("invoice.pdf", "what is the tax?", "€3,380.20"),
        ("invoice.pdf", "what is the total?", "€21,170.71"),
        ("invoice.pdf", "what is the due date?", "27 November 2026"),
        ("invoice.pdf", "who is billed?", "Wouckbrion plc"),
        ("invoice-rotated.pdf", "who is billed?", "Dora X. Kaicou"),
        ("invoice-rotated.pdf", "what is the date?", "Apr 26, 2024"),
        ("invoice-rotated.pdf", "what is the order number?", "SD467"),
        ("invoice-rotated.pdf", "what is the subtotal?", "$9,834.24"),
        ("invoice-rotated.pdf", "what is the total?", "$11,702.75"),
        ("invoice-rotated.pdf", "who sent the invoice?", "Chornkoustoud Paper plc"),
        ("invoice-rotated.pdf", "what is the invoice number?", "BU-8319"),
        ("invoice-rotated.pdf", "what is the tax?", "$1,868.51"),
        ("invoice-scan.pdf", "who sent the invoice?", "Bresfeaül Bürobedarf GmbH"),
        ("invoice-scan.pdf", "what is the date?", "14.04.2026"),
        ("invoice-scan.pdf", "what is the subtotal?", "450,85 €"),
        ("invoice-scan.pdf", "who is billed?", "Margit W. Feashong"),
        ("invoice-scan.pdf", "what is the invoice number?", "PX-1320"),
        ("invoice-scan.pdf", "what is the total?", "541,02 €"),
        ("form.pdf", "what is the form number?", "DX 90-92"),
        ("form.pdf", "when was the form signed?", "11 February 2020"),
        ("letter.jp2", "what is the date?", "2016-12-22"),
        ("letter.jp2", "who signed the letter?", "Rüdiger Lissdoulür"),
        ("letter.jp2", "what is the reference?", "61-950-C"),
        ("receipt-photo.jpg", "what is the time of purchase?", "12:28"),
        ("receipt-photo.jpg", "how much cash was given?", "£430.00"),
        ("receipt-photo.jpg", "what is the receipt number?", "2238-91"),
        ("receipt-photo.jpg", "what is the total?", "£425.59"),
        ("receipt-photo.jpg", "what is the tax?", "£38.69"),
        ("receipt-photo.jpg", "what is the name of the store?", "Skesho Print Ltd"),
        ("receipt-photo.jpg", "what is the date?", "04 Oct 2025"),
        ("receipt-photo.jpg", "how many items were bought?", "21"),
        ("receipt.png", "what is the name of the store?", "Jeajewee Optics plc"),
        ("receipt.png", "what is the total?", "$70.97"),
        ("receipt.png", "what is the date?", "November 28, 2026"),
        ("receipt.png", "what is the receipt number?", "701218"),
        ("receipt.png", "what is the time of purchase?", "12:17"),
        ("receipt.png", "how many items were bought?", "7"),
        ("statement-fax.tif", "what is the date?", "23 Jan 2015"),
    ],
)
def test_a_value_is_found_where_it_stands(engine, name, question, value) -> None:
    """Asked of the tile that shows it, the checkpoint gives the value letter by letter: of two in three, as its card says, and of these."""
    found = tiles(engine, name, prompt=f"answer en {question}")
    assert [answer.text for true, answer in found if true == value] == [value]


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("article.pdf", ["title"]),
        ("form.pdf", ["table", "table", "title"]),
        ("invoice.pdf", ["table", "title", "total"]),
        ("invoice-rotated.pdf", ["logo", "title"]),
        ("invoice-scan.pdf", ["logo", "table", "total"]),
        ("receipt.png", ["logo", "table", "title"]),
        ("receipt-photo.jpg", ["logo", "table", "title", "total"]),
        ("statement.pdf", ["logo", "table", "title"]),
        ("statement-fax.tif", ["logo", "table", "table", "title"]),
    ],
)
def test_a_thing_is_found_where_it_stands(engine, name, labels) -> None:
    """A box of the right label covers these things by more than half, each in the tile that shows it: places turned or exchanged would not."""
    prompt = f"detect {' ; '.join(LABELS)}"
    found = []
    for true, answer in tiles(engine, name, prompt=prompt):
        wanted, said = boxes(true), boxes(answer.text)
        found += [item.label for item, share in zip(wanted, overlaps(said, wanted), strict=True) if share > ENOUGH]
    assert Counter(labels) <= Counter(found)


@pytest.mark.parametrize(
    ("name", "right"),
    [("invoice.pdf", {1, 2}), ("invoice-rotated.pdf", {1}), ("invoice-scan.pdf", {1}), ("receipt-photo.jpg", {0, 1})],
)
def test_a_table_is_read_cell_by_cell(engine, name, right) -> None:
    """What these tiles show of it has the rows, columns and words of the truth, but for a letter or two, as TEDS tells."""
    scores = [score("table", [(answer.text, true)])[0].value for true, answer in tiles(engine, name, prompt=table.PROMPT)]
    assert right <= {index for index, value in enumerate(scores) if value > 0.95}


@pytest.mark.parametrize("spoiled", [np.fliplr, lambda image: 255 - image])
def test_a_picture_drawn_wrongly_shows_in_its_words(engine, spoiled) -> None:
    """Mirrored or in negative, a page is misread: the checkpoint reads what it is shown and nothing that it remembers."""
    assert error_rate(tiles(engine, "letter.jp2", lambda image: np.ascontiguousarray(spoiled(image)))) > 0.75
