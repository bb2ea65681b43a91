"""The mask decoder against the arithmetic of the net as published, done by hand."""

import numpy as np
import pytest

from pipeline.errors import CheckpointError
from pipeline.questions import mask_decoder
from pipeline.serving import Serving
from pipeline.tasks.masks import load_mask_decoder
from pipeline.tasks.rle import decode_rle
from schemas.job import ReferTask, SegmentTask

WIDTHS = {"0": (128, 32, 1), "12": (1, 16, 1)}  # layer: out, in, side
UPS = {"4": (128, 128), "6": (128, 64), "8": (64, 32), "10": (32, 16)}  # layer: in, out


@pytest.fixture(scope="module")
def weights():
    """Give weights of the published net's names and shapes, at random, with narrower codes."""
    rng = np.random.default_rng(7)

    def some(*shape: int) -> np.ndarray:
        fan_in = int(np.prod(shape[1:])) if len(shape) > 1 else 10
        return (rng.standard_normal(shape) / np.sqrt(fan_in)).astype(np.float32)

    named = {"_vq_vae._embedding": some(128, 32) * 5, "encoder.0.weight": some(4, 4)}
    for layer, (wide, narrow, side) in WIDTHS.items():
        named |= {f"decoder.{layer}.weight": some(wide, narrow, side, side), f"decoder.{layer}.bias": some(wide)}
    for layer, (narrow, wide) in UPS.items():
        named |= {f"decoder.{layer}.weight": some(narrow, wide, 4, 4), f"decoder.{layer}.bias": some(wide)}
    for block in "23":
        for layer, side in (("0", 3), ("2", 3), ("4", 1)):
            named |= {
                f"decoder.{block}.net.{layer}.weight": some(128, 128, side, side),
                f"decoder.{block}.net.{layer}.bias": some(128),
            }
    return named


def convolve(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray, padding: int) -> np.ndarray:
    """Correlate x (in, rows, cols) with a kernel (out, in, side, side)."""
    padded = np.pad(x, ((0, 0), (padding, padding), (padding, padding)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, kernel.shape[2:], axis=(1, 2))
    return np.einsum("iyxab,oiab->oyx", windows, kernel, optimize=True) + bias[:, None, None]


def upsample(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Spread x by zeros between its pixels, pad by 2, and correlate with the kernel turned around."""
    spread = np.zeros((x.shape[0], 2 * x.shape[1] - 1, 2 * x.shape[2] - 1), dtype=x.dtype)
    spread[:, ::2, ::2] = x
    return convolve(spread, kernel.transpose(1, 0, 2, 3)[:, :, ::-1, ::-1], bias, 2)


def by_hand(w: dict[str, np.ndarray], codes: list[int]) -> np.ndarray:
    """Compute the net layer by layer in float64."""
    w = {name: value.astype(np.float64) for name, value in w.items()}

    def layer(name: str) -> tuple[np.ndarray, np.ndarray]:
        return w[f"decoder.{name}.weight"], w[f"decoder.{name}.bias"]

    def relu(x: np.ndarray) -> np.ndarray:
        return np.maximum(x, 0)

    x = w["_vq_vae._embedding"][codes].reshape(4, 4, -1).transpose(2, 0, 1)
    x = relu(convolve(x, *layer("0"), 0))
    for block in "23":
        inner = relu(convolve(x, *layer(f"{block}.net.0"), 1))
        inner = relu(convolve(inner, *layer(f"{block}.net.2"), 1))
        x = x + convolve(inner, *layer(f"{block}.net.4"), 0)
    for name in UPS:
        x = relu(upsample(x, *layer(name)))
    return convolve(x, *layer("12"), 0)[0]


def test_the_net_computes_what_was_published(weights, tmp_path):
    """Sixteen codes become the same 64 × 64 mask as by hand."""
    path = tmp_path / "vae-oid.npz"
    np.savez(path, **weights)
    codes = [3, 127, 0, 64, 5, 9, 77, 21, 100, 50, 8, 8, 126, 1, 2, 99]
    mask = load_mask_decoder(path)(codes)
    assert (mask.shape, mask.dtype) == ((64, 64), np.float32)
    assert np.allclose(mask, by_hand(weights, codes), atol=1e-3)
    assert mask.std() > 0


@pytest.mark.parametrize("damage", ["missing layer", "wrong shape", "no codes", "not a file", "not an archive"])
def test_other_weights_are_refused(weights, tmp_path, damage):
    """Weights that are not this net's are an error that names the file, before any page is read."""
    path = tmp_path / "weights.npz"
    kept = dict(weights)
    if damage == "missing layer":
        del kept["decoder.6.bias"]
    elif damage == "wrong shape":
        kept["decoder.6.weight"] = kept["decoder.6.weight"][:, :3]
    elif damage == "no codes":
        del kept["_vq_vae._embedding"]
    if damage == "not an archive":
        path.write_bytes(b"<html>404</html>")
    elif damage != "not a file":
        np.savez(path, **kept)
    with pytest.raises(CheckpointError, match=r"weights\.npz"):
        load_mask_decoder(path)


def test_a_job_that_names_the_weights_stores_masks(weights, tmp_path, mill, machine):
    """The codes that the engine says of a page are decoded with the job's file, and stand in its row as the mask of a box; so do a phrase's."""
    np.savez(tmp_path / "vae.npz", **weights)
    codes = list(range(0, 128, 8))
    said = "<loc0100><loc0100><loc0900><loc0900>" + "".join(f"<seg{code:03d}>" for code in codes)
    named = {"mask_weights": str(tmp_path / "vae.npz")}
    tasks = (
        SegmentTask(type="segment", labels=("stamp",), **named),
        ReferTask(type="refer", phrase="the logo", ask_as="segment", **named),
    )
    engine = machine.TinyEngine(lambda request: machine.said(f"{said} {request.prompt.removeprefix('segment ')}"), 448)
    mill.put("a.pdf", machine.pdf("a page"))
    mill.run(mill.job(*tasks), serving=lambda job: Serving(job.model, 448, lambda *_: engine))
    boxes = mill.page("a.pdf")["boxes"]
    assert [item["label"] for item in boxes] == ["stamp", "the logo"]
    wanted = by_hand(weights, codes) > 0
    for item in boxes:
        mask = decode_rle(item["mask_rle"])
        rows, columns = (round(item["box"][end] - item["box"][start]) for start, end in (("y0", "y1"), ("x0", "x1")))
        assert mask.shape == (rows, columns)
        assert abs(mask.mean() - wanted.mean()) < 0.05


def test_a_job_s_weights_are_named_where_they_are_wrong(tmp_path, mill):
    """The error says what the job file says, and not where the file was fetched to."""
    (tmp_path / "mine.npz").write_bytes(b"no archive")
    job = mill.job(SegmentTask(type="segment", labels=("stamp",), mask_weights=str(tmp_path / "mine.npz")))
    with pytest.raises(CheckpointError, match=r"mine\.npz"):
        mask_decoder(job)
