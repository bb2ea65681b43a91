"""Models that answer: a seam (base.py), what serves a checkpoint, and the gate that holds it against the reference.

What is served is PaliGemma as it was trained, on every engine alike; where a library does otherwise, it is set right:

- The mask: image and prompt see one another, only the answer is causal. Stock vLLM is causal throughout (CPU) or keeps the question from
  the image (GPU); prefix_mask.py puts vLLM's own prefix attention in, and `hf_overrides` switch its half measure off (`is_mm_prefix_lm`).
- No prefix caching, no chunked prefill, no preemption: with that mask each would be silently wrong (vllm_plan.py, vllm_guard.py).
- The soft cap on PaliGemma 2's logits (`final_logit_softcapping`): applied, as it was trained. vLLM does so; transformers' PaliGemma leaves
  it out, so the reference adds it (greedy.py). The greedy answer is the same either way, its probabilities, and so confidences, are not.
- The soft cap on attention scores: applied by both; transformers' fused attention would drop it, so the reference has its own (attention.py).
- No sliding window: PaliGemma 2 was trained without Gemma 2's, which at 896 px would hide the page's top from the end of an answer.
  `layer_types` say full attention everywhere, in vLLM's `hf_overrides` and in the reference's configuration.
- Pixels and token ids are made here (transformers.pixels, vocabulary.py), not by a library's processor: resizing is the renderer's.
- `dtype` outright: float16 overflows Gemma 2, so it is not offered.
- A LoRA adapter is merged before serving (adapter.py), int4 weights are rounded before (int4.py): the reference then has the same weights.
  Other forms of quantisation are refused, with the reason, in quantization.py.
"""
