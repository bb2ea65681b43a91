"""The gate before a served model: it must say what the reference says (reference.py), within what is stated here.

Every start of a served engine asks it the exam, and a failed one shows what differs. Nothing here knows vLLM.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.engines import exam
from pipeline.engines.base import Engine
from pipeline.engines.reference import Answer, Reference
from pipeline.errors import ParityError
from schemas.view import Completion


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far a served answer may be from the reference's.

    `logprob` bounds each agreed token's difference, `lead` that of the tokens between which an answer may part from the reference
    (natural logarithms): each finds its own no more than so much likelier than the next best. What follows is then another text, and is
    not compared.
    """

    logprob: float
    lead: float


# Measured on a CPU, on random weights, whose probabilities are peakier than a trained checkpoint's: float32 differs by up to 0.0002,
# bfloat16 by up to 0.21, while the faults that the gate is there for differ by 1 and more. Two tokens that may each be off by 0.3 can change
# places where one leads by 0.6. Without leads, by the two tokens' likeness alone, one checkpoint of noise in two was refused at a tie.
TOLERANCES = {"float32": Tolerance(logprob=0.001, lead=0.0), "bfloat16": Tolerance(logprob=0.3, lead=0.6)}


@dataclass(frozen=True, slots=True)
class Difference:
    """Where an answer leaves the reference: at `position`, in tokens from 0; a log-probability is None where there is no such token."""

    question: int
    prompt: str
    position: int
    reason: str
    reference_text: str
    served_text: str
    reference_logprob: float | None
    served_logprob: float | None

    def __str__(self) -> str:
        return (
            f"question {self.question} ({self.prompt!r}), token {self.position}: {self.reason}\n"
            f"    reference {_shown(self.reference_logprob)} {self.reference_text!r}\n"
            f"    served    {_shown(self.served_logprob)} {self.served_text!r}"
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of an examination."""

    engine: str
    reference: Reference
    tolerance: Tolerance
    differences: tuple[Difference, ...]

    @property
    def agrees(self) -> bool:
        return not self.differences

    def __str__(self) -> str:
        against = self.reference
        on = f"{against.dtype} on {against.device}, log-probabilities within {self.tolerance.logprob}"
        if self.agrees:
            return f"{self.engine} computes what transformers {against.transformers} computes with this checkpoint ({on})"
        return (
            f"{self.engine} does not compute what transformers {against.transformers} computes with this checkpoint ({on}):\n"
            + "\n".join(map(str, self.differences))
        )


def examine(engine: Engine, wanted: Reference) -> Verdict:
    """Ask an engine the exam and hold its answers against the reference's."""
    completions = engine.generate(exam.requests(engine.resolution))
    return Verdict(engine.name, wanted, TOLERANCES[wanted.dtype], tuple(differences(wanted, completions)))


def require(engine: Engine, wanted: Reference) -> None:
    """Raise ParityError, showing what differs, unless the engine answers the exam as the reference does."""
    verdict = examine(engine, wanted)
    if not verdict.agrees:
        raise ParityError(str(verdict))


def differences(wanted: Reference, completions: Sequence[Completion]) -> list[Difference]:
    """Return where the completions leave the reference by more than its dtype's tolerance: the first place of each answer."""
    found = []
    for question, (answer, completion) in enumerate(zip(wanted.answers, completions, strict=True)):
        for position, reason in _departures(answer, completion, TOLERANCES[wanted.dtype]):
            found.append(_difference(question, position, reason, answer, completion))
            break
    return found


def _departures(answer: Answer, completion: Completion, tolerance: Tolerance) -> Iterator[tuple[int, str]]:
    """Yield the positions at which a completion is not the reference's answer, and why."""
    if completion.finish_reason == "error":
        yield 0, f"it failed: {completion.error}"
        return
    for position, (right, said) in enumerate(zip(answer.token_ids, completion.token_ids, strict=False)):
        apart = abs(answer.logprobs[position] - completion.logprobs[position])
        if right != said:
            leads = answer.margins[position : position + 1] + completion.margins[position : position + 1]
            if not (len(leads) == 2 and all(0.0 <= lead <= tolerance.lead for lead in leads) and tolerance.lead):
                shown = " and ".join(f"{lead:.2f}" for lead in leads) or "unknown amounts"
                yield position, f"another token ({said}, not {right}); they lead by {shown}, and {tolerance.lead} is a tie"
            return
        if not apart <= tolerance.logprob:  # so that NaN is a difference
            yield position, f"the log-probability differs by {apart:.4f}, and {tolerance.logprob} is allowed"
    if len(answer.token_ids) != len(completion.token_ids):
        shorter = min(len(answer.token_ids), len(completion.token_ids))
        yield shorter, f"{len(completion.token_ids)} tokens, not {len(answer.token_ids)}"


def _difference(question: int, position: int, reason: str, answer: Answer, completion: Completion) -> Difference:
    return Difference(
        question=question,
        prompt=exam.PROMPTS[question][1],
        position=position,
        reason=reason,
        reference_text=answer.text,
        served_text=completion.text,
        reference_logprob=_at(answer.logprobs, position),
        served_logprob=_at(completion.logprobs, position),
    )


def _at(logprobs: Sequence[float], position: int) -> float | None:
    return logprobs[position] if position < len(logprobs) else None


def _shown(logprob: float | None) -> str:
    return "       –" if logprob is None else f"{logprob:8.4f}"
