"""From tasks to questions."""

import subprocess
import sys
from typing import get_args

import pytest
from pydantic import TypeAdapter

from pipeline.errors import JobError
from pipeline.tasks.asks import asks, page_asks
from pipeline.tasks.prompts import filled
from schemas.job import AnswerTask, OcrTask, RawTask, Task
from schemas.view import Affine, Completion

EXAMPLES = {
    "ocr": {},
    "spot": {},
    "answer": {"fields": [{"name": "a", "question": "b?"}, {"name": "c", "question": "d?", "type": "date"}]},
    "refer": {"phrase": "the logo"},
    "detect": {"labels": ["stamp"]},
    "segment": {"labels": ["stamp"]},
    "caption": {},
    "question": {"answer": "12"},
    "table": {},
    "raw": {"name": "toc", "prompt": "list"},
}
KEYS = ["ocr", "spot", "answer.a", "answer.c", "refer.the-logo", "detect", "segment", "caption", "question", "table", "raw.toc"]
READER = TypeAdapter(Task)
TASKS = [READER.validate_python({"type": kind, **keys}) for kind, keys in EXAMPLES.items()]


def test_every_task_of_the_job_file_is_tried_here():
    """A task that is added to the job file must be added to these tests."""
    union = get_args(get_args(Task)[0])
    assert {get_args(task.model_fields["type"].annotation)[0] for task in union} == set(EXAMPLES)


def test_every_task_becomes_questions():
    """Each task has its key, one line of prompt and its own bound on tokens."""
    questions = page_asks(TASKS)
    assert [ask.key for ask in questions] == KEYS
    assert all(ask.prompt and "\n" not in ask.prompt and "<image>" not in ask.prompt for ask in questions)
    assert [len(asks(task)) for task in TASKS] == [1, 1, 2, 1, 1, 1, 1, 1, 1, 1]
    assert all(ask.max_tokens == task.max_tokens for task in TASKS for ask in asks(task))


def test_the_same_task_is_the_same_question():
    """Asks of equal tasks are equal, so that a run can tell what it has asked before."""
    assert page_asks(TASKS) == page_asks(TASKS)


@pytest.mark.parametrize("finish_reason", ["stop", "length", "error"])
def test_every_decoder_is_total(finish_reason):
    """Every task's decoder answers an empty, an odd and a failed completion with a verdict."""
    for ask in page_asks(TASKS):
        for text in ["", "x", "<loc0001>" * 4, "\x00", "\udc80", "unanswerable", "<table>", "9" * 3000, "<" * 500]:
            completion = Completion(text, (), (), finish_reason, "oom" if finish_reason == "error" else None)
            for affine in (Affine(1, 0, 0, 1, 0, 0), Affine(0, 0, 0, 0, 0, 0)):
                reading = ask.decode(completion, affine)
                assert reading.verdict in {"value", "absent", "reject"}
                assert (reading.code is None) == (reading.verdict == "value")
                assert finish_reason == "stop" or reading.verdict == "reject"


def test_two_tasks_under_one_key_are_refused():
    """Two answers under one name could not be told apart in the rows."""
    with pytest.raises(JobError, match="both be called ocr"):
        page_asks([OcrTask(type="ocr"), OcrTask(type="ocr", prompt="read")])


@pytest.mark.parametrize("prompt", ["a <image> b", "<bos>list", "line\u2028line", "a\rb"])
def test_prompts_hold_no_line_breaks_and_no_image_tokens(prompt):
    """Only the engine adds those; in a prompt they are an error of the job."""
    with pytest.raises(JobError, match="may not hold"):
        asks(RawTask(type="raw", name="a", prompt=prompt))
    with pytest.raises(JobError, match="may not hold"):
        asks(AnswerTask(type="answer", fields=({"name": "a", "question": prompt},)))


def test_a_template_is_filled_once():
    """What is put into a template is not filled again, and unknown braces stand as they are."""
    assert filled("{a} {b} {c}", a="{b}", b="1") == "{b} 1 {c}"


def test_asking_needs_neither_torch_nor_ray():
    """Validating a job file imports no engine."""
    code = "import sys, pipeline.tasks.asks, pipeline.tasks.kinds; print({'torch', 'ray', 'vllm', 'transformers'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
