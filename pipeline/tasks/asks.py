"""From a task of the job file to the questions that a page is asked."""

from pipeline.errors import JobError
from pipeline.tasks import answer, ocr
from pipeline.tasks.base import Ask
from schemas.job import AnswerTask, OcrTask, Task


def asks(task: Task) -> tuple[Ask, ...]:
    """Return the questions of a task: one of most, one a field of `answer`. Raises JobError on what no question can be made of."""
    match task:
        case OcrTask():
            return (ocr.ask(task),)
        case AnswerTask():
            return answer.asks(task)
        case _:
            raise JobError(f"task {task.type} is not there yet")
