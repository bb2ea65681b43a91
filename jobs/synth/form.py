"""Forms that someone filled in: boxes, lines or rows with a label each, yes-and-no boxes to tick, a signature.

A form may leave an entry empty: its label is there, its value is not, and the answer is absent.
"""

from dataclasses import dataclass, replace
from random import Random
from typing import Literal

from jobs.synth import names
from jobs.synth.blocks import Question
from jobs.synth.canvas import Canvas, around, shorten
from jobs.synth.entries import ENTRIES, Entry, value_for
from jobs.synth.faces import Face, Pen
from jobs.synth.labels import label
from jobs.synth.locales import Language, Locale, a_date, boolean, date_writer, string
from jobs.synth.marks import logo, signature, stamp, tick
from jobs.synth.style import Style
from pipeline.documents.cells import html_of
from schemas.box import Box
from schemas.table import Cell, Table

_YES = {"en": ("Yes", "No"), "de": ("Ja", "Nein"), "fr": ("Oui", "Non"), "es": ("Sí", "No")}
_TITLES: dict[Language, tuple[str, ...]] = {
    "en": ("Application Form", "Registration", "Membership Form", "Claim Form", "Visitor Record", "Order of Service"),
    "de": ("Antrag", "Anmeldung", "Aufnahmeantrag", "Schadensmeldung", "Besucherbogen"),
    "fr": ("Formulaire", "Inscription", "Demande", "Déclaration", "Fiche de visite"),
    "es": ("Solicitud", "Inscripción", "Formulario", "Declaración", "Ficha de visita"),
}
_DATED: dict[Language, str] = {"en": "Date", "de": "Datum", "fr": "Date", "es": "Fecha"}
_SIGNED: dict[Language, str] = {"en": "Signature", "de": "Unterschrift", "fr": "Signature", "es": "Firma"}


NUMBER = Question("form_number", "what is the form number?")
SIGNING_DATE = Question("signing_date", "when was the form signed?", "date")

_SPLIT = 0.42
"""Where values begin beside their labels, as a share of the room."""
Setting = Literal["boxes", "lines", "rows"]


@dataclass(frozen=True, slots=True)
class _Hand:
    """How one form is set and filled: the setting of its entries, the pen of its labels and that of its values."""

    setting: Setting
    printed: Pen
    filled: Pen
    height: float

    @classmethod
    def draw(cls, rng: Random, style: Style) -> "_Hand":
        setting: Setting = rng.choice(("boxes", "lines", "rows"))
        family = rng.choice((style.family, style.family, "mono"))
        filled = Pen(Face(family, rng.random() < 0.2), style.size, rng.choice(((0, 0, 0), (0.05, 0.1, 0.4))))
        printed = style.small if setting == "boxes" else style.body
        return cls(setting, printed, filled, style.size * {"boxes": 2.9, "lines": 2.1, "rows": 1.8}[setting])


def draw(rng: Random, place: Locale) -> tuple[Canvas, ...]:
    """Draw a form of one page."""
    style = Style.draw(rng)
    canvas, hand = style.sheet(), _Hand.draw(rng, style)
    y = _head(rng, canvas, style, place) + style.leading
    room = int((style.bottom - y - 7 * style.leading) / (hand.height + 0.4 * style.size))
    entries = rng.sample(ENTRIES, min(len(ENTRIES), rng.randrange(4, 13), room * 2))
    y = _entries(rng, canvas, y, entries, hand, style, place) + style.leading
    for entry in rng.sample([entry for entry in ENTRIES if entry not in entries], min(2, len(ENTRIES) - len(entries))):
        entry.question.absent(canvas)
    _signing(rng, canvas, y, style, hand, place)
    return (canvas,)


def _head(rng: Random, canvas: Canvas, style: Style, place: Locale) -> float:
    y = style.margin
    if rng.random() < 0.35:
        size = rng.uniform(24, 36)
        logo(rng, canvas, style.right - size, y, size, style.accent)
    title = rng.choice(_TITLES[place.language])
    box = canvas.text(style.left, y, title, style.title)
    canvas.label("title", box)
    y = box.y1 + 0.4 * style.leading
    if rng.random() < 0.7:
        code = names.code(rng, rng.choice(("F-###", "AA ##-##", "####/A")))
        parts = ((rng.choice(("No. ", "Form ", "# ")), style.body), (code, style.strong))
        NUMBER.answered(canvas, string(code), canvas.run(style.left, y, parts)[1])
        y += style.leading
    else:
        NUMBER.absent(canvas)
    return y


def _entries(rng: Random, canvas: Canvas, y: float, entries: list[Entry], hand: _Hand, style: Style, place: Locale) -> float:
    """Write the entries in one column or two; return the bottom."""
    columns = 1 if hand.setting == "rows" or len(entries) < 6 or rng.random() < 0.4 else 2
    gap = 1.2 * style.size
    width = (style.width - gap * (columns - 1)) / columns
    cells: list[Cell] = []
    for index, entry in enumerate(entries):
        x, before = style.left + (width + gap) * (index % columns), len(canvas.lines)
        room = Box(x0=x, y0=y, x1=x + width, y1=y + hand.height)
        _one(rng, canvas, room, entry, hand, place)
        if hand.setting == "rows":
            cells += _row(canvas, index, room, [line.text for line in canvas.lines[before:]])
        if index % columns == columns - 1 or index == len(entries) - 1:
            y += hand.height + (0.0 if hand.setting == "rows" else 0.4 * style.size)
    if cells:
        box = around([cell.box for cell in cells if cell.box])
        canvas.table(
            Table(table_index=0, n_rows=len(entries), n_cols=2, box=box, html=html_of(cells, len(entries)), cells=tuple(cells))
        )
    return y


def _row(canvas: Canvas, index: int, room: Box, texts: list[str]) -> list[Cell]:
    """Frame an entry as a row of two cells, and return them: its label, and what is filled in."""
    middle = room.x0 + _SPLIT * room.width
    boxes = [room.model_copy(update={"x1": middle}), room.model_copy(update={"x0": middle})]
    for box in boxes:
        canvas.rectangle(box, stroke=(0.4, 0.4, 0.4), width=0.6)
    return [
        Cell(row_index=index, col_index=0, text=texts[0], box=boxes[0]),
        Cell(row_index=index, col_index=1, text=" ".join(texts[1:]), box=boxes[1]),
    ]


def _one(rng: Random, canvas: Canvas, room: Box, entry: Entry, hand: _Hand, place: Locale) -> None:
    """Write one entry into its room, and record the answer."""
    name = rng.choice(entry.labels[place.language])
    size = hand.filled.size
    if hand.setting == "boxes":
        canvas.rectangle(room, stroke=(0.35, 0.35, 0.35), width=0.7)
        canvas.text(room.x0 + 3, room.y0 + 2, shorten(name, hand.printed, room.width - 6), hand.printed)
        x, top = room.x0 + 4, room.y1 - size - 3
    else:
        canvas.text(room.x0 + 3, room.y1 - size - 4, shorten(name, hand.printed, 0.4 * room.width), hand.printed)
        x, top = room.x0 + _SPLIT * room.width + 4, room.y1 - size - 4
        if hand.setting == "lines":
            canvas.rule(x - 2, room.y1 - 1.5, room.x1, room.y1 - 1.5, 0.6)
    if entry.question.kind == "boolean":
        _ticks(rng, canvas, x, top, entry, hand, place)
    elif rng.random() < 0.12:
        entry.question.absent(canvas)
    else:
        value = value_for(rng, entry, place, hand.filled, room.x1 - x - 2)
        entry.question.answered(canvas, value, canvas.text(x, top, value.value_text or "", hand.filled))


def _ticks(rng: Random, canvas: Canvas, x: float, top: float, entry: Entry, hand: _Hand, place: Locale) -> None:
    """Write yes and no, a box before each, one of them ticked, neither now and then."""
    pen = replace(hand.filled, face=hand.printed.face, colour=(0, 0, 0))
    answer = rng.choice((True, True, False, False, None))
    for text, is_yes in zip(_YES[place.language], (True, False), strict=True):
        tick(rng, canvas, x, top + 0.05 * pen.size, 0.85 * pen.size, on=answer is is_yes)
        box = canvas.text(x + 1.2 * pen.size, top, text, pen)
        if answer is is_yes:
            entry.question.answered(canvas, boolean(text, value=is_yes), box)
        x = box.x1 + 1.5 * pen.size
    if answer is None:
        entry.question.absent(canvas)


def _signing(rng: Random, canvas: Canvas, y: float, style: Style, hand: _Hand, place: Locale) -> None:
    """Leave the date and the signature over lines with their labels, and a stamp now and then."""
    base, half = y + 3.2 * style.size, style.left + 0.5 * style.width
    day = date_writer(rng, place)(a_date(rng))
    if rng.random() < 0.85:
        box = canvas.text(style.left + 2, base - style.size - 2, day.value_text or "", hand.filled)
        SIGNING_DATE.answered(canvas, day, box)
    else:
        SIGNING_DATE.absent(canvas)
    if rng.random() < 0.85:
        signature(rng, canvas, half + 4, base - 2.6 * style.size, rng.uniform(70, 110), 2.4 * style.size)
    canvas.rule(style.left, base, style.left + 0.35 * style.width, base, 0.6)
    canvas.rule(half, base, style.right, base, 0.6)
    canvas.text(style.left, base + 2, _DATED[place.language], style.small)
    canvas.text(half, base + 2, _SIGNED[place.language], style.small)
    if rng.random() < 0.3:
        stamp(rng, canvas, style.left + style.width * 0.3, base + 2.2 * style.size, label(rng, "paid", place.language), "")
