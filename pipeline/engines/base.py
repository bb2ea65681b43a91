"""The seam between the machine and a model: requests in, completions out, in the same order.

An engine adds the image tokens, bos and the closing newline, decodes greedily, and stops at eos or `max_tokens`.
It never raises for one bad request (that completion says "error"); it raises EngineDied when it can answer nothing any more.
"""

from collections.abc import Sequence
from typing import Protocol

from schemas.view import Completion, Request


class Engine(Protocol):
    """A served checkpoint. Calls may come from several threads at once."""

    @property
    def name(self) -> str:
        """Return the engine's name and version, as rows record it: "transformers 5.19.0"."""

    @property
    def resolution(self) -> int:
        """Return the side of its views, in pixels."""

    @property
    def checkpoint_hash(self) -> str:
        """Return the sha256, in hex, over the checkpoint's files (weights, configuration, tokenizer)."""

    def generate(self, requests: Sequence[Request]) -> list[Completion]:
        """Return one completion a request, in order."""

    def close(self) -> None:
        """Free what the engine holds; it answers nothing afterwards."""
