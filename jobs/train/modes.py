"""What of a checkpoint can be taught, and how fast; light, so that the command line can name it."""

from typing import Literal, get_args

Mode = Literal["lora", "lora-all", "projector", "full"]
MODES: tuple[Mode, ...] = get_args(Mode)
"""LoRA factors beside the language model's layers, or beside all linear layers; the projector alone; every weight."""
RATES: dict[Mode, float] = {"lora": 2e-4, "lora-all": 1e-4, "projector": 1e-3, "full": 2e-5}
"""Learning rates that suit the published checkpoints; the embedded one, a thousand times smaller, takes ten times as much."""
