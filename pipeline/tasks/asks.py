"""From the tasks of the job file to the questions that a page is asked."""

from collections.abc import Sequence
from typing import assert_never

from pipeline.errors import JobError
from pipeline.tasks import answer, caption, detect, ocr, question, raw, refer, segment, spot, table
from pipeline.tasks.base import Ask
from pipeline.tasks.segment import MaskDecoder
from schemas.job import (
    AnswerTask,
    CaptionTask,
    DetectTask,
    OcrTask,
    QuestionTask,
    RawTask,
    ReferTask,
    SegmentTask,
    SpotTask,
    TableTask,
    Task,
)


def asks(task: Task, masks: MaskDecoder | None = None) -> tuple[Ask, ...]:
    """Return the questions of a task: one of most, one a field of `answer`.

    `masks` decodes the masks of `segment` and `refer` (pipeline.tasks.masks loads it from the weights that the job names); without
    it their boxes are all. Raises JobError on what no question can be made of.
    """
    match task:
        case AnswerTask():
            return answer.asks(task)
        case SegmentTask():
            return (segment.ask(task, masks),)
        case ReferTask():
            return (refer.ask(task, masks),)
        case _:
            return (_plain(task),)


def page_asks(tasks: Sequence[Task], masks: MaskDecoder | None = None) -> tuple[Ask, ...]:
    """Return the questions of all tasks, in order. Raises JobError where two would stand under one key in the rows."""
    questions = tuple(ask for task in tasks for ask in asks(task, masks))
    keys = [ask.key for ask in questions]
    if twice := sorted({key for key in keys if keys.count(key) > 1}):
        raise JobError(f"two tasks would both be called {', '.join(twice)}: put their labels or fields into one")
    return questions


def _plain(task: OcrTask | SpotTask | DetectTask | CaptionTask | QuestionTask | TableTask | RawTask) -> Ask:
    match task:
        case OcrTask():
            return ocr.ask(task)
        case SpotTask():
            return spot.ask(task)
        case DetectTask():
            return detect.ask(task)
        case CaptionTask():
            return caption.ask(task)
        case QuestionTask():
            return question.ask(task)
        case TableTask():
            return table.ask(task)
        case RawTask():
            return raw.ask(task)
        case _:
            assert_never(task)
