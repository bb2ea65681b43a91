"""The PaliGemma that ships with the package, and what builds it. Knows nothing of engines."""

from pathlib import Path

EMBEDDED_FOLDER = Path(__file__).with_name("embedded")
"""The checkpoint that a job file calls `embedded`."""
