"""The documents that ship with the project: which seed each of them is.

`pagemill synth --examples jobs/examples/documents` writes them anew.
"""

from pathlib import Path

from jobs.synth.document import generate
from jobs.synth.finish import Finish
from jobs.synth.folder import save

FOLDER = Path(__file__).parents[1] / "examples" / "documents"
"""Where they lie."""

EXAMPLES: dict[str, tuple[str, int, Finish]] = {
    "invoice": ("invoice", 8, "pdf"),
    "invoice-scan": ("invoice", 12, "scan"),
    "invoice-rotated": ("invoice", 7, "rotated"),
    "receipt": ("receipt", 4, "png"),
    "receipt-photo": ("receipt", 5, "jpeg"),
    "letter": ("letter", 4, "jp2"),
    "letter-encrypted": ("letter", 0, "encrypted"),
    "form": ("form", 3, "scan"),
    "statement": ("statement", 3, "pdf"),
    "statement-fax": ("statement", 0, "tiff"),
    "article": ("article", 3, "pdf"),
    "blank": ("blank", 3, "scan"),
    "article-truncated": ("article", 0, "truncated"),
}
"""By file name without its ending: kind, seed and finish."""


def synth_examples(out: Path) -> list[Path]:
    """Write the documents that ship, and their truths, into a folder; return the documents' paths."""
    out.mkdir(parents=True, exist_ok=True)
    return [save(out, name, *generate(kind, seed, finish, "shipped")) for name, (kind, seed, finish) in EXAMPLES.items()]
