"""Prompts to token ids and back, the same for every engine: neither transformers' processor nor vLLM's renderer has a say in it.

It reads tokenizer.json; it knows nothing of weights or of torch.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tokenizers import Tokenizer
from tokenizers.decoders import DecodeStream

from pipeline.engines.description import Description
from pipeline.errors import CheckpointError


class UnusablePrompt(ValueError):
    """A prompt that cannot be asked: it would be taken for something else than text."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """A checkpoint's tokenizer, and the layout of PaliGemma's prefix."""

    description: Description
    tokenizer: Tokenizer
    control_ids: frozenset[int]

    @classmethod
    def load(cls, description: Description) -> "Vocabulary":
        """Read the tokenizer of a checkpoint, or raise CheckpointError."""
        path = description.folder / "tokenizer.json"
        if not path.exists():
            raise CheckpointError(f"{description.folder} has no tokenizer.json: it is not a whole checkpoint")
        tokenizer = Tokenizer.from_file(str(path))
        bos = tokenizer.token_to_id(description.bos_token)
        if bos is None:
            raise CheckpointError(f"{path} does not have the token {description.bos_token}")
        return cls(description, tokenizer, frozenset({*description.eos_ids, description.pad_id, description.image_id, bos}))

    def text_prefix(self, prompt: str) -> list[int]:
        """Return bos, the prompt and one newline. Raises UnusablePrompt for a prompt that spells a control token."""
        ids: list[int] = self.tokenizer.encode(f"{self.description.bos_token}{prompt}\n", add_special_tokens=False).ids
        spelled = [self.tokenizer.id_to_token(token) for token in ids[1:] if token in self.control_ids]
        if spelled:
            raise UnusablePrompt(
                f"the prompt spells {', '.join(map(str, spelled))}, which would be read as a command to the model"
            )
        return ids

    def prefix(self, prompt: str) -> list[int]:
        """Return the image tokens and the text prefix: all that the model attends to in both directions."""
        return [self.description.image_id] * self.description.image_tokens + self.text_prefix(prompt)

    def text(self, token_ids: Sequence[int]) -> str:
        """Return what the model wrote: `<loc>` and `<seg>` stay, eos and its like go."""
        kept = [token for token in token_ids if token not in self.control_ids]
        return str(self.tokenizer.decode(kept, skip_special_tokens=False))

    def pieces(self, token_ids: Sequence[int]) -> tuple[str, ...]:
        """Return what of the text each token wrote; "" of eos and its like, and of all but the last of those that write one character."""
        stream = DecodeStream(skip_special_tokens=False)
        return tuple("" if token in self.control_ids else stream.step(self.tokenizer, token) or "" for token in token_ids)
