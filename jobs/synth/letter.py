"""Letters: who writes to whom, when and about what, a few paragraphs, and a signature."""

from random import Random

from jobs.synth import names
from jobs.synth.blocks import Question, address, foot, signed
from jobs.synth.canvas import Align, Canvas, shorten
from jobs.synth.labels import label
from jobs.synth.locales import Locale, a_date, date_writer, string
from jobs.synth.marks import logo, stamp
from jobs.synth.prose import headline, paragraph, sentences
from jobs.synth.style import Style

SENDER = Question("sender", "who sent the letter?")
RECIPIENT = Question("recipient", "who is the letter addressed to?")
DATE = Question("date", "what is the date?", "date")
SUBJECT = Question("subject", "what is the letter about?")
REFERENCE = Question("reference", "what is the reference?")
SIGNATORY = Question("signatory", "who signed the letter?")


def draw(rng: Random, place: Locale) -> tuple[Canvas, ...]:
    """Draw a letter of one page."""
    style = Style.draw(rng)
    canvas = style.sheet()
    recipient = names.person(rng, place.language)
    y = _head(rng, canvas, style, place) + rng.uniform(0.5, 1.5) * style.leading
    y = _recipient(rng, canvas, y, recipient, style, place) + style.leading
    y = _reference(rng, canvas, y, style, place)
    y = _subject(rng, canvas, y, style, place) + 0.5 * style.leading
    dear = label(rng, "dear", place.language).format(name=recipient)
    y = canvas.paragraph(style.left, y, style.width, dear, style.body) + 0.7 * style.leading
    written = sentences(rng, place)
    for _ in range(rng.randrange(1, 5 if style.page[1] > 700 else 3)):
        text = paragraph(written, rng.randrange(1, 5))
        y = canvas.paragraph(style.left, y, style.width, text, style.body) + 0.7 * style.leading
    _close(rng, canvas, y, style, place)
    return (canvas,)


def _head(rng: Random, canvas: Canvas, style: Style, place: Locale) -> float:
    """Write the letterhead, at the left, in the middle or at the right; return its bottom."""
    sender = shorten(names.company(rng, place.language), style.subtitle, style.width * 0.7)
    places: tuple[tuple[float, Align], ...] = (
        (style.left, "left"),
        ((style.left + style.right) / 2, "centre"),
        (style.right, "right"),
    )
    x, align = rng.choice(places)
    y = style.margin * 0.8
    if rng.random() < 0.5:
        size = rng.uniform(26, 40)
        logo(rng, canvas, x - {"left": 0.0, "centre": 0.5, "right": 1.0}[align] * size, y, size, style.accent)
        y += size + 0.4 * style.leading
    box = canvas.text(x, y, sender, style.subtitle, align)
    SENDER.answered(canvas, string(sender), box)
    y = address(rng, canvas, (x, box.y1 + 0.3 * style.size), sender, style, place.language, align)
    if rng.random() < 0.4:
        canvas.rule(style.left, y + 2, style.right, y + 2, 1.0, style.accent)
    return y


def _recipient(rng: Random, canvas: Canvas, y: float, recipient: str, style: Style, place: Locale) -> float:
    """Write the recipient, and the date beside or below; return the bottom."""
    top = y
    box = canvas.text(style.left, y, recipient, style.body)
    RECIPIENT.answered(canvas, string(recipient), box)
    y += style.leading
    for row in names.address(rng, place.language):
        canvas.text(style.left, y, row, style.body)
        y += style.leading
    day = date_writer(rng, place)(a_date(rng))
    text = day.value_text or ""
    if rng.random() < 0.5:
        DATE.answered(canvas, day, canvas.text(style.right, rng.choice((top, y - style.leading)), text, style.body, "right"))
        return y
    town = f"{names.name(rng, place.language)}, " if rng.random() < 0.5 else ""
    parts = ((town, style.body), (text, style.body)) if town else ((text, style.body),)
    DATE.answered(canvas, day, canvas.run(style.left, y + style.leading, parts)[-1])
    return y + 2 * style.leading


def _reference(rng: Random, canvas: Canvas, y: float, style: Style, place: Locale) -> float:
    if rng.random() < 0.4:
        REFERENCE.absent(canvas)
        return y
    code = names.code(rng, rng.choice(("AA/####", "##-###-A", "A######")))
    parts = ((f"{label(rng, 'reference', place.language)}: ", style.body), (code, style.body))
    REFERENCE.answered(canvas, string(code), canvas.run(style.left, y, parts)[1])
    return y + style.leading


def _subject(rng: Random, canvas: Canvas, y: float, style: Style, place: Locale) -> float:
    marked = rng.random() < 0.5
    mark = f"{label(rng, 'subject', place.language)} " if marked else ""
    subject = shorten(headline(rng, place), style.strong, style.width - style.strong.width(mark))
    parts = ((mark, style.strong), (subject, style.strong)) if marked else ((subject, style.strong),)
    boxes = canvas.run(style.left, y + 0.5 * style.leading, parts)
    SUBJECT.answered(canvas, string(subject), boxes[-1])
    canvas.label("title", boxes[-1])
    return y + 1.5 * style.leading


def _close(rng: Random, canvas: Canvas, y: float, style: Style, place: Locale) -> None:
    canvas.text(style.left, y, label(rng, "regards", place.language), style.body)
    signatory = names.person(rng, place.language)
    _, box = signed(rng, canvas, style.left, y + 1.4 * style.leading, signatory, style)
    SIGNATORY.answered(canvas, string(signatory), box)
    if rng.random() < 0.25:
        day = date_writer(rng, place)(a_date(rng)).value_text or ""
        stamp(rng, canvas, style.left + style.width * 0.55, y + style.leading, label(rng, "paid", place.language), day)
    if rng.random() < 0.4:
        foot(canvas, f"{names.code(rng, 'AA## #### #### ####')} - {names.code(rng, 'HRB ######')}", style)
