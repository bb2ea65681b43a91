"""The project's own documents: drawn by seed, with the truth of every page."""

from jobs.synth.document import KINDS, Split, generate
from jobs.synth.examples import synth_examples
from jobs.synth.finish import FINISHES, Finish
from jobs.synth.folder import synth, truth_of
from jobs.synth.samples import samples

__all__ = ["FINISHES", "KINDS", "Finish", "Split", "generate", "samples", "synth", "synth_examples", "truth_of"]
