"""Invoices: a head in one of four arrangements, lines of goods, and what is to be paid.

The sums are right: quantity times price is the line, the lines make the subtotal, the tax is rounded on it.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from random import Random

from jobs.synth import names
from jobs.synth.blocks import Named, Question, address, foot, named_values, signed
from jobs.synth.canvas import Canvas, around, shorten
from jobs.synth.grid import Column, Look, draw_table
from jobs.synth.labels import label
from jobs.synth.locales import Locale, MoneyWriter, a_date, date_writer, money_writer, number, string
from jobs.synth.marks import logo, stamp
from jobs.synth.style import Style
from schemas.box import Box
from schemas.field import FieldValue

NUMBER = Question("number", "what is the invoice number?")
DATE = Question("date", "what is the date?", "date")
DUE = Question("due_date", "what is the due date?", "date")
ORDER = Question("order_number", "what is the order number?")
SUPPLIER = Question("supplier", "who sent the invoice?")
CUSTOMER = Question("customer", "who is billed?")
SUBTOTAL = Question("subtotal", "what is the subtotal?", "money")
TAX = Question("tax", "what is the tax?", "money")
TOTAL = Question("total", "what is the total?", "money")

_NUMBERS = ("######", "AA-####", "INV-#####", "20##-####", "A###/##", "##.####.#")


@dataclass(frozen=True, slots=True)
class _Item:
    code: str
    text: str
    quantity: int
    price: Decimal

    @property
    def amount(self) -> Decimal:
        return self.quantity * self.price


def draw(rng: Random, place: Locale) -> tuple[Canvas, ...]:
    """Draw an invoice of one page."""
    style = Style.draw(rng)
    canvas = style.sheet()
    y = _head(rng, canvas, style, place) + style.leading
    items = [_item(rng, place) for _ in range(rng.randrange(1, 10 if style.page[1] > 700 else 6))]
    y = _sums(rng, canvas, y, style, place, items, money_writer(rng, place)) + style.leading
    for note in _notes(rng, place):
        y = canvas.paragraph(style.left, y, style.width, note, style.body) + 0.5 * style.leading
    _marks(rng, canvas, y, style, place)
    if rng.random() < 0.4:
        foot(canvas, f"{names.company(rng, place.language)} - {names.code(rng, 'AA ### ### ##')}", style)
    return (canvas,)


def _head(rng: Random, canvas: Canvas, style: Style, place: Locale) -> float:
    supplier = names.company(rng, place.language)
    title, arrangement = label(rng, "invoice", place.language), rng.randrange(4)
    half = style.left + style.width * 0.55
    if arrangement == 0:  # the sender at the left, title and numbers at the right
        y = _sender(rng, canvas, (style.left, style.margin), style.width * 0.5, supplier, style, place)
        right = _title(canvas, half, style.margin, title, style) + 0.5 * style.leading
        right = named_values(rng, canvas, (half, right), style.right - half, _meta(rng, canvas, place), style)
        return _customer(rng, canvas, (style.left, max(y, right) + style.leading), style.width, style, place)
    if arrangement == 1:  # the title first, the sender at the right
        y = _title(canvas, style.left, style.margin, title, style) + style.leading
        left = named_values(rng, canvas, (style.left, y), style.width * 0.5, _meta(rng, canvas, place), style)
        right = _sender(rng, canvas, (half, y), style.right - half, supplier, style, place)
        return _customer(rng, canvas, (style.left, max(left, right) + style.leading), style.width, style, place)
    y = _sender(rng, canvas, (style.left, style.margin), style.width, supplier, style, place) + 0.5 * style.leading
    canvas.rule(style.left, y, style.right, y, 1.0, style.accent)
    y = _title(canvas, style.left, y + 0.7 * style.leading, title, style) + 0.7 * style.leading
    if arrangement == 2:  # customer and numbers side by side below
        left = _customer(rng, canvas, (style.left, y), style.width * 0.5, style, place)
        return max(left, named_values(rng, canvas, (half, y), style.right - half, _meta(rng, canvas, place), style))
    y = named_values(rng, canvas, (style.left, y), style.width, _meta(rng, canvas, place), style)
    return _customer(rng, canvas, (style.left, y + 0.5 * style.leading), style.width, style, place)


def _title(canvas: Canvas, x: float, y: float, text: str, style: Style) -> float:
    box = canvas.text(x, y, text, style.title)
    canvas.label("title", box)
    return box.y1


def _sender(
    rng: Random, canvas: Canvas, at: tuple[float, float], width: float, supplier: str, style: Style, place: Locale
) -> float:
    x, y = at
    if rng.random() < 0.6:
        size = rng.uniform(26, 44)
        logo(rng, canvas, x, y, size, style.accent)
        y += size + 0.5 * style.leading
    shown = shorten(supplier, style.subtitle, width)
    box = canvas.text(x, y, shown, style.subtitle)
    SUPPLIER.answered(canvas, string(shown), box)
    return address(rng, canvas, (x, box.y1 + 0.3 * style.size), supplier, style, place.language)


def _customer(rng: Random, canvas: Canvas, at: tuple[float, float], width: float, style: Style, place: Locale) -> float:
    x, y = at
    canvas.text(x, y, label(rng, "billed", place.language), style.strong)
    customer = names.company(rng, place.language) if rng.random() < 0.6 else names.person(rng, place.language)
    shown = shorten(customer, style.body, width)
    box = canvas.text(x, y + style.leading, shown, style.body)
    CUSTOMER.answered(canvas, string(shown), box)
    return address(rng, canvas, (x, y + 2 * style.leading), customer, style, place.language)


def _meta(rng: Random, canvas: Canvas, place: Locale) -> list[Named]:
    write, day = date_writer(rng, place), a_date(rng)
    number_text = names.code(rng, rng.choice(_NUMBERS))
    values: list[Named] = [
        (label(rng, "number", place.language), string(number_text), NUMBER),
        (label(rng, "date", place.language), write(day), DATE),
    ]
    if rng.random() < 0.6:
        values.append((label(rng, "due", place.language), write(day + timedelta(days=rng.choice((10, 14, 21, 30, 45)))), DUE))
    else:
        DUE.absent(canvas)
    if rng.random() < 0.4:
        values.append(
            (label(rng, "order", place.language), string(names.code(rng, rng.choice(("#####", "P-####", "AA###")))), ORDER)
        )
    else:
        ORDER.absent(canvas)
    return values


def _item(rng: Random, place: Locale) -> _Item:
    price = Decimal(rng.choice((rng.randrange(50, 2000), rng.randrange(1000, 90000)))) / 100
    return _Item(
        names.code(rng, rng.choice(("A-###", "####", "AA##"))), names.goods(rng, place.language), rng.randrange(1, 25), price
    )


def _sums(rng: Random, canvas: Canvas, y: float, style: Style, place: Locale, items: list[_Item], money: MoneyWriter) -> float:
    """Draw the table and the sums, as its last rows or below it."""
    columns, rows = _columns(rng, place, items)
    net = sum((item.amount for item in items), Decimal(0))
    taxed = rng.random() < 0.75
    rate = rng.choice((5, 7, 10, 19, 20, 21))
    tax = (net * rate / 100).quantize(Decimal("0.01"))
    sums = [(label(rng, "total", place.language), money(net + tax if taxed else net), TOTAL)]
    if taxed:
        sums.insert(0, (f"{label(rng, 'tax', place.language)} {rate}%", money(tax), TAX))
        sums.insert(0, (label(rng, "subtotal", place.language), money(net), SUBTOTAL))
    else:
        TAX.absent(canvas)
        SUBTOTAL.absent(canvas)
    pens, look = (style.strong, style.body), Look.draw(rng)
    if rng.random() < 0.4:
        summary = [(title, value.value_text or "") for title, value, _ in sums]
        drawn = draw_table(canvas, (style.left, y), style.width, columns, rows, pens, look, summary)
        for index, (_, value, question) in enumerate(sums, start=1 + len(rows)):
            question.answered(canvas, value, drawn.texts[index, len(columns) - 1])
        last = drawn.table.n_rows - 1
        canvas.label("total", around([drawn.texts[last, 0], drawn.texts[last, len(columns) - 1]]))
        return drawn.bottom
    drawn = draw_table(canvas, (style.left, y), style.width, columns, rows, pens, look)
    return _below(rng, canvas, drawn.bottom + 0.8 * style.leading, style, sums)


def _below(rng: Random, canvas: Canvas, y: float, style: Style, sums: list[tuple[str, FieldValue, Question]]) -> float:
    wide = max(style.strong.width(value.value_text or "") for _, value, _ in sums)
    labels = style.right - wide - 2 * style.size - max(style.strong.width(title) for title, _, _ in sums)
    canvas_boxes: list[Box] = []
    for title, value, question in sums:
        last = question is TOTAL
        if last and rng.random() < 0.5:
            canvas.rule(labels, y - 2, style.right, y - 2, 0.8)
        pen = style.strong if last else style.body
        canvas_boxes = [
            canvas.text(labels, y, title, pen),
            canvas.text(style.right, y, value.value_text or "", pen, "right"),
        ]
        question.answered(canvas, value, canvas_boxes[1])
        y += style.leading
    canvas.label("total", around(canvas_boxes))
    return y


def _columns(rng: Random, place: Locale, items: list[_Item]) -> tuple[list[Column], list[list[str]]]:
    language = place.language
    parts: list[tuple[Column, list[str]]] = [
        (Column(label(rng, "item", language)), [item.text for item in items]),
        (Column(label(rng, "quantity", language), "right"), [str(item.quantity) for item in items]),
        (Column(label(rng, "price", language), "right"), [number(item.price, place) for item in items]),
        (Column(label(rng, "amount", language), "right"), [number(item.amount, place) for item in items]),
    ]
    if rng.random() < 0.3:
        parts.insert(0, (Column(label(rng, "code", language), "centre"), [item.code for item in items]))
    if rng.random() < 0.25:
        quantity, counts = parts.pop(-3)
        parts.insert(0, (replace(quantity, align="centre"), counts))
    return [column for column, _ in parts], [list(row) for row in zip(*(cells for _, cells in parts), strict=True)]


def _notes(rng: Random, place: Locale) -> list[str]:
    notes = []
    if rng.random() < 0.5:
        notes.append(f"{label(rng, 'bank', place.language)}: {names.code(rng, 'AA## #### #### ####')}")
    if rng.random() < 0.5:
        notes.append(label(rng, "thanks", place.language))
    return notes


def _marks(rng: Random, canvas: Canvas, y: float, style: Style, place: Locale) -> None:
    """Leave a stamp, a signature, both side by side or neither."""
    if rng.random() < 0.35:
        write, day = date_writer(rng, place), a_date(rng)
        second = write(day).value_text or "" if rng.random() < 0.4 else ""
        stamp(rng, canvas, style.left + style.width * rng.uniform(0.5, 0.6), y + 12, label(rng, "paid", place.language), second)
    if rng.random() < 0.35:
        signed(rng, canvas, style.left, y + 6, names.person(rng, place.language), style)
