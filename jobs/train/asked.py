"""What a view is asked in training, and what a perfect reader answers: the same words that the engines' tests go by."""

import re
from dataclasses import replace
from random import Random

from jobs.synth import article, form, invoice, letter, receipt
from jobs.synth.entries import ENTRIES
from jobs.train.recipe import ALL_TASKS, Lesson, Shares
from jobs.train.views import Seen, redrawn
from pipeline.strips import with_strips
from pipeline.tasks import detect, table
from pipeline.tasks.unanswerable import UNANSWERABLE
from schemas.box import LabelledBox
from schemas.view import Affine, Region

LABELS = ("title", "table", "total", "signature", "logo", "stamp")
LONGEST = {224: 260, 448: 1100}
"""Tokens of the longest answer that is taught at a resolution: what a tile of it holds, and a tail of denser ones. Where an
answer would be longer something else is asked; a recipe that asks for nothing shorter has it cut off."""
_TOKEN = re.compile(r"<[a-z0-9/]+>")
_ATTEMPTS = 4
_MISSING = 0.4
"""So often one of the values that a view is asked for is not in it."""
_FOREIGN = 0.5
"""So often a value that is missing is one that documents of another kind have: a run asks each page for all of them."""
_OF_ONE_KIND = (
    invoice.NUMBER,
    invoice.DUE,
    receipt.STORE,
    receipt.NUMBER,
    letter.SENDER,
    form.NUMBER,
    article.AUTHOR,
    *(entry.question for entry in ENTRIES if entry.question.name == "name"),
)
_NO_TABLE = 0.15
"""So often a view that was to be asked for its tables, and shows none, is asked nevertheless."""
_ALL_LABELS = 0.4
"""So often a view is asked for things of all labels, as a job asks; else for one to three."""
_LINES = "detect line"
_UNIT = Affine(1.0, 0.0, 0.0, 1.0, 0.0, 0.0)


def asked(rng: Random, seen: Seen, lesson: Lesson, resolution: int, asks: Shares = ALL_TASKS) -> tuple[Seen, str, str]:
    """Return the view as a run shows it for a prompt, that prompt, by the tasks' shares, and its true answer.

    Early lessons ask for the text alone, that of fields for a value. For tables a view is padded, and of a dense one's text it is a strip.
    """
    if lesson == "fields":
        return (seen, *values(rng, seen, 1)[0])
    if lesson != "tiles":
        return seen, "ocr", seen.answer("ocr") or ""
    for _ in range(_ATTEMPTS):
        region, prompt, answer = _question(rng, seen, resolution, asks)
        if tokens(answer) <= LONGEST[resolution]:
            return redrawn(seen, region, resolution), prompt, answer
    if "detect" in dict(asks):
        return (seen, *_detection(rng, seen))
    return redrawn(seen, region, resolution), prompt, answer


def values(rng: Random, seen: Seen, count: int) -> list[tuple[str, str]]:
    """Return so many prompts for values and their true answers: of what the view shows, and now and then one of what it does not.

    That is a value of the same page, or one that no document of this kind has.
    """
    prompts = [f"answer en {field.question}" for field in seen.page.fields]
    pairs = [(prompt, seen.answer(prompt) or UNANSWERABLE) for prompt in prompts]
    rng.shuffle(pairs)
    there = [pair for pair in pairs if pair[1] != UNANSWERABLE]
    missing = [pair for pair in pairs if pair[1] == UNANSWERABLE]
    if rng.random() < _FOREIGN:
        prompt = f"answer en {rng.choice(_OF_ONE_KIND).text}"
        missing = [(prompt, UNANSWERABLE)] if prompt not in prompts else missing
    chosen = [*missing[: rng.random() < _MISSING], *there] if there else missing
    return [chosen[index % len(chosen)] for index in range(count)]


def several(rng: Random, seen: Seen, count: int, asks: Shares) -> list[tuple[str, str]]:
    """Return so many prompts with short answers: for values and, where that is taught, one for the places of things."""
    if "detect" not in dict(asks):
        return values(rng, seen, count)
    return [*values(rng, seen, count - 1), _detection(rng, seen)]


def tokens(answer: str) -> int:
    """Return about how many tokens an answer takes: a character is one, and so is a place or a tag."""
    return len(_TOKEN.sub("x", answer))


def _question(rng: Random, seen: Seen, resolution: int, asks: Shares) -> tuple[Region, str, str]:
    """Return the region that is shown, a prompt and its answer."""
    task = rng.choices([name for name, _ in asks], [share for _, share in asks])[0]
    if task == "detect":
        return (seen.region, *_detection(rng, seen))
    if task == "lines":
        return seen.region, _LINES, _line_boxes(seen)
    if task == "table":
        whole = seen.region.padded()
        answer = replace(seen, region=whole).answer(table.PROMPT) or ""
        if answer or rng.random() < _NO_TABLE:
            return whole, table.PROMPT, answer
    if task == "answer" and seen.page.fields:
        prompt = f"answer en {rng.choice(seen.page.fields).question}"
        return seen.region, prompt, seen.answer(prompt) or ""
    prompt = task if task in ("ocr", "spot") else "ocr"
    part = rng.choice([each for each in with_strips([seen.region], resolution) if not each.is_divided]).shown()
    return part, prompt, replace(seen, region=part).answer(prompt) or ""


def _line_boxes(seen: Seen) -> str:
    """Return the places of all lines, without what they say: what `spot` says of places, in a sixth of the tokens."""
    return detect.encode([LabelledBox(label="line", box=box) for box in seen.line_boxes()], _UNIT)


def _detection(rng: Random, seen: Seen) -> tuple[str, str]:
    labels = LABELS if rng.random() < _ALL_LABELS else rng.sample(LABELS, rng.randrange(1, 4))
    prompt = f"detect {' ; '.join(labels)}"
    return prompt, seen.answer(prompt) or ""
