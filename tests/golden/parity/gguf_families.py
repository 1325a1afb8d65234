"""A tiny checkpoint's folder as a GGUF file in the tensor layout that llama.cpp gives its architecture.

Written after the conventions of llama.cpp's converter: which names, which rows in another order, which metadata. No
tokenizer ("none", as the converter writes for models without): the tests give tokens. `check` has transformers read the
file back where it knows how, and compares logits.
"""

from __future__ import annotations

import importlib.util
import json
import math
import pathlib

import gguf
import numpy as np
import torch
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModelForCausalLM, LlamaConfig

import act_reference as act

# Where transformers can read the architecture's GGUF files.
READABLE = {"llama", "mistral", "gpt2", "bloom", "qwen2", "qwen3", "phi3", "gemma2", "gemma3_text", "stablelm"}

NAMES = {"gpt_neox": "gptneox", "mistral": "llama", "gemma3_text": "gemma3"}

LLAMA_NAMES = {
    "input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output", "post_attention_layernorm": "ffn_norm", "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down", "self_attn.q_norm": "attn_q_norm", "self_attn.k_norm": "attn_k_norm",
    "self_attn.qkv_proj": "attn_qkv", "mlp.gate_up_proj": "ffn_up",
}
TWO_NORMS_A_BRANCH = LLAMA_NAMES | {
    "post_attention_layernorm": "post_attention_norm", "pre_feedforward_layernorm": "ffn_norm",
    "post_feedforward_layernorm": "post_ffw_norm",
}
LAYER_NAMES = {
    "gpt2": {"ln_1": "attn_norm", "attn.c_attn": "attn_qkv", "attn.c_proj": "attn_output", "ln_2": "ffn_norm",
             "mlp.c_fc": "ffn_up", "mlp.c_proj": "ffn_down"},
    "gpt_neox": {"input_layernorm": "attn_norm", "attention.query_key_value": "attn_qkv", "attention.dense": "attn_output",
                 "post_attention_layernorm": "ffn_norm", "mlp.dense_h_to_4h": "ffn_up", "mlp.dense_4h_to_h": "ffn_down"},
    "bloom": {"input_layernorm": "attn_norm", "self_attention.query_key_value": "attn_qkv",
              "self_attention.dense": "attn_output", "post_attention_layernorm": "ffn_norm", "mlp.dense_h_to_4h": "ffn_up",
              "mlp.dense_4h_to_h": "ffn_down"},
    "gemma2": TWO_NORMS_A_BRANCH, "gemma3_text": TWO_NORMS_A_BRANCH, "olmo2": TWO_NORMS_A_BRANCH,
}
OTHER_NAMES = {
    "embed_tokens": "token_embd", "wte": "token_embd", "embed_in": "token_embd", "word_embeddings": "token_embd",
    "wpe": "position_embd", "word_embeddings_layernorm": "token_embd_norm", "norm": "output_norm", "ln_f": "output_norm",
    "final_layer_norm": "output_norm", "lm_head": "output", "embed_out": "output",
}


def stored_tensors(folder: pathlib.Path) -> dict[str, torch.Tensor]:
    state = {}
    for path in sorted(folder.glob("*.safetensors")):
        state |= load_file(path)
    return {k: v for k, v in state.items() if not k.endswith((".attn.bias", ".masked_bias", "attention.bias", "inv_freq"))}


def interleaved(value: torch.Tensor, heads: int) -> torch.Tensor:
    """Rows of Q or K, weight or bias, as llama.cpp rotates them: pair (i, i + d/2) becomes (2i, 2i + 1)."""
    return value.reshape(heads, 2, value.shape[0] // heads // 2, *value.shape[1:]).swapaxes(1, 2).reshape(value.shape)


def one_after_another(value: torch.Tensor, heads: int) -> torch.Tensor:
    """Q, K and V of head after head become Q of all heads, then K, then V."""
    return value.reshape(heads, 3, value.shape[0] // heads // 3, *value.shape[1:]).swapaxes(0, 1).reshape(value.shape)


def tensors(config, state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    family = config.model_type
    layer_names = LAYER_NAMES.get(family, LLAMA_NAMES)
    made = {}
    head_norms: dict[str, list[torch.Tensor]] = {}
    for name, value in sorted(state.items()):
        stem, _, kind = name.rpartition(".")
        parts = stem.split(".")
        number = next((i for i, part in enumerate(parts) if part.isdigit()), None)
        if number is None:
            made[f"{OTHER_NAMES[parts[-1]]}.{kind}"] = value
            continue
        layer, inside = parts[number], ".".join(parts[number + 1 :])
        if "layernorm.norms" in inside:  # StableLM: one norm a head, stacked
            which = "attn_q_norm" if "q_layernorm" in inside else "attn_k_norm"
            head_norms.setdefault(f"blk.{layer}.{which}.weight", []).append((int(parts[-1]), value))
            continue
        if family == "gpt2" and value.dim() == 2:
            value = value.T
        if family in ("llama", "mistral") and inside.endswith(("q_proj", "k_proj")):
            value = interleaved(value, config.num_attention_heads if "q_proj" in inside else config.num_key_value_heads)
        if family in ("gpt_neox", "bloom") and inside.endswith("query_key_value"):
            value = one_after_another(value, config.num_attention_heads)
        made[f"blk.{layer}.{layer_names[inside]}.{kind}"] = value
    for name, norms in head_norms.items():
        made[name] = torch.stack([value for _, value in sorted(norms, key=lambda each: each[0])])
    if family.startswith("gemma"):
        made = {k: v.float() + 1.0 if k.endswith("norm.weight") else v for k, v in made.items()}
    return made


def llama3_factors(config) -> torch.Tensor:
    """What llama.cpp divides each frequency by, from the definition of this scaling."""
    rope = config.rope_parameters
    size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    factors = []
    for i in range(0, size, 2):
        turns = rope["original_max_position_embeddings"] / (2 * math.pi * rope["rope_theta"] ** (i / size))
        low, high = rope["low_freq_factor"], rope["high_freq_factor"]
        share = min(1.0, max(0.0, (turns - low) / (high - low)))
        factors.append(1.0 / (share + (1.0 - share) / rope["factor"]))
    return torch.tensor(factors, dtype=torch.float32)


def metadata(writer: gguf.GGUFWriter, config, local_base: bool) -> dict[str, torch.Tensor]:
    """Writes the architecture's keys. Returns tensors that hold settings: the rotary embedding's factors."""
    family = config.model_type
    heads, hidden = config.num_attention_heads, config.hidden_size
    size = getattr(config, "head_dim", None) or hidden // heads
    extra = {}
    context = {"gpt2": lambda: config.n_positions, "bloom": lambda: 64}.get(family, lambda: config.max_position_embeddings)()
    inner = {"gpt2": lambda: config.n_inner or 4 * hidden, "bloom": lambda: 4 * hidden}.get(
        family, lambda: config.intermediate_size)()
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(context)
    writer.add_embedding_length(hidden)
    writer.add_feed_forward_length(inner)
    writer.add_head_count(heads)
    if family not in ("gpt2", "gpt_neox"):
        writer.add_head_count_kv(getattr(config, "num_key_value_heads", heads))
    if family in ("gpt2", "bloom"):
        writer.add_layer_norm_eps(config.layer_norm_epsilon)
    elif family in ("gpt_neox", "stablelm"):
        writer.add_layer_norm_eps(config.layer_norm_eps)
        writer.add_parallel_residual(config.use_parallel_residual)
    else:
        writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    if family not in ("gpt2", "gpt_neox", "bloom", "stablelm", "phi3") and getattr(config, "head_dim", None) is not None:
        writer.add_key_length(size)
        writer.add_value_length(size)

    rope = getattr(config, "rope_parameters", None)
    if family == "gemma3_text":
        if local_base:
            writer.add_rope_freq_base_swa(rope["sliding_attention"]["rope_theta"])
        rope = rope["full_attention"]
    if rope:
        if family in ("llama", "mistral"):
            writer.add_rope_dimension_count(size)
        elif family in ("gpt_neox", "stablelm", "phi3"):
            writer.add_rope_dimension_count(int(size * rope.get("partial_rotary_factor", 1.0)))
        # The converter leaves the base of these two to llama.cpp's default.
        if family in ("gpt_neox", "stablelm"):
            assert rope["rope_theta"] == 10000.0
        else:
            writer.add_rope_freq_base(rope["rope_theta"])
        kind = rope["rope_type"]
        if kind == "linear":
            writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
            writer.add_rope_scaling_factor(rope["factor"])
        elif kind == "yarn":
            writer.add_rope_scaling_type(gguf.RopeScalingType.YARN)
            writer.add_rope_scaling_factor(rope["factor"])
            writer.add_rope_scaling_orig_ctx_len(rope["original_max_position_embeddings"])
        elif kind == "llama3":
            extra["rope_freqs.weight"] = llama3_factors(config)
        elif kind == "longrope":
            original = rope["original_max_position_embeddings"]
            scale = config.max_position_embeddings / original
            writer.add_rope_scaling_attn_factors(math.sqrt(1 + math.log(scale) / math.log(original)) if scale > 1 else 1.0)
            extra["rope_factors_long.weight"] = torch.tensor(rope["long_factor"], dtype=torch.float32)
            extra["rope_factors_short.weight"] = torch.tensor(rope["short_factor"], dtype=torch.float32)
        if family == "phi3":
            writer.add_rope_scaling_orig_ctx_len(
                rope.get("original_max_position_embeddings", config.original_max_position_embeddings))
            writer.add_sliding_window(config.sliding_window or 0)
    if family in ("gemma2", "gemma3_text"):
        writer.add_sliding_window(config.sliding_window)
        if getattr(config, "attn_logit_softcapping", None) is not None:
            writer.add_attn_logit_softcapping(config.attn_logit_softcapping)
        if config.final_logit_softcapping is not None:
            writer.add_final_logit_softcapping(config.final_logit_softcapping)
        assert config.query_pre_attn_scalar == size, "GGUF has no key for it"
    return extra


def put(writer: gguf.GGUFWriter, name: str, value: torch.Tensor) -> None:
    value = value.contiguous()
    if value.dim() == 1 or "norm" in name or value.dtype == torch.float32:
        writer.add_tensor(name, value.float().numpy())
    elif value.dtype == torch.float16:
        writer.add_tensor(name, value.numpy())
    else:
        bits = np.ascontiguousarray(value.view(torch.int16).numpy()).view(np.uint8)
        writer.add_tensor(name, bits, raw_dtype=gguf.GGMLQuantizationType.BF16)


def write(folder: pathlib.Path, path: pathlib.Path, *, local_base: bool = False) -> None:
    """`local_base`: Gemma 3's second rotary base as a key, which newer files have."""
    config = AutoConfig.from_pretrained(folder)
    writer = gguf.GGUFWriter(str(path), NAMES.get(config.model_type, config.model_type))
    writer.add_name(f"{folder.parent.name} {folder.name}")
    writer.add_vocab_size(config.vocab_size)
    writer.add_tokenizer_model("none")
    extra = metadata(writer, config, local_base)
    for name, value in (tensors(config, stored_tensors(folder)) | extra).items():
        put(writer, name, value)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def check(folder: pathlib.Path, path: pathlib.Path, tokens) -> str:
    """The weights of the file as transformers reads them, under the folder's configuration: the same logits?"""
    config = AutoConfig.from_pretrained(folder)
    if config.model_type not in READABLE:
        return "not read back"
    if getattr(config, "qk_layernorm", False):
        return "not read back: transformers doesn't know StableLM's norms of heads there"
    if importlib.util.find_spec("accelerate") is None:
        return "not read back: transformers needs the package accelerate"
    if config.model_type == "mistral":  # a Llama to llama.cpp, without a window
        assert config.sliding_window is None
        settings = {k: v for k, v in config.to_dict().items() if k not in ("model_type", "architectures")}
        config = LlamaConfig(**settings)
    theirs = AutoModelForCausalLM.from_pretrained(folder, config=config, gguf_file=path.name, dtype=torch.float32).eval()
    ours = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    a, b = act.run(ours, tokens).logits, act.run(theirs, tokens).logits
    difference = float((a - b).abs().max() / a.abs().max())
    if not difference < 1e-6:
        raise RuntimeError(f"{path}: transformers reads other weights, logits differ by {difference}")
    return f"{difference:.1g}"


if __name__ == "__main__":
    import sys

    write(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
    print(json.dumps({"made": sys.argv[2]}))
