"""The project's own documents: drawn by seed, with the truth of every page."""

from jobs.synth.document import KINDS, Split, generate
from jobs.synth.finish import FINISHES, Finish
from jobs.synth.folder import synth, truth_of

__all__ = ["FINISHES", "KINDS", "Finish", "Split", "generate", "synth", "truth_of"]
