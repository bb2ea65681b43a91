"""Task question: a question to which the given words are the answer on this page.

A prompt of one's own is a template with {lang} and {answer}.
"""

from pipeline.tasks.base import Ask, Reading
from pipeline.tasks.prompts import filled
from pipeline.tasks.prose import decode_words
from schemas.job import QuestionTask
from schemas.view import Affine, Completion

PROMPT = "question {lang} {answer}"


def ask(task: QuestionTask) -> Ask:
    """Return the request for a question."""
    prompt = filled(task.prompt or PROMPT, lang=task.lang, answer=task.answer)

    def read(completion: Completion, affine: Affine) -> Reading:
        return decode_words(completion, affine, prompt)

    return Ask(key="question", prompt=prompt, max_tokens=task.max_tokens, decode=read)
