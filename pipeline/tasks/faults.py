"""What can be wrong with any answer, whatever the task: the engine failed, the answer was cut off, stuck, refused, or echoed.

Judged by text, finish reason and prompt alone: exactly what a kept completion has, so `redecode` and the live run agree.
It does not know what a good answer looks like; each task's decoder does.
"""

import re
from collections.abc import Callable

from pipeline.tasks.base import Reading
from pipeline.tasks.loops import looping
from pipeline.tasks.tokens import Malformed
from schemas.view import Completion

_REFUSAL = re.compile(
    r"""(?:(?:i'm|i\ am)\ )?(?:sorry[,.!]?\ )?(?:but\ )?
        (?: as\ an?\ (?:base\ )?(?:vlm|ai\ (?:assistant|model)|(?:ai\ |large\ |vision[-\ ])?language\ model)\b.*
          | i\ (?:am|'m)\ not\ trained\ to\ answer\b.*
          | i'm\ not\ trained\ to\ answer\b.*
          | i\ (?:can\ ?not|can't|could\ not|am\ unable\ to|am\ not\ able\ to)\ (?:answer|help|assist|comply|see|process|read)\b.*
        )""",
    re.VERBOSE,
)
_LONGEST_REFUSAL = 240
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_STRAY = re.compile(r"<(?:loc\d{4}|seg\d{3}|image|bos|eos|pad|unk)>")


def fault(completion: Completion, prompt: str) -> Reading | None:
    """Return the reject that this completion is for every task, or None where it can be decoded.

    Codes: `engine_error`, `malformed`, `loop`, `cut_off`, `refusal`, `echo`. An empty answer is left to the task.
    """
    if completion.finish_reason == "error":
        return reject("engine_error", f"the engine failed on this request: {completion.error or 'it did not say why'}")
    text, cut_off = completion.text, completion.finish_reason == "length"
    if _SURROGATE.search(text):
        return reject("malformed", "the answer holds half characters, which no file can store")
    if looping(text, cut_off=cut_off):
        return reject("loop", "the answer repeats itself and was not taken")
    if cut_off:
        return reject("cut_off", "the answer hit the task's max_tokens and is not whole")
    if is_refusal(text):
        return reject("refusal", f"the model declined: {_excerpt(text)}")
    if is_echo(text, prompt):
        return reject("echo", "the answer repeats the prompt")
    return None


def parsed(completion: Completion, prompt: str, parse: Callable[[str], Reading]) -> Reading:
    """Return what a task's own parser makes of an answer without fault; what it raises as Malformed is a reject in its words."""
    if broken := fault(completion, prompt):
        return broken
    try:
        return parse(completion.text)
    except Malformed as exc:
        return reject("malformed", str(exc))


def reject(code: str, message: str) -> Reading:
    """Return a reading that carries no value."""
    return Reading(verdict="reject", code=code, message=message)


def absent(code: str, message: str) -> Reading:
    """Return the result that the page has no such thing; `code` says how the model put it."""
    return Reading(verdict="absent", code=code, message=message)


def stray_tokens(text: str) -> Reading | None:
    """Return the reject of an answer in words that holds location, mask or special tokens, else None."""
    found = _STRAY.search(text)
    return reject("malformed", f"{found[0]} stands in an answer that should be words") if found else None


def is_refusal(text: str) -> bool:
    """Say whether the whole answer is a sentence that declines, as the mix checkpoints were trained to say it.

    Only one short line counts: a letter on a page may well be sorry.
    """
    line = _plain(text).replace("’", "'")
    return len(line) <= _LONGEST_REFUSAL and "\n" not in text.strip() and _REFUSAL.fullmatch(line) is not None


def is_echo(text: str, prompt: str) -> bool:
    """Say whether the answer is the prompt again, or, for prompts of three words or more, begins with it."""
    said, asked = _plain(text), _plain(prompt)
    return said == asked or (len(asked.split()) >= 3 and said.startswith(asked))


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _excerpt(text: str, longest: int = 120) -> str:
    line = " ".join(text.split())
    return line if len(line) <= longest else line[: longest - 1] + "…"
