"""FUNSD (scanned forms): annotations/NAME.json with a `form` of entities, each with words and links from questions to answers.

The form's text is read from its entities in rows from top to bottom, which FUNSD itself leaves open; a question with linked answers is
a field of that name.
"""

from jobs.evaluate.expected import Expected, Labels, Place, stem
from jobs.evaluate.jsonfile import Foreign, as_shape


class Entity(Foreign):
    """One piece of a form; `box` in pixels, x0, y0, x1, y1; `linking` holds pairs of ids."""

    id: int
    text: str
    box: tuple[float, float, float, float]
    label: str
    linking: tuple[tuple[int, int], ...] = ()


class Form(Foreign):
    """One file."""

    form: tuple[Entity, ...]


def read_funsd(uris: list[str]) -> Labels:
    """Return the text and the linked questions of each form. Raises JobError on what is no form."""
    return Labels("funsd", tuple(each for uri in uris for each in _of_form(uri)))


def _of_form(uri: str) -> list[Expected]:
    entities, place = as_shape(uri, Form).form, Place(0, stem=stem(uri))
    text = "\n".join(entity.text for entity in _in_rows(list(entities)) if entity.text.strip())
    return [Expected(place, "funsd", "ocr", answers=(text,)), *_fields(entities, place)]


def _fields(entities: tuple[Entity, ...], place: Place) -> list[Expected]:
    by_id = {entity.id: entity for entity in entities}
    found = []
    for question in (entity for entity in entities if entity.label == "question" and entity.text.strip()):
        others = [by_id[id_] for pair in question.linking for id_ in pair if id_ != question.id and id_ in by_id]
        answers = [other for other in others if other.label == "answer" and other.text.strip()]
        if answers:
            joined = " ".join(answer.text for answer in _in_rows(answers))
            found.append(Expected(place, "funsd", "answer", name=question.text, answers=(joined,)))
    return found


def _in_rows(entities: list[Entity]) -> list[Entity]:
    """Return entities row by row: those whose middle lies within the height of the row's first are one row, from left to right."""
    rows: list[list[Entity]] = []
    for entity in sorted(entities, key=lambda entity: entity.box[1]):
        middle = (entity.box[1] + entity.box[3]) / 2
        if rows and middle < rows[-1][0].box[3]:
            rows[-1].append(entity)
        else:
            rows.append([entity])
    return [entity for row in rows for entity in sorted(row, key=lambda entity: entity.box[0])]
