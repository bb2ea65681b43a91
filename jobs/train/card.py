"""What stands beside weights: what they came from, under which terms, what they were taught and how well they answer. Pure text."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from jobs.train.scores import Score
from pipeline.engines.description import Description
from pipeline.tasks.kinds import kind_of

_LICENCE_ROW = re.compile(r"^\|\s*licen[cs]e\s*\|(.+)\|\s*$", re.IGNORECASE | re.MULTILINE)
_GEMMA = "Gemma Terms of Use and its Prohibited Use Policy (ai.google.dev/gemma/terms): who receives these weights must receive the terms too"
_RESEARCH_ONLY = "; PaliGemma 1 mix and fine-tuned checkpoints are for research only"


def tuned_card(origin: str, terms: str, facts: Mapping[str, str], scores: Sequence[tuple[Score, Score]]) -> str:
    """Return the card of a fine-tune: `facts` by name, and each held-out score before and after."""
    rows = "\n".join(f"| {name} | {value} |" for name, value in facts.items())
    return (
        f"# A fine-tune of {origin}\n\n"
        f"| | |\n|---|---|\n| made from | `{origin}` |\n{rows}\n| licence | {terms} |\n\n"
        f"## On the pages held out\n\n{scores_table(scores)}\n"
        "Measured with the engine that serves it, greedily, on views as `pagemill run` makes them.\n"
    )


def scores_table(scores: Sequence[tuple[Score, Score]]) -> str:
    """Return scores before and after as a Markdown table, or a line that says that nothing was held out."""
    if not scores:
        return "No page was held out: nothing is known of how well it reads what it has not seen.\n"
    lines = [
        f"| {after.task} | {after.metric} | {before.value:.1%} | {after.value:.1%} | {after.count} |"
        for before, after in scores
    ]
    return "\n".join(["| task | metric | before | after | answers |", "|---|---|---|---|---|", *lines, ""])


def terms_of(description: Description, checkpoint: str) -> str:
    """Return the terms that weights made from a checkpoint stand under: its own card's, else its family's; `checkpoint` is its name."""
    for name in ("MODEL_CARD.md", "README.md"):
        if found := _licence_row(description.folder / name):
            return found
    kind = kind_of(checkpoint)
    if kind is None:
        return (
            f"that of `{checkpoint}`, whose folder states none; if it derives from Google's PaliGemma: {_GEMMA}{_RESEARCH_ONLY}"
        )
    return _GEMMA + (_RESEARCH_ONLY if description.family == "paligemma" and kind != "pt" else "")


def _licence_row(path: Path) -> str | None:
    if not path.is_file():
        return None
    found = _LICENCE_ROW.search(path.read_text(encoding="utf-8", errors="replace"))
    return found[1].strip() if found else None
