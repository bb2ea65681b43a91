"""The documents that ship with the project: which seed each of them is."""

from pathlib import Path

from jobs.synth.document import generate
from jobs.synth.finish import Finish
from jobs.synth.folder import save

EXAMPLES: dict[str, tuple[str, int, Finish]] = {
    "invoice": ("invoice", 1, "pdf"),
    "invoice-scan": ("invoice", 2, "scan"),
    "invoice-rotated": ("invoice", 3, "rotated"),
    "receipt": ("receipt", 1, "png"),
    "receipt-photo": ("receipt", 2, "jpeg"),
    "letter": ("letter", 1, "jp2"),
    "letter-encrypted": ("letter", 2, "encrypted"),
    "form": ("form", 1, "scan"),
    "statement": ("statement", 1, "pdf"),
    "statement-fax": ("statement", 2, "tiff"),
    "article": ("article", 1, "pdf"),
    "blank": ("blank", 1, "scan"),
    "article-truncated": ("article", 2, "truncated"),
}
"""By file name without its ending: kind, seed and finish."""


def synth_examples(out: Path) -> list[Path]:
    """Write the documents that ship, and their truths, into a folder; return the documents' paths."""
    out.mkdir(parents=True, exist_ok=True)
    return [save(out, name, *generate(kind, seed, finish, "shipped")) for name, (kind, seed, finish) in EXAMPLES.items()]
