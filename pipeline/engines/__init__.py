"""Models that answer: a seam (base.py), what serves a checkpoint, and the gate that holds it against the reference."""
