"""A page of a newsletter or report in two columns: a headline over both, then text that runs down the left and on at the right."""

from collections.abc import Iterator
from random import Random

from jobs.synth import names
from jobs.synth.blocks import Question, foot
from jobs.synth.canvas import Canvas, around, shorten, wrap
from jobs.synth.faces import Pen
from jobs.synth.locales import Locale, a_date, date_writer, string
from jobs.synth.marks import logo
from jobs.synth.prose import headline, paragraph, sentences
from jobs.synth.style import A4, A5, LETTER, Style

TITLE = Question("title", "what is the title?")
AUTHOR = Question("author", "who wrote the article?")
DATE = Question("date", "what is the date?", "date")
ISSUE = Question("issue", "what is the issue number?")
_BY = {"en": "By ", "de": "Von ", "fr": "Par ", "es": "Por "}
_ISSUES = {"en": ("No. ", "Issue "), "de": ("Nr. ", "Ausgabe "), "fr": ("Nr. ", "Édition "), "es": ("Nr. ", "Número ")}


def draw(rng: Random, place: Locale) -> tuple[Canvas, ...]:
    """Draw a page of two columns."""
    style = Style.draw(rng, (A4, LETTER, A5))
    canvas = style.sheet()
    y = _masthead(rng, canvas, style, place)
    y = _headline(rng, canvas, y, style, place) + style.leading
    _columns(rng, canvas, y, style, place)
    if rng.random() < 0.5:
        foot(canvas, str(rng.randrange(1, 60)), style, rng.choice(("left", "centre", "right")))
    return (canvas,)


def _masthead(rng: Random, canvas: Canvas, style: Style, place: Locale) -> float:
    """Write the paper's name, issue and date above a rule, or leave them out; return the bottom."""
    y, write = style.margin, date_writer(rng, place)
    if rng.random() < 0.3:
        ISSUE.absent(canvas)
        DATE.absent(canvas)
        return y
    x = style.left
    if rng.random() < 0.4:
        logo(rng, canvas, x, y, 1.6 * style.size, style.accent)
        x += 2.2 * style.size
    issue, day = names.code(rng, rng.choice(("##", "###", "##/####"))), write(a_date(rng))
    first = canvas.run(x, y, ((rng.choice(_ISSUES[place.language]), style.small), (issue, style.small)))
    ISSUE.answered(canvas, string(issue), first[1])
    DATE.answered(canvas, day, canvas.text(style.right, y, day.value_text or "", style.small, "right"))
    y += 2.0 * style.size
    canvas.rule(style.left, y, style.right, y, 1.0, style.accent)
    return y + 0.8 * style.leading


def _headline(rng: Random, canvas: Canvas, y: float, style: Style, place: Locale) -> float:
    title = headline(rng, place)
    boxes = []
    for row in wrap(title, style.title, style.width):
        boxes.append(canvas.text(style.left, y, row, style.title))
        y += 1.15 * style.title.size
    canvas.label("title", around(boxes))
    TITLE.answered(canvas, string(title), around(boxes))
    if rng.random() < 0.75:
        author = names.person(rng, place.language)
        parts = ((_BY[place.language], style.body), (author, style.strong))
        AUTHOR.answered(canvas, string(author), canvas.run(style.left, y + 0.2 * style.leading, parts)[1])
        y += 1.2 * style.leading
    else:
        AUTHOR.absent(canvas)
    return y


def _columns(rng: Random, canvas: Canvas, top: float, style: Style, place: Locale) -> None:
    """Fill the left column, and the right one to somewhere between a third and its end."""
    gap = rng.uniform(1.6, 2.4) * style.size
    width = (style.width - gap) / 2
    rows = _flow(rng, place, width, style)
    end = top + (style.bottom - top) * rng.uniform(0.35, 1.0)
    for x, bottom in ((style.left, style.bottom), (style.left + width + gap, end)):
        y = top
        for text, pen, before in rows:
            if pen == style.strong and y + 5 * style.leading > bottom:
                continue  # no heading without text below it
            y += before if y > top else 0.0
            canvas.text(x, y, shorten(text, pen, width), pen)
            y += style.leading
            if y + 2.2 * style.leading > bottom:
                break
    if rng.random() < 0.3:
        middle = style.left + width + gap / 2
        canvas.rule(middle, top, middle, style.bottom, 0.5, (0.5, 0.5, 0.5))


def _flow(rng: Random, place: Locale, width: float, style: Style) -> Iterator[tuple[str, Pen, float]]:
    """Yield lines without end: their text, their pen and the room to leave before them."""
    written = sentences(rng, place)
    while True:
        if rng.random() < 0.3:
            yield shorten(headline(rng, place), style.strong, width), style.strong, 0.7 * style.leading
        for index, row in enumerate(wrap(paragraph(written, rng.randrange(2, 6)), style.body, width)):
            yield row, style.body, 0.0 if index else 0.4 * style.leading
