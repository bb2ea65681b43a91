"""What no engine can answer, found before any model is asked. The same words from every engine."""

import numpy as np

from schemas.view import Completion, Request


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
