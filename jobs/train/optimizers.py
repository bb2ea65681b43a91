"""Two optimizers as one: Muon for the matrices within the layers, AdamW for tables, heads and vectors."""

import torch
from torch import nn

_BETAS = (0.9, 0.98)
Settings = dict[str, object]


def adamw(course: nn.Module, rate: float, decay: float) -> torch.optim.Optimizer:
    """Return AdamW over what is being taught; vectors do not decay."""
    return _adamw([each for each in course.parameters() if each.requires_grad], rate, decay)


class MuonAndAdamW:
    """What a training needs of an optimizer, done by two; a rate means the same to both."""

    def __init__(self, course: nn.Module, rate: float, decay: float) -> None:
        named = [(name, each) for name, each in course.named_parameters() if each.requires_grad]
        inner = [each for name, each in named if ".layers." in f".{name}" and each.ndim == 2]
        known = {id(each) for each in inner}
        self._both: tuple[torch.optim.Optimizer, ...] = (
            torch.optim.Muon(inner, lr=rate, weight_decay=decay, adjust_lr_fn="match_rms_adamw"),
            _adamw([each for _, each in named if id(each) not in known], rate, decay),
        )

    @property
    def param_groups(self) -> list[dict[str, object]]:
        return [group for each in self._both for group in each.param_groups]

    def step(self) -> None:
        """Take a step with each."""
        for each in self._both:
            each.step()

    def zero_grad(self, *, set_to_none: bool = True) -> None:
        """Forget all gradients."""
        for each in self._both:
            each.zero_grad(set_to_none=set_to_none)

    def state_dict(self) -> Settings:
        """Return what both need to go on."""
        return {"muon": self._both[0].state_dict(), "adamw": self._both[1].state_dict()}

    def load_state_dict(self, state: Settings) -> None:
        """Go on from there."""
        for name, each in zip(("muon", "adamw"), self._both, strict=True):
            each.load_state_dict(state[name])  # type: ignore[arg-type]


def _adamw(learning: list[nn.Parameter], rate: float, decay: float) -> torch.optim.Optimizer:
    groups = [
        {"params": [each for each in learning if each.ndim > 1], "weight_decay": decay},
        {"params": [each for each in learning if each.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=rate, betas=_BETAS)
