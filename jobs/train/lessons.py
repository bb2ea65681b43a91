"""Examples as batches for fine-tuning: shuffled anew each epoch by the seed alone, so that a resumed training goes on with the very next one."""

from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

import numpy as np
import torch

from jobs.train.company import WHOLE, Part
from jobs.train.examples import Example
from jobs.train.feed import Batch
from jobs.train.suffix import packed
from pipeline.engines.vocabulary import UnusablePrompt, Vocabulary


def teachable(vocabulary: Vocabulary, examples: Sequence[Example], longest: int) -> tuple[list[Example], dict[str, int]]:
    """Return the examples whose answers this checkpoint can write, and why how many others are left out."""
    kept: list[Example] = []
    left_out: dict[str, int] = {}
    for example in examples:
        if reason := _why_not(vocabulary, example, longest):
            left_out[reason] = left_out.get(reason, 0) + 1
        else:
            kept.append(example)
    return kept, left_out


def batches(
    vocabulary: Vocabulary, examples: Sequence[Example], views: Path, *, size: int, seed: int, start: int, part: Part = WHOLE
) -> Iterator[Batch]:
    """Yield batches for ever, from number `start`; the last of an epoch is filled up from the next. Of a part, every so manieth."""
    order = _order(len(examples), seed, start * size)
    for number in count():
        chosen = [examples[next(order)] for _ in range(size)]
        if number % part.of != part.index:
            continue
        images = np.stack([example.image(views) for example in chosen])
        yield Batch(
            pixels=torch.from_numpy(images),
            grids=None,
            rows=packed(vocabulary, [(example.prompt, example.target) for example in chosen]),
        )


def _order(examples: int, seed: int, start: int) -> Iterator[int]:
    epoch, place = divmod(start, examples)
    while True:
        yield from np.random.default_rng((seed, epoch)).permutation(examples)[place:].tolist()
        epoch, place = epoch + 1, 0


def _why_not(vocabulary: Vocabulary, example: Example, longest: int) -> str | None:
    try:
        vocabulary.text_prefix(example.prompt)
    except UnusablePrompt:
        return "the prompt spells a control token"
    answer = vocabulary.tokenizer.encode(example.target, add_special_tokens=False).ids
    if len(answer) >= longest:
        return f"the answer is longer than {longest} tokens (--max-tokens)"
    if vocabulary.control_ids & set(answer):
        return "the answer spells a control token"
    if vocabulary.tokenizer.token_to_id("<unk>") in answer:
        return "the checkpoint has no token for some of the answer's characters"
    return None
