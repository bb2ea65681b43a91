"""What must hold while vLLM serves PaliGemma: of its set-up, by its own account, and of its requests, none of which may be preempted.

With prefix caching, chunked prefill or a preempted request, answers would be wrong without a word. That the layers have the mask,
vLLM's workers are asked (prefix_mask.py).
"""

from vllm.config import VllmConfig
from vllm.v1.metrics.loggers import StatLoggerBase
from vllm.v1.metrics.stats import IterationStats, MultiModalCacheStats, SchedulerStats

from pipeline.engines.vllm_plan import Plan


def faults(config: VllmConfig, planned: Plan) -> list[str]:
    """Return what in vLLM's own account of its set-up would make answers wrong without a word."""
    wrong = []
    if config.cache_config.enable_prefix_caching:
        wrong.append("prefix caching is on, and an image's keys depend on the question")
    if config.scheduler_config.enable_chunked_prefill:
        wrong.append("chunked prefill is on, and a chunk does not see what comes after it")
    if config.scheduler_config.max_num_batched_tokens < config.model_config.max_model_len:
        wrong.append("the token budget is smaller than the longest prompt, which would wait for ever")
    if config.model_config.max_model_len != planned.max_model_len:
        wrong.append(f"it takes {config.model_config.max_model_len} tokens a request, not {planned.max_model_len}")
    room, needed = (
        config.cache_config.kv_cache_size_tokens or 0,
        config.scheduler_config.max_num_seqs * config.model_config.max_model_len,
    )
    if room < needed:
        wrong.append(f"the KV cache holds {room} tokens, and {needed} are needed so that no request is ever preempted")
    return wrong


class Preemptions(StatLoggerBase):  # type: ignore[misc] # vLLM ships no types to mypy
    """Counts the requests that vLLM put off after it had begun them."""

    def __init__(self) -> None:
        self.count = 0

    def logger(self, _config: VllmConfig, _engine_index: int) -> "Preemptions":
        return self

    def record(  # noqa: PLR0913, RUF100 - vLLM's signature
        self,
        scheduler_stats: SchedulerStats | None,  # noqa: ARG002
        iteration_stats: IterationStats | None,
        mm_cache_stats: MultiModalCacheStats | None = None,  # noqa: ARG002
        engine_idx: int = 0,  # noqa: ARG002
    ) -> None:
        if iteration_stats is not None:
            self.count += iteration_stats.num_preempted_reqs

    def log_engine_initialized(self) -> None:
        pass
