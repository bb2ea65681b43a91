"""Which quantised forms of a checkpoint are served, and why the others are not: measured with vLLM 0.32 on a CPU, in one place.

A form is served when vLLM computes with it what transformers computes with the same rounded weights, within the gate's tolerances
(parity.py). Light: job files are judged by it.
"""

_REFUSED = {
    "int8": "vLLM rounds every activation to int8 along with the weights, which moves log-probabilities by 0.26 in float32, where 0.001 is "
    "allowed; its other int8, rounding while it loads, leaves PaliGemma's layers as they are without a word",
    "fp8": "vLLM rounds every activation to fp8 along with the weights, which moves log-probabilities by 0.58 in bfloat16, where 0.3 is "
    "allowed; rounding while it loads does not start on a CPU",
    "nf4": "vLLM no longer serves bitsandbytes' formats",
}


def why_not_quantized(quantization: str | None, engine: str, dtype: str) -> str | None:
    """Return why an engine does not serve a checkpoint in that form, and what to do; None where it does."""
    if quantization is None:
        return None
    if engine != "vllm":
        return f"the {engine} engine serves a checkpoint as it is: `quantization` goes with `engine: vllm`"
    if quantization in _REFUSED:
        return f"{quantization} is not served: {_REFUSED[quantization]}. Use `int4`, whose weights alone are rounded, or leave it out"
    if dtype != "bfloat16":
        return f"vLLM multiplies four-bit weights in bfloat16 alone, not in {dtype}: set `dtype: bfloat16`"
    return None
