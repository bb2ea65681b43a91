"""What speaks for a value and against it, before anybody weighs it; and the weights."""

from typing import Literal

from pydantic import Field

from schemas.shape import Shape


class Signals(Shape):
    """What is known of how one value was read; None where it is not known, or does not apply.

    Of the answer's own tokens: the mean and the least natural log-probability, and the least margin by which a token was likelier
    than the next best (natural logarithm). Agreements go from 0 to 1: of the value with the page's text layer (`layer`) and with
    the text that the model read of the whole page (`text`); of the answer with those of the other tiles that gave one (`tiles`), of
    the rungs before (`rungs`), of the same question in other words (`questions`), and of the value with what its place says, read
    again (`box`). `checked` says that the value has a form that a misreading is likely to break (a type, a pattern, a check digit),
    `cross_check` whether it fits the values it is checked against. `named` is the share of the words of the field's name that stand
    in the page's text. Of the whole page: `page_logprob` is the mean natural log-probability of all tokens that were said of it,
    and `repeated` whether another of its fields was given the same value.
    """

    mean_logprob: float | None = None
    least_logprob: float | None = None
    least_margin: float | None = None
    tokens: int | None = None
    finish_reason: str | None = None
    loops: bool | None = None
    checked: bool | None = None
    layer: float | None = None
    text: float | None = None
    tiles: float | None = None
    rungs: float | None = None
    questions: float | None = None
    box: float | None = None
    cross_check: bool | None = None
    named: float | None = None
    page_logprob: float | None = None
    repeated: bool | None = None


class Fitted(Shape):
    """What a confidence model was fitted on: how many answers, of how many documents, how many were wrong, read by which checkpoints."""

    answers: int
    documents: int
    wrong: int
    checkpoints: tuple[str, ...]
    note: str = ""


class Weights(Shape):
    """A logistic regression: confidence is 1 / (1 + exp(-(intercept + sum of weight × feature))), over the features of pipeline.confidence."""

    intercept: float
    weights: dict[str, float] = Field(min_length=1)
    fitted_on: Fitted


class ConfidenceModel(Weights):
    """How answers to fields are weighed, and with weights of their own the `parts` of others, lines and cells, and `things` that are found.

    A model without them weighs parts or things as the one that ships does.
    """

    version: Literal[1] = 1
    parts: Weights | None = None
    things: Weights | None = None
