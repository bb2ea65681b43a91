"""What no engine can answer, found before any model is asked. The same words from every engine."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pipeline.engines.description import Description
from schemas.view import Completion, Request


@dataclass(frozen=True, slots=True)
class Accepted:
    """A request in a model's terms: the tokens before its answer, those of the image among them, and how many the answer may have."""

    prefix: list[int]
    max_tokens: int


def accepted(request: Request, description: Description, prefix: Callable[[str], list[int]], longest: int) -> Accepted:
    """Take a request on, or raise ValueError with what is wrong with it; prefix and answer may have `longest` tokens together.

    At the model's own end an answer is cut, on every engine alike; short of that it would be cut by how the engine was set up.
    """
    if reason := why_unusable(request, description.resolution):
        raise ValueError(reason)
    token_ids = prefix(request.prompt)
    room = longest - len(token_ids)
    if room < 1 or (request.max_tokens > room and longest < description.max_positions):
        raise ValueError(
            f"{request.max_tokens} tokens asked for, and the engine was started with room for {max(room, 0)} after this prompt"
        )
    return Accepted(token_ids, min(request.max_tokens, room))


def why_unusable(request: Request, resolution: int) -> str | None:
    """Return what is wrong with a request for views of `resolution` px, or None."""
    image = request.view.image
    wanted = (resolution, resolution, 3)
    if image.shape != wanted or image.dtype != np.uint8:
        return f"the view is {image.dtype} of shape {image.shape}, and the engine reads uint8 of {wanted}"
    if "\n" in request.prompt:
        return "a prompt is one line: the newline that ends it is the engine's"
    if request.max_tokens < 1:
        return f"max_tokens is {request.max_tokens}: an answer has at least one token"
    return None


def failed(reason: str) -> Completion:
    """Return the completion of a request that failed alone."""
    return Completion(text="", token_ids=(), logprobs=(), finish_reason="error", error=reason)
