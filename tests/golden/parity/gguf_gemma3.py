"""A Gemma 3 GGUF file as a `transformers` model: every tensor expanded to float32, norms brought back from 1 + weight."""

from __future__ import annotations

import pathlib

import gguf
import numpy as np
import torch
from transformers import Gemma3ForCausalLM, Gemma3TextConfig

NAMES = {
    "attn_norm": "input_layernorm", "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
    "attn_q_norm": "self_attn.q_norm", "attn_k_norm": "self_attn.k_norm", "attn_output": "self_attn.o_proj",
    "post_attention_norm": "post_attention_layernorm", "ffn_norm": "pre_feedforward_layernorm", "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj", "post_ffw_norm": "post_feedforward_layernorm",
}


def name_of(stored: str) -> str:
    if stored == "token_embd.weight":
        return "model.embed_tokens.weight"
    if stored == "output_norm.weight":
        return "model.norm.weight"
    _, layer, rest = stored.split(".", 2)
    return f"model.layers.{layer}.{NAMES[rest.removesuffix('.weight')]}.weight"


def load(path: pathlib.Path) -> tuple[Gemma3ForCausalLM, gguf.GGUFReader]:
    reader = gguf.GGUFReader(path)

    def value(key: str):
        return reader.fields["gemma3." + key].contents()

    embedding = next(t for t in reader.tensors if t.name == "token_embd.weight")
    config = Gemma3TextConfig(
        vocab_size=int(embedding.shape[1]), hidden_size=value("embedding_length"), intermediate_size=value("feed_forward_length"),
        num_hidden_layers=value("block_count"), num_attention_heads=value("attention.head_count"),
        num_key_value_heads=value("attention.head_count_kv"), head_dim=value("attention.key_length"),
        max_position_embeddings=value("context_length"), rms_norm_eps=value("attention.layer_norm_rms_epsilon"),
        query_pre_attn_scalar=value("attention.key_length"), sliding_window=value("attention.sliding_window"),
        rope_parameters={"sliding_attention": {"rope_type": "default", "rope_theta": 10000.0},
                         "full_attention": {"rope_type": "default", "rope_theta": value("rope.freq_base")}},
        attn_implementation="eager",
    )
    with torch.device("meta"):
        model = Gemma3ForCausalLM(config)
    state = {}
    for tensor in reader.tensors:
        numbers = torch.from_numpy(np.array(gguf.quants.dequantize(tensor.data, tensor.tensor_type), dtype=np.float32))
        numbers = numbers.reshape(tuple(int(size) for size in reversed(tensor.shape)))
        state[name_of(tensor.name)] = numbers - 1 if tensor.name.endswith("norm.weight") else numbers
    state["lm_head.weight"] = state["model.embed_tokens.weight"]
    model = Gemma3ForCausalLM(config).float()
    missing, unexpected = model.load_state_dict(state, strict=False)
    if missing or unexpected:
        raise RuntimeError(f"missing {missing}, unexpected {unexpected}")
    return model.eval(), reader
