"""The VQ-VAE decoder of PaliGemma's masks: 16 codes to a 64 × 64 picture, from the weights in `vae-oid.npz`.

Google publishes the weights apart from the checkpoints. The net is that of Ning et al. (arXiv 2301.02229), whose layer numbers are the
names in the file: a 4 × 4 map of code vectors, a 1 × 1 convolution, two residual blocks, four transposed convolutions that double the
side and halve the width, a 1 × 1 convolution. Knows nothing of boxes and views; imports torch, so only workers import it.
"""

from collections.abc import Sequence
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pipeline.errors import CheckpointError
from pipeline.tasks.segment import MaskDecoder

_CODES = 128
_SIDE = 4
_WIDTH = 128
_EMBEDDING = "_vq_vae._embedding"
_PREFIX = "decoder."


def load_mask_decoder(path: Path, name: str | None = None) -> MaskDecoder:
    """Return the decoder whose weights lie in a local file. Raises CheckpointError where they are not those of this net.

    `name` is what the file is called in the error, where it was fetched from elsewhere.
    """
    called = name or str(path)
    weights = _read(path, called)
    codes = weights.get(_EMBEDDING)
    if codes is None or codes.ndim != 2 or codes.shape[0] != _CODES:
        raise CheckpointError(f"{called} holds no table of {_CODES} codes: the file is published as vae-oid.npz")
    net = _decoder(codes.shape[1])
    parameters = {name.removeprefix(_PREFIX): value for name, value in weights.items() if name.startswith(_PREFIX)}
    try:
        net.load_state_dict(parameters)
    except RuntimeError as exc:
        raise CheckpointError(f"{called} does not hold the mask decoder's weights: {exc}") from exc
    net.eval()

    def decode(numbers: Sequence[int]) -> NDArray[np.float32]:
        grid = codes[list(numbers)].reshape(1, _SIDE, _SIDE, -1).permute(0, 3, 1, 2)
        with torch.inference_mode():
            mask: NDArray[np.float32] = net(grid)[0, 0].numpy()
        return mask

    return decode


def _read(path: Path, called: str) -> dict[str, Tensor]:
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: torch.from_numpy(np.asarray(file[name], dtype=np.float32)) for name in file.files}
    except (OSError, ValueError, BadZipFile, AttributeError) as exc:
        raise CheckpointError(f"the mask weights {called} cannot be read: {exc}") from exc


def _decoder(code_width: int) -> nn.Sequential:
    """Build the net with its layers at the indices that the file names."""
    layers: list[nn.Module] = [nn.Conv2d(code_width, _WIDTH, 1), nn.ReLU(), _Residual(_WIDTH), _Residual(_WIDTH)]
    width = _WIDTH
    for index in range(4):
        narrower = _WIDTH >> index
        layers += [nn.ConvTranspose2d(width, narrower, 4, stride=2, padding=1), nn.ReLU()]
        width = narrower
    return nn.Sequential(*layers, nn.Conv2d(width, 1, 1))


class _Residual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, width, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        changed: Tensor = self.net(x)
        return x + changed
