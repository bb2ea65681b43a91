"""A table that goes on over two pages: an account's movements, a stock list or a sheet of hours.

Sums and running balances are right. Each page's table is that page's own rows.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from jobs.synth import names
from jobs.synth.blocks import Named, Question, foot, named_values
from jobs.synth.canvas import Align, Canvas, around, shorten
from jobs.synth.grid import Column, Look, draw_table
from jobs.synth.labels import label
from jobs.synth.locales import DateWriter, Language, Locale, a_date, date_writer, money_writer, number, string
from jobs.synth.marks import logo
from jobs.synth.style import Style
from schemas.field import FieldValue

NUMBER = Question("number", "what is the number of the list?")
DATE = Question("date", "what is the date?", "date")
OWNER = Question("owner", "whose list is it?")
TOTAL = Question("total", "what is the total?", "money")

_NUMBER = {
    "en": ("Account", "List no.", "Sheet"),
    "de": ("Konto", "Liste Nr."),
    "fr": ("Compte", "Liste n."),
    "es": ("Cuenta", "Lista n."),
}
_DAY = {"en": ("Date", "Day"), "de": ("Datum", "Tag"), "fr": ("Date", "Jour"), "es": ("Fecha", "Día")}
_ISSUED = {"en": ("Date", "As of", "Issued"), "de": ("Stand", "Datum"), "fr": ("Date", "Au"), "es": ("Fecha",)}
_BALANCE = {"en": "Balance", "de": "Saldo", "fr": "Solde", "es": "Saldo"}
_HOURS = {"en": "Hours", "de": "Stunden", "fr": "Heures", "es": "Horas"}
_ALIGNS: tuple[Align, ...] = ("left", "centre", "right")
_TOTALS = {"en": ("Total", "TOTAL", "Sum"), "de": ("Summe", "Gesamt"), "fr": ("Total", "Somme"), "es": ("Total", "Suma")}
_SHELF = {"en": "Shelf", "de": "Regal", "fr": "Rayon", "es": "Estante"}


@dataclass(frozen=True, slots=True)
class _List:
    """What a list holds: its columns, its rows, and what they come to."""

    columns: list[Column]
    rows: list[list[str]]
    total: Decimal


Maker = Callable[[Random, Locale, list[str]], _List]


def draw(rng: Random, place: Locale) -> tuple[Canvas, ...]:
    """Draw a list of two pages."""
    style = Style.draw(rng)
    first, second = style.sheet(), style.sheet()
    look, write = Look.draw(rng), date_writer(rng, place, steady=True)
    titles, make = rng.choice(_KINDS)
    issued = a_date(rng)
    y = _head(rng, first, rng.choice(titles[place.language]), style, place, write(issued)) + 0.7 * style.leading
    row = 1.2 * style.size + 2 * look.pad
    above = int((style.bottom - y) / row) - 2
    below = rng.randrange(3, max(4, int((style.bottom - style.margin) / row) - 8))
    made = make(rng, place, _days(rng, issued, above + below, write))
    pens = (style.strong, style.body)
    drawn = draw_table(first, (style.left, y), style.width, made.columns, made.rows[:above], pens, look, until=style.bottom)
    TOTAL.absent(first)
    rest = made.rows[drawn.table.n_rows - 1 :]  # the head is a row, too
    drawn = draw_table(second, (style.left, style.margin), style.width, made.columns, rest, pens, look)
    _total(rng, second, drawn.bottom + 0.8 * style.leading, made.total, style, place)
    align, numbering = rng.choice(_ALIGNS), label(rng, "page", place.language)
    for index, page in enumerate((first, second), start=1):
        foot(page, numbering.format(n=index, of=2), style, align)
    return first, second


def _head(rng: Random, canvas: Canvas, title: str, style: Style, place: Locale, issued: FieldValue) -> float:
    y = style.margin
    if rng.random() < 0.4:
        size = rng.uniform(24, 34)
        logo(rng, canvas, style.right - size, y, size, style.accent)
    box = canvas.text(style.left, y, title, style.title)
    canvas.label("title", box)
    owner = shorten(names.company(rng, place.language), style.subtitle, style.width * 0.8)
    y = box.y1 + 0.4 * style.leading
    OWNER.answered(canvas, string(owner), canvas.text(style.left, y, owner, style.subtitle))
    values: list[Named] = [
        (rng.choice(_NUMBER[place.language]), string(names.code(rng, rng.choice(("#######", "##-####", "A-#####")))), NUMBER),
        (rng.choice(_ISSUED[place.language]), issued, DATE),
    ]
    return named_values(rng, canvas, (style.left, y + 1.8 * style.leading), style.width, values, style)


def _total(rng: Random, canvas: Canvas, y: float, total: Decimal, style: Style, place: Locale) -> None:
    value = money_writer(rng, place)(total)
    boxes = [
        canvas.text(style.right - 0.45 * style.width, y, rng.choice(_TOTALS[place.language]), style.strong),
        canvas.text(style.right, y, value.value_text or "", style.strong, "right"),
    ]
    TOTAL.answered(canvas, value, boxes[1])
    canvas.label("total", around(boxes))
    for question in (NUMBER, DATE, OWNER):
        question.absent(canvas)


def _days(rng: Random, last: date, count: int, write: DateWriter) -> list[str]:
    """Write as many days in order, none after the last."""
    days = sorted(last - timedelta(days=rng.randrange(2 * count)) for _ in range(count))
    return [write(day).value_text or "" for day in days]


def _account(rng: Random, place: Locale, days: list[str]) -> _List:
    language = place.language
    columns = [
        Column(rng.choice(_DAY[language])),
        Column(label(rng, "item", language)),
        Column(label(rng, "amount", language), "right"),
        Column(_BALANCE[language], "right"),
    ]
    balance, rows = Decimal(rng.randrange(10000, 500000)) / 100, []
    for day in days:
        amount = Decimal(rng.randrange(100, 99999)) / 100 * rng.choice((1, 1, -1))
        amount = amount if balance + amount > 0 else -amount
        balance += amount
        rows.append([day, names.goods(rng, language), number(amount, place), number(balance, place)])
    return _List(columns, rows, balance)


def _stock(rng: Random, place: Locale, days: list[str]) -> _List:
    language = place.language
    columns = [
        Column(label(rng, "code", language)),
        Column(label(rng, "item", language)),
        Column(_SHELF[language], "centre"),
        Column(label(rng, "quantity", language), "right"),
        Column(label(rng, "amount", language), "right"),
    ]
    rows, total = [], Decimal(0)
    for _ in days:  # goods on a shelf have none
        amount = Decimal(rng.randrange(100, 200000)) / 100
        total += amount
        shelf = names.code(rng, "A##")
        rows.append(
            [names.code(rng, "A-###"), names.goods(rng, language), shelf, str(rng.randrange(1, 400)), number(amount, place)]
        )
    return _List(columns, rows, total)


def _hours(rng: Random, place: Locale, days: list[str]) -> _List:
    language = place.language
    columns = [
        Column(rng.choice(_DAY[language])),
        Column(label(rng, "item", language)),
        Column(_HOURS[language], "right"),
        Column(label(rng, "amount", language), "right"),
    ]
    rate, total, rows = rng.randrange(20, 120), Decimal(0), []
    for day in days:
        hours = Decimal(rng.randrange(1, 33)) / 4
        total += hours * rate
        task = f"{names.name(rng, language)} {names.code(rng, 'A##')}"
        rows.append([day, task, number(hours, place), number(hours * rate, place)])
    return _List(columns, rows, total)


_KINDS: tuple[tuple[dict[Language, tuple[str, ...]], Maker], ...] = (
    (
        {
            "en": ("Account Statement", "Statement"),
            "de": ("Kontoauszug",),
            "fr": ("Relevé de compte",),
            "es": ("Extracto de cuenta",),
        },
        _account,
    ),
    ({"en": ("Stock List", "Inventory"), "de": ("Lagerliste",), "fr": ("Inventaire",), "es": ("Inventario",)}, _stock),
    (
        {
            "en": ("Time Sheet", "Record of Hours"),
            "de": ("Stundenzettel",),
            "fr": ("Relevé d'heures",),
            "es": ("Hoja de horas",),
        },
        _hours,
    ),
)
