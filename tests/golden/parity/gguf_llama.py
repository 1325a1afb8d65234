"""A Llama-family GGUF file as a `transformers` model, without transformers' own GGUF import.

The weights are dequantised by the `gguf` package, Q and K rows brought back from llama.cpp's interleaved
rotary order to the half-split order of `transformers`, and the configuration taken from the metadata.
"""

from __future__ import annotations

import numpy as np
import torch
from gguf import GGUFReader
from gguf.quants import dequantize
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM


def to_interleaved(weight: np.ndarray, heads: int) -> np.ndarray:
    """Rows of a Q or K matrix as llama.cpp's convert script stores them: pair (i, i + d/2) becomes (2i, 2i + 1)."""
    rows, columns = weight.shape
    return weight.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(rows, columns)


def to_half_split(weight: np.ndarray, heads: int) -> np.ndarray:
    """The inverse of `to_interleaved`."""
    rows, columns = weight.shape
    return weight.reshape(heads, rows // heads // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns)


def load(path) -> tuple[LlamaForCausalLM, GGUFReader]:
    reader = GGUFReader(str(path))

    def value(key, default=None):
        field = reader.fields.get(key)
        return default if field is None else field.contents()

    heads = value("llama.attention.head_count")
    kv_heads = value("llama.attention.head_count_kv", heads)
    tensors = {t.name: dequantize(t.data, t.tensor_type).astype(np.float32) for t in reader.tensors}
    embedding = tensors["token_embd.weight"]
    config = LlamaConfig(
        vocab_size=embedding.shape[0],
        hidden_size=value("llama.embedding_length"),
        intermediate_size=value("llama.feed_forward_length"),
        num_hidden_layers=value("llama.block_count"),
        num_attention_heads=heads,
        num_key_value_heads=kv_heads,
        max_position_embeddings=value("llama.context_length"),
        rms_norm_eps=value("llama.attention.layer_norm_rms_epsilon"),
        rope_parameters={"rope_type": "default", "rope_theta": value("llama.rope.freq_base", 10000.0)},
        tie_word_embeddings="output.weight" not in tensors,
        attention_bias=False,
        mlp_bias=False,
    )
    state = {"model.embed_tokens.weight": embedding, "model.norm.weight": tensors["output_norm.weight"]}
    state["lm_head.weight"] = tensors.get("output.weight", embedding)
    for i in range(config.num_hidden_layers):
        ours, theirs = f"model.layers.{i}.", f"blk.{i}."
        names = {
            "input_layernorm": "attn_norm",
            "post_attention_layernorm": "ffn_norm",
            "self_attn.q_proj": "attn_q",
            "self_attn.k_proj": "attn_k",
            "self_attn.v_proj": "attn_v",
            "self_attn.o_proj": "attn_output",
            "mlp.gate_proj": "ffn_gate",
            "mlp.up_proj": "ffn_up",
            "mlp.down_proj": "ffn_down",
        }
        for name, tensor in names.items():
            weight = tensors[theirs + tensor + ".weight"]
            if tensor in ("attn_q", "attn_k"):
                weight = to_half_split(weight, heads if tensor == "attn_q" else kv_heads)
            state[ours + name + ".weight"] = weight
    model = LlamaForCausalLM(config).float().eval()
    model.load_state_dict({k: torch.from_numpy(np.ascontiguousarray(v)) for k, v in state.items()}, strict=True)
    return model, reader


def smollm_tokenizer(reader: GGUFReader) -> Tokenizer:
    """The byte-level BPE of a GGUF file with SmolLM's pre-tokenizer, in which every digit stands alone."""
    tokens = reader.fields["tokenizer.ggml.tokens"].contents()
    types = reader.fields["tokenizer.ggml.token_type"].contents()
    merges = [tuple(m.split(" ")) for m in reader.fields["tokenizer.ggml.merges"].contents()]
    tokenizer = Tokenizer(models.BPE({t: i for i, t in enumerate(tokens)}, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    control = 3
    tokenizer.add_special_tokens([AddedToken(t, special=True) for t, kind in zip(tokens, types) if kind == control])
    return tokenizer
