"""SROIE (ICDAR 2019, scanned receipts): NAME.txt with `x1,y1,…,x4,y4,text` a line, and NAME.txt or NAME.json with the four fields.

The two lie in folders of their own under one name, so a file is known by what stands in it.
"""

import json
import re

from jobs.evaluate.expected import Expected, Labels, LeftOut, Place, stem
from jobs.evaluate.jsonfile import text_of

FIELDS = ("company", "date", "address", "total")
_LINE = re.compile(r"(?:\s*-?\d+\s*,){8}(?P<text>.*)")


def read_sroie(uris: list[str]) -> Labels:
    """Return the text and the fields of each receipt."""
    expected: list[Expected] = []
    left_out = []
    for uri in uris:
        text = text_of(uri)
        place = Place(0, stem=stem(uri))
        if found := _fields(text):
            expected += [_field(place, name, found[name]) for name in FIELDS if name in found]
        elif lines := _lines(text):
            expected.append(Expected(place, "sroie", "ocr", answers=("\n".join(lines),)))
        else:
            left_out.append(LeftOut("files that are no SROIE labels", uri))
    return Labels("sroie", tuple(expected), tuple(left_out))


def is_sroie(text: str) -> bool:
    """Return whether a file is one of either kind."""
    return bool(_fields(text) or _lines(text))


def _fields(text: str) -> dict[str, str]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    if not isinstance(found, dict) or not {"company", "total"} & set(found):
        return {}
    return {name: value for name, value in found.items() if isinstance(value, str)}


def _lines(text: str) -> list[str]:
    """Return the lines' words, or none where a line has no box: commas may stand in the words, never before them."""
    matches = [_LINE.fullmatch(line) for line in text.splitlines() if line.strip()]
    return [match["text"] for match in matches if match] if all(matches) else []


def _field(place: Place, name: str, value: str) -> Expected:
    # A receipt without a date or total has an empty one.
    return Expected(place, "sroie", "answer", name=name, answers=(value,) if value else (), is_absent=not value)
