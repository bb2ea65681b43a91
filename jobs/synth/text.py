"""A piece of a page, the size of a tile: up to some dozen lines of words, numbers, codes and prices, for learning to read.

At 1.4 pixels a point, as tiles are seen, its letters are 12 to 24 pixels high. A share of its words is drawn from the whole
alphabet, so that no character is rare.
"""

from collections.abc import Callable
from decimal import Decimal
from random import Random

from jobs.synth import names
from jobs.synth.canvas import Canvas, shorten
from jobs.synth.faces import Face, Pen
from jobs.synth.locales import Locale, a_date, date_writer, money_writer, number
from jobs.synth.prose import sentence
from pipeline.checkpoints.alphabet import ALPHABET

PIXELS_PER_POINT = 1.4
_SIDE = 320.0
_MOST_LINES = 14
_MOST_CHARACTERS = 48
_SIGNS = ALPHABET.replace("\n", "").replace(" ", "")


def draw(rng: Random, place: Locale) -> tuple[Canvas, ...]:
    """Draw one piece."""
    width, height = _SIDE * rng.uniform(0.8, 1.1), _SIDE * rng.uniform(0.7, 1.1)
    canvas = Canvas(round(width, 1), round(height, 1))
    margin, leading = rng.uniform(8, 22), rng.uniform(1.15, 1.8)
    pen, mixed = _pen(rng), rng.random() < 0.4
    most = _MOST_LINES if rng.random() < 0.7 else rng.randrange(1, _MOST_LINES)
    y = margin + rng.uniform(0, 20)
    for _ in range(most):
        pen = _pen(rng) if mixed and rng.random() < 0.3 else pen
        if y + pen.size > canvas.height - margin:
            break
        if rng.random() < 0.06:
            y += pen.size  # a gap, as between paragraphs
            continue
        indent = rng.uniform(0, 0.4) * canvas.width if rng.random() < 0.15 else 0.0
        canvas.text(margin + indent, y, _line(rng, place, pen, canvas.width - 2 * margin - indent), pen)
        y += leading * pen.size
    return (canvas,)


def made_line(rng: Random, place: Locale) -> str:
    """Make up a line that is as long as may be."""
    return _words(rng, place)[:_MOST_CHARACTERS].strip()


def _pen(rng: Random) -> Pen:
    size = rng.triangular(12, 24, 15) / PIXELS_PER_POINT
    grey = rng.choice((0.0, 0.0, 0.0, 0.2, 0.4))
    face = Face(rng.choice(("sans", "serif", "mono")), rng.random() < 0.3)
    return Pen(face, round(size, 2), (grey, grey, grey))


def _line(rng: Random, place: Locale, pen: Pen, width: float) -> str:
    """Make up a line that fits."""
    full = shorten(_words(rng, place), pen, width)[:_MOST_CHARACTERS].strip()
    return shorten(full, pen, width * rng.uniform(0.15, 1.0)) if rng.random() < 0.4 else full


def _words(rng: Random, place: Locale) -> str:
    """Make up a sentence, a row of words of one making, or a mixture."""
    share = rng.random()
    if share < 0.35:
        return sentence(rng, place)
    makers = [rng.choice(_WORDS)] if share < 0.6 else list(_WORDS)
    return " ".join(rng.choice(makers)(rng, place) for _ in range(12))


def _any(rng: Random, place: Locale) -> str:
    del place
    return "".join(rng.choice(_SIGNS) for _ in range(rng.randrange(1, 9)))


def _cased(rng: Random, place: Locale) -> str:
    word = names.word(rng, place.language)
    return rng.choice((word, word, word.capitalize(), word.upper())) + rng.choice(("", "", "", ",", ".", ":", ";", "!", "?"))


def _code(rng: Random, place: Locale) -> str:
    del place
    return names.code(
        rng, rng.choice(("##", "####", "A#", "AA-###", "#####/##", "AAA", "#.#", "##:##", "(##)", "#%", "No. ##", "A/#"))
    )


_WORDS: tuple[Callable[[Random, Locale], str], ...] = (
    _cased,
    _cased,
    _code,
    _any,
    lambda rng, place: number(Decimal(rng.randrange(1, 9999999)) / 100, place),
    lambda rng, place: money_writer(rng, place)(Decimal(rng.randrange(100, 999999)) / 100).value_text or "",
    lambda rng, place: date_writer(rng, place)(a_date(rng)).value_text or "",
    lambda rng, place: names.person(rng, place.language),
    lambda rng, place: names.goods(rng, place.language),
)
