"""What forms ask for, in each language, and what people fill in."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Literal

from jobs.synth import names
from jobs.synth.blocks import Question
from jobs.synth.canvas import shorten
from jobs.synth.faces import Pen
from jobs.synth.locales import Language, Locale, a_date, date_writer, integer, money_writer, string
from schemas.field import FieldValue


@dataclass(frozen=True, slots=True)
class Entry:
    """A thing that forms ask for: the question about it, its label in each language (two in English)."""

    question: Question
    labels: dict[Language, tuple[str, ...]]


def _entry(
    name: str, text: str, kind: Literal["string", "integer", "money", "date", "boolean"], en: str, de: str, fr: str, es: str
) -> Entry:
    return Entry(Question(name, text, kind), {"en": tuple(en.split("|")), "de": (de,), "fr": (fr,), "es": (es,)})


ENTRIES = (
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


def value_for(rng: Random, entry: Entry, place: Locale, pen: Pen, width: float) -> FieldValue:
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
