"""The first lesson: small pages with one to a few words, large and apart, drawn with the generator's own pens."""

from random import Random

from jobs.synth import names
from jobs.synth.canvas import Canvas
from jobs.synth.faces import Face, Pen
from jobs.synth.locales import Locale
from pipeline.checkpoints.alphabet import ALPHABET
from pipeline.documents.tiles import PIXELS_PER_POINT

SIDE_PT = 160.0
_SIGNS = ALPHABET.replace("\n", "").replace(" ", "")


def few_words(rng: Random, place: Locale, most_lines: int, most_words: int) -> Canvas:
    """Draw up to so many lines of up to so many words on a page of 160 points: 224 pixels."""
    canvas = Canvas(SIDE_PT, SIDE_PT)
    y = rng.uniform(6, 40 if most_lines > 1 else SIDE_PT - 24)
    for _ in range(rng.randrange(1, most_lines + 1)):
        pen = Pen(Face(rng.choice(("sans", "serif", "mono")), rng.random() < 0.3), rng.uniform(11, 24) / PIXELS_PER_POINT)
        text = " ".join(_word(rng, place) for _ in range(rng.randrange(1, most_words + 1)))
        while pen.width(text) > SIDE_PT - 14:
            text = text[:-1].strip()
        if y + pen.size > SIDE_PT - 6:
            break
        canvas.text(rng.uniform(6, SIDE_PT - 7 - pen.width(text)), y, text, pen)
        y += pen.size * rng.uniform(1.3, 2.5)
    return canvas


def _word(rng: Random, place: Locale) -> str:
    share = rng.random()
    if share < 0.5:
        word = names.word(rng, place.language)
        return rng.choice((word, word, word.capitalize(), word.upper()))
    if share < 0.75:
        return str(rng.randrange(10 ** rng.randrange(1, 6)))
    return "".join(rng.choice(_SIGNS) for _ in range(rng.randrange(1, 6)))
