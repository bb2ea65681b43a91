"""What of a PaliGemma is taught: LoRA factors beside the language model's layers or beside all, the projector alone, or everything."""

from dataclasses import dataclass
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import PaliGemmaForConditionalGeneration

from jobs.train.modes import Mode

_LANGUAGE = r".*language_model.*\.(q_proj|k_proj|v_proj|o_proj|gate_proj|up_proj|down_proj)"
"""A bare `q_proj` would match the vision tower's layers too, which vLLM does not serve adapters for."""
_ALL = rf"{_LANGUAGE}|.*vision_tower.*\.(q_proj|k_proj|v_proj|out_proj|fc1|fc2)|.*multi_modal_projector\.linear"


@dataclass(frozen=True, slots=True, eq=False)
class Adapted:
    """A model of which some weights learn; `lora` is PEFT's wrapper, where there is one."""

    model: PaliGemmaForConditionalGeneration
    lora: PeftModel | None

    def merged(self, adapter_folder: Path) -> PaliGemmaForConditionalGeneration:
        """Return the model with its factors added in, after keeping them apart in `adapter_folder`."""
        if self.lora is None:
            return self.model
        self.lora.save_pretrained(str(adapter_folder), save_embedding_layers=False)
        (adapter_folder / "README.md").unlink(missing_ok=True)  # PEFT's card is an empty form
        merged: PaliGemmaForConditionalGeneration = self.lora.merge_and_unload(safe_merge=True)
        return merged


def adapt(model: PaliGemmaForConditionalGeneration, mode: Mode, rank: int, seed: int, name: str) -> Adapted:
    """Freeze what the mode does not teach. What learns is kept in float32; `name` is the checkpoint's, for the adapter's own record."""
    model.requires_grad_(mode == "full")
    lora = None
    if mode in ("lora", "lora-all"):
        torch.manual_seed(seed)
        factors = LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=_LANGUAGE if mode == "lora" else _ALL)
        lora = get_peft_model(model, factors)
        factors.base_model_name_or_path = name
    elif mode == "projector":
        model.model.multi_modal_projector.requires_grad_(True)
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()
    return Adapted(model, lora)
