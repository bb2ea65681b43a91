"""The reference engine computes what transformers' own processor and generate compute, batched, and refuses what it would get wrong."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoProcessor, PaliGemmaForConditionalGeneration

from pipeline.engines.description import describe
from pipeline.engines.transformers import TransformersEngine, pixels
from pipeline.engines.vocabulary import Vocabulary
from pipeline.errors import CheckpointError
from schemas.job import Model
from schemas.view import Request

PROMPTS = ("ocr", "answer en what is the total amount due?", "")
MODEL = Model(dtype="float32")


def engine_of(folder, batch_size: int | None = None) -> TransformersEngine:
    return TransformersEngine(MODEL, describe(folder), batch_size)


def peer(folder):
    """Return transformers' own model, its eager attention, and no window, which PaliGemma 2 was not trained with."""
    model = PaliGemmaForConditionalGeneration.from_pretrained(
        folder, dtype=torch.float32, attn_implementation={"text_config": "eager"}
    )
    if model.config.text_config.model_type == "gemma2":
        model.config.text_config.layer_types = ["full_attention"] * model.config.text_config.num_hidden_layers
        for layer in model.model.language_model.layers:
            layer.attention_type = "full_attention"
    return model.eval()


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # transformers' processor under NumPy 2
def by_the_book(model, processor, request: Request) -> tuple[list[int], list[float]]:
    """Return tokens and log-probabilities as the documentation of transformers gets them."""
    inputs = processor(images=request.view.image, text=f"<image>{request.prompt}", return_tensors="pt")
    inputs.pop("labels", None)
    with torch.no_grad():
        answer = model.generate(
            **inputs, max_new_tokens=request.max_tokens, do_sample=False, output_logits=True, return_dict_in_generate=True
        )
    cap = getattr(model.config.text_config, "final_logit_softcapping", None)
    scores = [step[0] if cap is None else cap * torch.tanh(step[0] / cap) for step in answer.logits]
    return answer.sequences[0, inputs["input_ids"].shape[1] :].tolist(), [
        float(score.log_softmax(-1).max()) for score in scores
    ]


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize(("family", "resolution"), [("paligemma", 224), ("paligemma2", 224), ("paligemma", 448)])
def test_it_computes_what_transformers_computes(family, resolution, lively, view) -> None:
    """In float32 a batch of several views, prompts and limits gets the very tokens of generate, one request at a time."""
    folder = lively(family, resolution)
    requests = [Request(view(resolution, seed), prompt, 8 + 3 * seed) for seed in range(2) for prompt in PROMPTS]
    answers = engine_of(folder).generate(requests)
    model, processor = peer(folder), AutoProcessor.from_pretrained(folder)
    for request, answer in zip(requests, answers, strict=True):
        tokens, logprobs = by_the_book(model, processor, request)
        assert list(answer.token_ids) == tokens
        assert answer.logprobs == pytest.approx(logprobs, abs=1e-3)


def test_a_prefix_longer_than_the_window_is_seen_whole(lively, view) -> None:
    """PaliGemma 2 at 896 has more image tokens than Gemma 2's window: the last token of an answer still sees the top of the page."""
    folder = lively("paligemma2", 896)
    top = view(896, 1)
    other = replace(top, image=np.concatenate([255 - top.image[:28], top.image[28:]]))
    one, two = engine_of(folder).generate([Request(top, "ocr", 2), Request(other, "ocr", 2)])
    assert one.logprobs != two.logprobs
    assert len(one.token_ids) == 2


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_input_is_what_the_processor_makes(lively, view) -> None:
    """Token ids equal PaliGemmaProcessor's, image tokens, bos, prompt and one newline; pixels equal its values."""
    folder = lively("paligemma", 224)
    processor, vocabulary = AutoProcessor.from_pretrained(folder), Vocabulary.load(describe(folder))
    for prompt in (*PROMPTS, "detect a ; b", "caption <loc0001><loc0002><loc0003><loc1023>", "  spaces  "):
        image = view(224, 3).image
        expected = processor(images=image, text=f"<image>{prompt}", return_tensors="pt")
        assert vocabulary.prefix(prompt) == expected["input_ids"][0].tolist()
        torch.testing.assert_close(pixels([image], torch.device("cpu")), expected["pixel_values"], atol=1e-6, rtol=0)


def test_batches_of_any_size_give_the_same_answers(lively, view) -> None:
    """One at a time, three at a time or all at once: the same tokens."""
    folder = lively("paligemma", 224)
    requests = [Request(view(224, seed), prompt, 4 + 4 * seed) for seed in range(3) for prompt in PROMPTS]
    by_size = [[answer.token_ids for answer in engine_of(folder, size).generate(requests)] for size in (1, 3, 9)]
    assert by_size[0] == by_size[1] == by_size[2]


def test_bfloat16_answers_too(lively, view) -> None:
    """The default type works on a CPU, and gives finite log-probabilities."""
    engine = TransformersEngine(Model(dtype="bfloat16"), describe(lively("paligemma2", 224)))
    (answer,) = engine.generate([Request(view(224, 1), "ocr", 5)])
    assert answer.token_ids
    assert np.isfinite(answer.logprobs).all()


def test_a_prompt_that_spells_a_control_token_is_an_error(lively, view) -> None:
    """`<image>` or `<eos>` in a prompt would be read as a command: that request fails, alone."""
    engine = engine_of(lively("paligemma", 224))
    answers = engine.generate([Request(view(224, 1), prompt, 3) for prompt in ("a <image> b", "ocr", "<eos>")])
    assert [answer.finish_reason for answer in answers][::2] == ["error", "error"]
    assert "<image>" in str(answers[0].error)
    assert answers[1].token_ids


@pytest.mark.parametrize(
    ("wish", "word"),
    [({"adapter": "x"}, "adapter"), ({"quantization": "int8"}, "int8"), ({"tensor_parallel": 2}, "tensor_parallel")],
)
def test_what_it_does_not_serve_is_refused(lively, wish, word) -> None:
    """Nothing is silently something else."""
    with pytest.raises(CheckpointError, match=word):
        TransformersEngine(MODEL.model_copy(update=wish), describe(lively("paligemma", 224)))


def test_a_checkpoint_without_all_its_weights_is_refused(lively, tmp_path) -> None:
    """Missing weights would be made up at random by transformers."""
    folder = shutil.copytree(lively("paligemma", 224), tmp_path / "half")
    weights = load_file(folder / "model.safetensors")
    weights.pop("language_model.model.layers.1.mlp.up_proj.weight")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match="lacks weights"):
        engine_of(folder)
