"""DocVQA: one JSON file whose `data` holds a question, an image's name and every answer that counts as right."""

from jobs.evaluate.expected import Expected, Labels, LeftOut, Place
from jobs.evaluate.jsonfile import Foreign, as_shape


class Question(Foreign):
    """One question; the test split has no answers."""

    question: str
    image: str
    answers: tuple[str, ...] = ()


class Questions(Foreign):
    """One file."""

    data: tuple[Question, ...]


def read_docvqa(uris: list[str]) -> Labels:
    """Return the questions of each file. Raises JobError on what is none."""
    expected: list[Expected] = []
    left_out = []
    for uri in uris:
        for each in as_shape(uri, Questions).data:
            if each.answers:
                place = Place(0, name=each.image)
                expected.append(Expected(place, "docvqa", "answer", question=each.question, answers=each.answers))
            else:
                left_out.append(LeftOut("questions without an answer", f"{each.image}: {each.question}"))
    return Labels("docvqa", tuple(expected), tuple(left_out))
