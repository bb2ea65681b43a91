"""Forms that someone filled in: boxes, lines or rows with a label each, yes-and-no boxes to tick, a signature.

A form may leave an entry empty: its label is there, its value is not, and the answer is absent.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Literal

from jobs.synth import names
from jobs.synth.blocks import Question
from jobs.synth.canvas import Canvas, shorten
from jobs.synth.faces import Face, Pen
from jobs.synth.labels import label
from jobs.synth.locales import Language, Locale, a_date, boolean, date_writer, integer, money_writer, string
from jobs.synth.marks import logo, signature, stamp, tick
from jobs.synth.style import Style
from schemas.box import Box
from schemas.field import FieldValue

_YES = {"en": ("Yes", "No"), "de": ("Ja", "Nein"), "fr": ("Oui", "Non"), "es": ("Sí", "No")}
_TITLES: dict[Language, tuple[str, ...]] = {
    "en": ("Application Form", "Registration", "Membership Form", "Claim Form", "Visitor Record", "Order of Service"),
    "de": ("Antrag", "Anmeldung", "Aufnahmeantrag", "Schadensmeldung", "Besucherbogen"),
    "fr": ("Formulaire", "Inscription", "Demande", "Déclaration", "Fiche de visite"),
    "es": ("Solicitud", "Inscripción", "Formulario", "Declaración", "Ficha de visita"),
}
_DATED: dict[Language, str] = {"en": "Date", "de": "Datum", "fr": "Date", "es": "Fecha"}
_SIGNED: dict[Language, str] = {"en": "Signature", "de": "Unterschrift", "fr": "Signature", "es": "Firma"}


@dataclass(frozen=True, slots=True)
class _Entry:
    """A thing that forms ask for: the question about it, its label in each language (two in English)."""

    question: Question
    labels: dict[Language, tuple[str, ...]]


def _entry(
    name: str, text: str, kind: Literal["string", "integer", "money", "date", "boolean"], en: str, de: str, fr: str, es: str
) -> _Entry:
    return _Entry(Question(name, text, kind), {"en": tuple(en.split("|")), "de": (de,), "fr": (fr,), "es": (es,)})


_ENTRIES = (
    _entry("name", "what is the full name?", "string", "Full name|Name|Applicant", "Name", "Nom", "Nombre"),
    _entry(
        "birth_date",
        "what is the date of birth?",
        "date",
        "Date of birth|Born on",
        "Geburtsdatum",
        "Date de naissance",
        "Fecha de nacimiento",
    ),
    _entry("street", "what is the street?", "string", "Street|Address", "Straße", "Rue", "Calle"),
    _entry("town", "what is the town?", "string", "Town|City", "Ort", "Ville", "Ciudad"),
    _entry("phone", "what is the phone number?", "string", "Phone|Telephone", "Telefon", "Téléphone", "Teléfono"),
    _entry("email", "what is the email address?", "string", "Email|E-mail", "E-Mail", "Courriel", "Correo"),
    _entry("employer", "who is the employer?", "string", "Employer|Company", "Arbeitgeber", "Employeur", "Empresa"),
    _entry(
        "member_number",
        "what is the member number?",
        "string",
        "Member no.|Membership number",
        "Mitgliedsnr.",
        "Numéro de membre",
        "Número de socio",
    ),
    _entry("children", "how many children are there?", "integer", "Children|Number of children", "Kinder", "Enfants", "Hijos"),
    _entry("income", "what is the income?", "money", "Income|Monthly income", "Einkommen", "Revenu", "Ingresos"),
    _entry("amount", "what is the amount claimed?", "money", "Amount claimed|Claim", "Betrag", "Montant", "Importe"),
    _entry("start_date", "what is the start date?", "date", "Start date|Valid from", "Beginn", "Début", "Inicio"),
    _entry(
        "vehicle",
        "what is the vehicle registration?",
        "string",
        "Vehicle|Plate number",
        "Kennzeichen",
        "Immatriculation",
        "Matrícula",
    ),
    _entry("insured", "is the applicant insured?", "boolean", "Insured|Insured?", "Versichert", "Assuré", "Asegurado"),
    _entry(
        "newsletter",
        "is the newsletter wanted?",
        "boolean",
        "Newsletter|Send newsletter",
        "Rundbrief",
        "Lettre d'information",
        "Boletín",
    ),
    _entry("married", "is the applicant married?", "boolean", "Married|Married?", "Verheiratet", "Marié", "Casado"),
)
NUMBER = Question("form_number", "what is the form number?")
SIGNING_DATE = Question("signing_date", "when was the form signed?", "date")

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
    entries = rng.sample(_ENTRIES, min(len(_ENTRIES), rng.randrange(4, 13), room * 2))
    y = _entries(rng, canvas, y, entries, hand, style, place) + style.leading
    for entry in rng.sample([entry for entry in _ENTRIES if entry not in entries], min(2, len(_ENTRIES) - len(entries))):
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


def _entries(rng: Random, canvas: Canvas, y: float, entries: list[_Entry], hand: _Hand, style: Style, place: Locale) -> float:
    """Write the entries in one column or two; return the bottom."""
    columns = 1 if hand.setting == "rows" or len(entries) < 6 or rng.random() < 0.4 else 2
    gap = 1.2 * style.size
    width = (style.width - gap * (columns - 1)) / columns
    if hand.setting == "rows":
        _frame(canvas, y, len(entries), hand, style)
    for index, entry in enumerate(entries):
        x = style.left + (width + gap) * (index % columns)
        _one(rng, canvas, Box(x0=x, y0=y, x1=x + width, y1=y + hand.height), entry, hand, place)
        if index % columns == columns - 1 or index == len(entries) - 1:
            y += hand.height + (0.0 if hand.setting == "rows" else 0.4 * style.size)
    return y


def _frame(canvas: Canvas, y: float, count: int, hand: _Hand, style: Style) -> None:
    for index in range(count):
        row = Box(x0=style.left, y0=y + index * hand.height, x1=style.right, y1=y + (index + 1) * hand.height)
        canvas.rectangle(row, stroke=(0.4, 0.4, 0.4), width=0.6)
    middle = style.left + 0.42 * style.width
    canvas.rule(middle, y, middle, y + count * hand.height, 0.6, (0.4, 0.4, 0.4))


def _one(rng: Random, canvas: Canvas, room: Box, entry: _Entry, hand: _Hand, place: Locale) -> None:
    """Write one entry into its room, and record the answer."""
    name = rng.choice(entry.labels[place.language])
    size = hand.filled.size
    if hand.setting == "boxes":
        canvas.rectangle(room, stroke=(0.35, 0.35, 0.35), width=0.7)
        canvas.text(room.x0 + 3, room.y0 + 2, shorten(name, hand.printed, room.width - 6), hand.printed)
        x, top = room.x0 + 4, room.y1 - size - 3
    else:
        canvas.text(room.x0 + 3, room.y1 - size - 4, shorten(name, hand.printed, 0.4 * room.width), hand.printed)
        x, top = room.x0 + 0.42 * room.width + 4, room.y1 - size - 4
        if hand.setting == "lines":
            canvas.rule(x - 2, room.y1 - 1.5, room.x1, room.y1 - 1.5, 0.6)
    if entry.question.kind == "boolean":
        _ticks(rng, canvas, x, top, entry, hand, place)
    elif rng.random() < 0.12:
        entry.question.absent(canvas)
    else:
        value = _value(rng, entry, place, hand.filled, room.x1 - x - 2)
        entry.question.answered(canvas, value, canvas.text(x, top, value.value_text or "", hand.filled))


def _ticks(rng: Random, canvas: Canvas, x: float, top: float, entry: _Entry, hand: _Hand, place: Locale) -> None:
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


def _value(rng: Random, entry: _Entry, place: Locale, pen: Pen, width: float) -> FieldValue:
    """Make up what is filled in; a text is as long as there is room for."""
    kind = entry.question.kind
    if kind == "date":
        born = date(1940, 1, 1) + timedelta(days=rng.randrange(23000))
        return date_writer(rng, place)(born if entry.question.name == "birth_date" else a_date(rng))
    if kind == "money":
        return money_writer(rng, place)(Decimal(rng.randrange(10000, 999999)) / 100)
    if kind == "integer":
        return integer(rng.randrange(0, 9))
    return string(shorten(_text(rng, entry.question.name, place), pen, width))


def _text(rng: Random, name: str, place: Locale) -> str:
    language = place.language
    match name:
        case "name":
            return names.person(rng, language)
        case "street":
            return names.address(rng, language)[0]
        case "town":
            return names.name(rng, language)
        case "phone":
            return names.code(rng, rng.choice(("0555 ### ###", "(555) 01#-####", "+00 55 ### ##")))
        case "email":
            return f"{names.word(rng)}@{names.word(rng)}.example"
        case "employer":
            return names.company(rng, language)
        case "vehicle":
            return names.code(rng, rng.choice(("AA## AAA", "AA-A ###", "### AAA")))
        case _:
            return names.code(rng, rng.choice(("M-####", "######", "AA-###-A")))


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
