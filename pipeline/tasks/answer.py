"""Task answer: fields of a page, one question each, which may be asked in several words.

The prompt is a template with {question} and {lang} ("{question}" alone is what ft-docvqa and ft-chartqa understand). `unanswerable`
is how PaliGemma was taught to say that a page has no such thing: a result. Every reading carries its row, `value`, whatever the verdict.
"""

from collections.abc import Sequence

from pipeline.tasks.base import Ask, Reading
from pipeline.tasks.faults import fault, is_echo, reject, stray_tokens
from pipeline.tasks.locales import check_locale
from pipeline.tasks.prompts import filled
from pipeline.tasks.structure import form
from pipeline.tasks.unanswerable import UNANSWERABLE, is_unanswerable
from pipeline.tasks.values import typed
from schemas.field import FieldValue
from schemas.job import AnswerField, AnswerTask
from schemas.view import Affine, Completion

PROMPT = "answer {lang} {question}"


def asks(task: AnswerTask) -> tuple[Ask, ...]:
    """Return one question a field, in the job's order. Raises JobError on a locale that CLDR does not have."""
    return tuple(_ask(task, field) for field in task.fields)


def decode(completion: Completion, _affine: Affine, field: AnswerField, prompts: Sequence[str], lang: str = "en") -> Reading:
    """Return the field's value and the row of fields/ that says how it was found, whatever was said to any of the prompts."""
    broken = next(filter(None, (fault(completion, prompt) for prompt in prompts)), None) or stray_tokens(completion.text)
    if broken:
        return _rejected(broken)
    text = completion.text.strip()
    if not text:
        return _rejected(reject("empty", "the model said nothing"))
    if any(is_echo(text, question) for question in field.questions):
        return _rejected(reject("echo", "the answer repeats the question"))
    if is_unanswerable(text):
        value = FieldValue(status="absent", reason=UNANSWERABLE)
        return Reading(verdict="absent", code=UNANSWERABLE, message="the page does not answer this", value=value)
    value = typed(text, field, lang)
    if value.status == "ok":
        return Reading(verdict="value", text=text, value=value)
    code, _, message = str(value.reason).partition(": ")
    return Reading(verdict="reject", code=code, message=message, value=value)


def _ask(task: AnswerTask, field: AnswerField) -> Ask:
    check_locale(f"field {field.name}", field.locale)
    prompts = [filled(task.prompt or PROMPT, lang=task.lang, question=question) for question in field.questions]

    def read(completion: Completion, affine: Affine) -> Reading:
        return decode(completion, affine, field, prompts, task.lang)

    return Ask(
        key=f"answer.{field.name}",
        prompt=prompts[0],
        max_tokens=task.max_tokens,
        decode=read,
        answer_field=field,
        settings=f"{task.lang} structured" if task.structured else task.lang,
        rephrased=tuple(prompts[1:]),
        confirm=field.confirm,
        form=form(field) if task.structured else None,
    )


def _rejected(broken: Reading) -> Reading:
    value = FieldValue(status="rejected", reason=f"{broken.code}: {broken.message}")
    return Reading(verdict="reject", code=broken.code, message=broken.message, value=value)
