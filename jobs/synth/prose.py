"""Sentences and headlines for letters and articles: patterns whose slots are filled with invented words, goods, numbers and names."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import islice
from random import Random

from jobs.synth import names
from jobs.synth.locales import Locale, number
from jobs.synth.patterns import HEADLINES, SENTENCES


def sentence(rng: Random, place: Locale) -> str:
    """Make up a sentence."""
    return _filled(rng, rng.choice(SENTENCES[place.language]), place)


def headline(rng: Random, place: Locale) -> str:
    """Make up the subject of a letter or the head of an article."""
    return _filled(rng, rng.choice(HEADLINES[place.language]), place)


def sentences(rng: Random, place: Locale) -> Iterator[str]:
    """Make up sentences without end; none is of a kind that came just before, as long as there are others."""
    while True:
        patterns = list(SENTENCES[place.language])
        rng.shuffle(patterns)
        for pattern in patterns:
            yield _filled(rng, pattern, place)


def paragraph(source: Iterator[str], count: int) -> str:
    """Return a paragraph of the next sentences."""
    return " ".join(islice(source, count))


def _filled(rng: Random, pattern: str, place: Locale) -> str:
    language, goods = place.language, names.goods(rng, place.language)
    text = pattern.format(
        goods=goods[0].lower() + goods[1:] if language != "de" else goods,
        place=names.name(rng, language),
        person=names.person(rng, language),
        word=names.word(rng, language),
        n=rng.randrange(2, 99),
        code=names.code(rng, rng.choice(("AA-###", "##/####", "A####", "#####"))),
        amount=f"{number(Decimal(rng.randrange(500, 999999)) / 100, place)} {place.currency}",
    )
    return text[0].upper() + text[1:]
