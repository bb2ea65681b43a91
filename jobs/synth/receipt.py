"""Receipts from a till: a narrow page as long as it has to be, goods with prices, the sum and what was paid.

The sums are right: the lines add up to the total, and what was given less the total is the change.
"""

from dataclasses import replace
from decimal import Decimal
from random import Random

from jobs.synth import names
from jobs.synth.blocks import Question
from jobs.synth.canvas import Align, Canvas, around, shorten
from jobs.synth.faces import Face, Family, Pen
from jobs.synth.grid import Column, Look, draw_table
from jobs.synth.locales import Locale, a_date, date_writer, integer, money_writer, number, string
from jobs.synth.marks import logo
from schemas.field import FieldValue

STORE = Question("store", "what is the name of the store?")
DATE = Question("date", "what is the date?", "date")
TIME = Question("time", "what is the time of purchase?")
NUMBER = Question("receipt_number", "what is the receipt number?")
TOTAL = Question("total", "what is the total?", "money")
TAX = Question("tax", "what is the tax?", "money")
CASH = Question("cash", "how much cash was given?", "money")
CHANGE = Question("change", "how much change was returned?", "money")
COUNT = Question("item_count", "how many items were bought?", "integer")

_WORDS = {
    "en": {
        "receipt": "Receipt",
        "date": "Date",
        "total": "TOTAL",
        "tax": "VAT",
        "cash": "CASH",
        "change": "CHANGE",
        "count": "ITEMS",
        "thanks": "Thank you, come again",
    },
    "de": {
        "receipt": "Bon-Nr.",
        "date": "Datum",
        "total": "SUMME",
        "tax": "MwSt.",
        "cash": "BAR",
        "change": "RÜCKGELD",
        "count": "ARTIKEL",
        "thanks": "Vielen Dank",
    },
    "fr": {
        "receipt": "Ticket",
        "date": "Date",
        "total": "TOTAL",
        "tax": "TVA",
        "cash": "ESPÈCES",
        "change": "RENDU",
        "count": "ARTICLES",
        "thanks": "Merci et à bientôt",
    },
    "es": {
        "receipt": "Recibo",
        "date": "Fecha",
        "total": "TOTAL",
        "tax": "IVA",
        "cash": "EFECTIVO",
        "change": "CAMBIO",
        "count": "ARTÍCULOS",
        "thanks": "Gracias por su visita",
    },
}
_LOOK = Look("none", None, zebra=False, pad=1.0)
_FAMILIES: tuple[Family, ...] = ("mono", "sans", "serif")
_LONGEST = 2000.0


class _Till:
    """The strip of paper: where the next line goes, and the two pens."""

    def __init__(self, rng: Random) -> None:
        self.width = rng.choice((204.0, 226.0, 250.0))
        self.margin = rng.uniform(10, 16)
        self.canvas = Canvas(self.width, _LONGEST)
        family: Family = rng.choices(_FAMILIES, (6, 3, 1))[0]
        self.pen = Pen(Face(family), round(rng.uniform(8.5, 10.5), 1))
        self.bold = replace(self.pen, face=Face(family, bold=True))
        self.y = rng.uniform(12, 24)

    @property
    def step(self) -> float:
        return 1.25 * self.pen.size

    @property
    def room(self) -> float:
        return self.width - 2 * self.margin

    def line(self, text: str, pen: Pen | None = None, align: Align = "centre") -> None:
        pen = pen or self.pen
        x = {"left": self.margin, "centre": self.width / 2, "right": self.width - self.margin}[align]
        self.canvas.text(x, self.y, shorten(text, pen, self.room), pen, align)
        self.y += 1.25 * pen.size

    def pair(self, left: str, value: FieldValue, question: Question, pen: Pen) -> None:
        first = self.canvas.text(self.margin, self.y, left, pen)
        second = self.canvas.text(self.width - self.margin, self.y, value.value_text or "", pen, "right")
        question.answered(self.canvas, value, second)
        if question is TOTAL:
            self.canvas.label("total", around([first, second]))
        self.y += 1.25 * pen.size

    def part(self, rng: Random) -> None:
        """Leave a rule, whole or in dashes, or only room between two parts."""
        kind = rng.randrange(3)
        if kind == 0:
            self.canvas.rule(self.margin, self.y + 3, self.width - self.margin, self.y + 3, 0.7)
        elif kind == 1:
            for dash in range(int(self.room / 6)):
                x = self.margin + 6 * dash
                self.canvas.rule(x, self.y + 3, x + 3.5, self.y + 3, 0.8)
        self.y += 7


def draw(rng: Random, place: Locale) -> tuple[Canvas, ...]:
    """Draw a receipt, cut off below its last line."""
    till = _Till(rng)
    words = _WORDS[place.language]
    _head(rng, till, place)
    _when(rng, till, place)
    till.part(rng)
    total, count = _goods(rng, till, place)
    till.part(rng)
    _payment(rng, till, place, total)
    _count(rng, till, place, count)
    till.y += 0.6 * till.step
    till.line(words["thanks"])
    return (till.canvas.cut(till.y + rng.uniform(8, 30)),)


def _head(rng: Random, till: _Till, place: Locale) -> None:
    if rng.random() < 0.4:
        size = rng.uniform(24, 36)
        logo(rng, till.canvas, (till.width - size) / 2, till.y, size, (0, 0, 0))
        till.y += size + 5
    pen = replace(till.bold, size=round(till.pen.size * rng.uniform(1.1, 1.5), 1))
    store = shorten(names.company(rng, place.language), pen, till.room)
    box = till.canvas.text(till.width / 2, till.y, store, pen, "centre")
    STORE.answered(till.canvas, string(store), box)
    till.canvas.label("title", box)
    till.y += 1.3 * pen.size
    for row in names.address(rng, place.language):
        till.line(row)
    till.y += 0.5 * till.step


def _when(rng: Random, till: _Till, place: Locale) -> None:
    words = _WORDS[place.language]
    day = date_writer(rng, place)(a_date(rng))
    clock = f"{rng.randrange(8, 21):02}:{rng.randrange(60):02}"
    left = till.margin
    parts = ((f"{words['date']}: ", till.pen), (day.value_text or "", till.pen))
    DATE.answered(till.canvas, day, till.canvas.run(left, till.y, parts)[1])
    if rng.random() < 0.7:
        box = till.canvas.text(till.width - till.margin, till.y, clock, till.pen, "right")
        TIME.answered(till.canvas, string(clock), box)
    else:
        TIME.absent(till.canvas)
    till.y += till.step
    if rng.random() < 0.7:
        code = names.code(rng, rng.choice(("######", "####-##", "A####")))
        box = till.canvas.run(left, till.y, ((f"{words['receipt']}: ", till.pen), (code, till.pen)))[1]
        NUMBER.answered(till.canvas, string(code), box)
        till.y += till.step
    else:
        NUMBER.absent(till.canvas)


def _goods(rng: Random, till: _Till, place: Locale) -> tuple[Decimal, int]:
    """Write the goods and their prices; return the sum and the number of things."""
    counted = rng.random() < 0.4
    total, count, rows = Decimal(0), 0, []
    for _ in range(rng.randrange(1, 13)):
        quantity, price = rng.choice((1, 1, 1, 2, 3)), Decimal(rng.randrange(39, 2999)) / 100
        total += quantity * price
        count += quantity
        amount = number(quantity * price, place)
        rows.append([str(quantity), names.grocery(rng), amount] if counted else [_article(rng, quantity, price, place), amount])
    columns = [Column(""), Column("", "right")]
    if counted:
        columns.insert(0, Column("", "centre"))
    at, pens = (till.margin, till.y), (till.bold, till.pen)
    till.y = draw_table(till.canvas, at, till.room, columns, rows, pens, _LOOK).bottom + 2
    return total, count


def _article(rng: Random, quantity: int, price: Decimal, place: Locale) -> str:
    return names.grocery(rng) if quantity == 1 else f"{names.grocery(rng)} {quantity} x {number(price, place)}"


def _payment(rng: Random, till: _Till, place: Locale, total: Decimal) -> None:
    words, money = _WORDS[place.language], money_writer(rng, place)
    big = replace(till.bold, size=round(till.pen.size * rng.choice((1.0, 1.2, 1.35)), 1))
    till.pair(words["total"], money(total), TOTAL, big)
    if rng.random() < 0.6:
        rate = rng.choice((5, 10, 19, 20))
        held = (total * rate / (100 + rate)).quantize(Decimal("0.01"))
        till.pair(f"{words['tax']} {rate}%", money(held), TAX, till.pen)
    else:
        TAX.absent(till.canvas)
    if rng.random() < 0.5:
        given = (total // 10 + rng.choice((1, 2))) * 10
        till.pair(words["cash"], money(given), CASH, till.pen)
        till.pair(words["change"], money(given - total), CHANGE, till.pen)
    else:
        CASH.absent(till.canvas)
        CHANGE.absent(till.canvas)
        till.line(f"{rng.choice(('CARD', 'DEBIT', 'VISTA CARD'))} **** {names.code(rng, '####')}", align="left")


def _count(rng: Random, till: _Till, place: Locale, count: int) -> None:
    if rng.random() < 0.5:
        till.pair(_WORDS[place.language]["count"], integer(count), COUNT, till.pen)
    else:
        COUNT.absent(till.canvas)
