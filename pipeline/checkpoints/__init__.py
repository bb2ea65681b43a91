"""The PaliGemma that ships with the package, and what builds it. Knows nothing of engines."""

from pathlib import Path

EMBEDDED = "embedded"
"""What a job file calls it."""
EMBEDDED_FOLDER = Path(__file__).with_name("embedded")
EMBEDDED_CONFIDENCE = Path(__file__).with_name("embedded-confidence.json")
"""How its answers are weighed: beside the folder, as they are no part of the checkpoint that rows name by its hash."""
