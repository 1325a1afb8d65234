"""The architectures and switches that make_tiny_families.py makes checkpoints of, as data.

Of a family: `config`, the settings that all its folders share; `weights`, the tensors' type (or "mixed"); `switches`, by
name what each changes. Pseudo settings of a configuration:

  * `form`: "old" or "new", the generation of config.json
  * `rope`: base (`rope_theta`) and scaling, written where the generation has them
"""

from __future__ import annotations

import torch

LENGTHS = (6, 23, 40)
DECODING = ((7, 5), (20, 5))  # tokens of the prompt, tokens appended

LLAMA_LIKE = {
    "vocab_size": 32, "hidden_size": 32, "intermediate_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 64, "rms_norm_eps": 1e-05, "hidden_act": "silu",
    "bos_token_id": 1, "eos_token_id": 2,
}


def without(prefix: str):
    return lambda name: name.removeprefix(prefix)


def gpt2_buffers(config) -> dict[str, torch.Tensor]:
    """What old checkpoints keep beside the weights: the causal mask, as float or bool, and the masked score."""
    triangle = torch.ones(1, 1, config.n_positions, config.n_positions).tril()
    made = {}
    for layer in range(config.n_layer):
        made[f"h.{layer}.attn.bias"] = triangle.clone() if layer == 0 else triangle.bool()
        made[f"h.{layer}.attn.masked_bias"] = torch.tensor(-10000.0)
    return made


def gptj_buffers(config) -> dict[str, torch.Tensor]:
    triangle = torch.ones(1, 1, config.n_positions, config.n_positions).tril().bool()
    made = {}
    for layer in range(config.n_layer):
        made[f"transformer.h.{layer}.attn.bias"] = triangle.clone()
        made[f"transformer.h.{layer}.attn.masked_bias"] = torch.tensor(-1e9)
    return made


def gpt_neox_buffers(config) -> dict[str, torch.Tensor]:
    size = config.max_position_embeddings
    triangle = torch.ones(1, 1, size, size).tril().bool()
    made = {}
    for layer in range(config.num_hidden_layers):
        made[f"gpt_neox.layers.{layer}.attention.bias"] = triangle.clone()
        made[f"gpt_neox.layers.{layer}.attention.masked_bias"] = torch.tensor(-1e9)
        made[f"gpt_neox.layers.{layer}.attention.rotary_emb.inv_freq"] = torch.ones(2)
    return made


def llama_buffers(config) -> dict[str, torch.Tensor]:
    return {f"model.layers.{layer}.self_attn.rotary_emb.inv_freq": torch.ones(4)
            for layer in range(config.num_hidden_layers)}


LLAMA3 = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
          "original_max_position_embeddings": 32}
YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16}
LONGROPE = {"rope_type": "longrope", "short_factor": [1.0, 1.3, 1.6, 2.0], "long_factor": [1.0, 2.0, 5.0, 9.0]}

FAMILIES = {
    "llama": dict(
        weights="float16",
        config=LLAMA_LIKE | {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "attention_bias": False,
                             "mlp_bias": False, "tie_word_embeddings": False, "form": "old", "rope": {"rope_theta": 10000.0}},
        switches={
            "base": {"gguf": True, "lengths": (1, *LENGTHS)},
            "new-config": {"form": "new", "rope": {"rope_theta": 700.0}},
            "rope-linear-old": {"rope": {"rope_theta": 10000.0, "type": "linear", "factor": 4.0}, "gguf": True},
            "rope-linear-new": {"form": "new", "rope": {"rope_theta": 10000.0, "rope_type": "linear", "factor": 3.0}},
            "rope-dynamic": {"rope": {"rope_theta": 10000.0, "type": "dynamic", "factor": 2.0}, "changes": False},
            "rope-dynamic-beyond": {"max_position_embeddings": 24, "lengths": (7, 33, 40), "decoding": (),
                                    "rope": {"rope_theta": 10000.0, "type": "dynamic", "factor": 2.0}},
            "rope-llama3-old": {"max_position_embeddings": 256, "rope": {"rope_theta": 10000.0} | LLAMA3},
            "rope-llama3-new": {"form": "new", "max_position_embeddings": 256, "gguf": True,
                                "rope": {"rope_theta": 500000.0} | LLAMA3 | {"original_max_position_embeddings": 64}},
            "rope-yarn-old": {"rope": {"rope_theta": 10000.0} | YARN, "gguf": True},
            "rope-yarn-new": {"form": "new", "rope": {"rope_theta": 10000.0, "attention_factor": 0.8, "beta_fast": 4.0,
                                                      "beta_slow": 0.5, "truncate": False} | YARN},
            "rope-yarn-mscale": {"rope": {"rope_theta": 10000.0, "mscale": 1.3, "mscale_all_dim": 0.6} | YARN},
            "rope-longrope": {"form": "new", "rope": {"rope_theta": 10000.0, "factor": 4.0,
                                                      "original_max_position_embeddings": 16} | LONGROPE},
            "biases": {"attention_bias": True, "mlp_bias": True, "gguf": True},
            "attention-bias": {"attention_bias": True},
            "mlp-bias": {"mlp_bias": True},
            "head-dim": {"form": "new", "head_dim": 12, "tie_word_embeddings": True, "weights": "bfloat16", "gguf": True},
            "gelu": {"hidden_act": "gelu"},
            "rotary-buffers": {"buffers": llama_buffers, "changes": False, "lengths": (23,), "decoding": ()},
        }),
    "mistral": dict(
        weights="bfloat16",
        config=LLAMA_LIKE | {"architectures": ["MistralForCausalLM"], "model_type": "mistral", "sliding_window": None,
                             "tie_word_embeddings": False, "form": "old", "rope": {"rope_theta": 10000.0}},
        switches={
            "base": {"gguf": True, "lengths": (1, *LENGTHS)},
            "window": {"sliding_window": 9},
            "window-new": {"form": "new", "sliding_window": 16, "rope": {"rope_theta": 1000000.0}},
            "head-dim": {"form": "new", "sliding_window": None, "head_dim": 10, "weights": "float16", "gguf": True},
        }),
    "gptj": dict(
        weights="float16",
        config={"architectures": ["GPTJForCausalLM"], "model_type": "gptj", "vocab_size": 32, "n_embd": 24, "n_layer": 2,
                "n_head": 3, "n_positions": 64, "n_inner": None, "rotary_dim": 4, "activation_function": "gelu_new",
                "layer_norm_epsilon": 1e-05, "attn_pdrop": 0.0, "embd_pdrop": 0.0, "resid_pdrop": 0.0,
                "scale_attn_weights": True, "tie_word_embeddings": False, "rotary": True, "bos_token_id": 1, "eos_token_id": 2,
                "form": "old"},
        switches={
            "base": {"lengths": (1, *LENGTHS)},
            "rotary-dim": {"rotary_dim": 8, "form": "new"},
            "relu": {"activation_function": "relu"},
            "inner": {"n_inner": 20},
            "tied": {"tie_word_embeddings": True},
            "buffers": {"buffers": gptj_buffers, "changes": False, "n_positions": 48, "lengths": (23,), "decoding": ()},
        }),
    "gpt2": dict(
        weights="mixed", rename=without("transformer."),
        config={"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "vocab_size": 32, "n_embd": 24, "n_layer": 2,
                "n_head": 3, "n_positions": 48, "n_ctx": 48, "activation_function": "gelu_new", "layer_norm_epsilon": 1e-05,
                "attn_pdrop": 0.1, "embd_pdrop": 0.1, "resid_pdrop": 0.1, "bos_token_id": 1, "eos_token_id": 1,
                "form": "old"},
        switches={
            "base": {"gguf": True, "lengths": (1, *LENGTHS)},
            "old-buffers": {"buffers": gpt2_buffers, "changes": False, "lengths": (23,), "decoding": ()},
            "untied": {"tie_word_embeddings": False, "form": "new", "gguf": True},
            "inner": {"n_inner": 20, "activation_function": "relu", "rename": None, "weights": "float32"},
            "gelu": {"activation_function": "gelu"},
            "tanh-gelu": {"activation_function": "gelu_pytorch_tanh", "changes": False},
            "unscaled": {"scale_attn_weights": False},
            "by-layer": {"scale_attn_by_inverse_layer_idx": True, "reorder_and_upcast_attn": True},
        }),
    "gpt_neox": dict(
        weights="float16",
        config={"architectures": ["GPTNeoXForCausalLM"], "model_type": "gpt_neox", "vocab_size": 32, "hidden_size": 32,
                "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2, "max_position_embeddings": 64,
                "layer_norm_eps": 1e-05, "hidden_act": "gelu", "use_parallel_residual": True, "attention_bias": True,
                "tie_word_embeddings": False, "bos_token_id": 0, "eos_token_id": 0, "form": "old",
                "rope": {"rope_theta": 10000.0, "partial_rotary_factor": 0.25}},
        switches={
            "base": {"gguf": True, "lengths": (1, *LENGTHS)},
            "sequential": {"use_parallel_residual": False, "gguf": True},
            "new-config": {"form": "new", "rope": {"rope_theta": 5000.0, "partial_rotary_factor": 0.5}},
            "full-rotary": {"hidden_act": "gelu_new", "rope": {"rope_theta": 10000.0, "partial_rotary_factor": 1.0},
                            "gguf": False},
            "rope-linear": {"form": "new", "rope": {"rope_theta": 10000.0, "partial_rotary_factor": 0.5,
                                                    "rope_type": "linear", "factor": 2.0}},
            "no-bias": {"attention_bias": False},
            "tied": {"tie_word_embeddings": True},
            "buffers": {"buffers": gpt_neox_buffers, "changes": False, "max_position_embeddings": 48, "lengths": (23,),
                        "decoding": ()},
        }),
    "bloom": dict(
        weights="float16", rename=without("transformer."),
        config={"architectures": ["BloomForCausalLM"], "model_type": "bloom", "vocab_size": 32, "n_embed": 16, "n_layer": 2,
                "num_attention_heads": 2, "layer_norm_epsilon": 1e-05, "apply_residual_connection_post_layernorm": False,
                "hidden_dropout": 0.0, "attention_dropout": 0.0, "seq_length": 64, "pretraining_tp": 1,
                "slow_but_exact": False, "bos_token_id": 1, "eos_token_id": 2, "form": "old"},
        switches={
            "base": {"gguf": True, "lengths": (1, *LENGTHS)},
            "normed-residual": {"apply_residual_connection_post_layernorm": True},
            "3-heads": {"n_embed": None, "num_attention_heads": None, "hidden_size": 24, "n_head": 3, "form": "new",
                        "rename": None, "weights": "mixed", "gguf": True},
            "7-heads": {"n_embed": None, "num_attention_heads": None, "hidden_size": 28, "n_head": 7, "form": "new",
                        "n_layer": 1, "own_weights": True},
        }),
    "qwen2": dict(
        weights="bfloat16",
        config=LLAMA_LIKE | {"architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "rms_norm_eps": 1e-06,
                             "use_sliding_window": False, "sliding_window": 9, "max_window_layers": 1,
                             "tie_word_embeddings": True, "form": "old", "rope": {"rope_theta": 1000000.0}},
        switches={
            "base": {"gguf": True, "lengths": (1, *LENGTHS)},
            "window": {"use_sliding_window": True},
            "layer-types": {"form": "new", "use_sliding_window": True,
                            "layer_types": ["sliding_attention", "full_attention"]},
            "rope-yarn": {"form": "new", "rope": {"rope_theta": 1000000.0} | YARN},
            "untied": {"tie_word_embeddings": False},
        }),
    "qwen3": dict(
        weights="float16",
        config=LLAMA_LIKE | {"architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "rms_norm_eps": 1e-06,
                             "head_dim": 12, "attention_bias": False, "use_sliding_window": False, "sliding_window": None,
                             "max_window_layers": 2, "tie_word_embeddings": True, "form": "old",
                             "rope": {"rope_theta": 1000000.0}},
        switches={
            "base": {"gguf": True, "lengths": (1, *LENGTHS)},
            "new-config": {"form": "new", "layer_types": ["full_attention", "full_attention"],
                           "rope": {"rope_theta": 10000.0}},
            "window": {"use_sliding_window": True, "sliding_window": 9, "max_window_layers": 1},
            "bias": {"attention_bias": True},
        }),
    "phi3": dict(
        weights="bfloat16",
        config=LLAMA_LIKE | {"architectures": ["Phi3ForCausalLM"], "model_type": "phi3", "sliding_window": None,
                             "original_max_position_embeddings": 64, "resid_pdrop": 0.0, "embd_pdrop": 0.0,
                             "tie_word_embeddings": False, "pad_token_id": 0, "form": "old", "rope": {"rope_theta": 10000.0}},
        switches={
            "base": {"gguf": True, "lengths": (1, *LENGTHS)},
            "partial-rotary": {"rope": {"rope_theta": 10000.0, "partial_rotary_factor": 0.5}, "gguf": True},
            "window": {"form": "new", "sliding_window": 9},
            "rope-longrope": {"original_max_position_embeddings": 16, "rope": {
                "rope_theta": 10000.0, "type": "longrope"} | {k: v for k, v in LONGROPE.items() if k != "rope_type"}},
            "rope-su": {"original_max_position_embeddings": 16, "rope": {
                "rope_theta": 10000.0, "type": "su", "original_max_position_embeddings": 16} | {k: v for k, v in LONGROPE.items() if k != "rope_type"},
                "lengths": (6, 40), "decoding": ()},
            "rope-longrope-new": {"form": "new", "original_max_position_embeddings": 16, "gguf": True, "rope": {
                "rope_theta": 10000.0, "original_max_position_embeddings": 16, "partial_rotary_factor": 1.0} | LONGROPE},
            "tied": {"tie_word_embeddings": True},
        }),
    "gemma2": dict(
        weights="bfloat16",
        config=LLAMA_LIKE | {"architectures": ["Gemma2ForCausalLM"], "model_type": "gemma2", "head_dim": 12, "hidden_act": None,
                             "hidden_activation": "gelu_pytorch_tanh", "rms_norm_eps": 1e-06, "attention_bias": False,
                             "attn_logit_softcapping": 4.0, "final_logit_softcapping": 6.0, "query_pre_attn_scalar": 12,
                             "sliding_window": 9, "pad_token_id": 0, "form": "old", "rope": {"rope_theta": 10000.0}},
        switches={
            "base": {"gguf": True, "lengths": (1, *LENGTHS)},
            "no-caps": {"attn_logit_softcapping": None, "final_logit_softcapping": None},
            "attention-cap": {"final_logit_softcapping": None},
            "final-cap": {"attn_logit_softcapping": None},
            "query-scale": {"query_pre_attn_scalar": 5},
            "layer-types": {"form": "new", "layer_types": ["full_attention", "sliding_attention"]},
        }),
    "gemma3_text": dict(
        weights="bfloat16",
        config={"architectures": ["Gemma3ForCausalLM"], "model_type": "gemma3_text", "vocab_size": 32, "hidden_size": 24,
                "intermediate_size": 24, "num_hidden_layers": 6, "num_attention_heads": 3, "num_key_value_heads": 1,
                "head_dim": 8, "hidden_activation": "gelu_pytorch_tanh", "max_position_embeddings": 128,
                "rms_norm_eps": 1e-06, "attention_bias": False, "attn_logit_softcapping": None,
                "final_logit_softcapping": None, "query_pre_attn_scalar": 8, "sliding_window": 9, "bos_token_id": 2,
                "eos_token_id": 1, "pad_token_id": 0, "form": "old", "rope": {"rope_theta": 1000000.0}},
        switches={
            "base": {"rope_local_base_freq": 10000.0, "sliding_window_pattern": 6, "gguf": True, "lengths": (1, *LENGTHS)},
            "rope-linear-old": {"rope_local_base_freq": 500.0, "gguf": {"local_base": True},
                                "rope": {"rope_theta": 10000.0, "rope_type": "linear", "factor": 8.0}},
            "rope-linear-new": {"form": "new", "layer_types": ["full_attention"] + ["sliding_attention", "full_attention"] * 2
                                + ["sliding_attention"], "rope": None, "rope_parameters": {
                                    "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 10000.0},
                                    "sliding_attention": {"rope_type": "default", "rope_theta": 500.0}}},
            "pattern": {"sliding_window_pattern": 2, "rope_local_base_freq": 10000.0, "query_pre_attn_scalar": 5},
            "final-cap": {"form": "new", "final_logit_softcapping": 6.0, "rope": None, "rope_parameters": {
                "full_attention": {"rope_type": "default", "rope_theta": 1000000.0},
                "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0}}},
        }),
    "gemma3": dict(
        weights="bfloat16",
        config={"architectures": ["Gemma3ForConditionalGeneration"], "model_type": "gemma3", "boi_token_index": 28,
                "eoi_token_index": 29, "image_token_index": 30, "mm_tokens_per_image": 4, "eos_token_id": [1, 27],
                "text_config": {
                    "model_type": "gemma3_text", "vocab_size": 32, "hidden_size": 24, "intermediate_size": 24,
                    "num_hidden_layers": 2, "num_attention_heads": 3, "num_key_value_heads": 1, "head_dim": 8,
                    "sliding_window": 9, "query_pre_attn_scalar": 8, "max_position_embeddings": 128,
                    "rope_scaling": {"factor": 8.0, "rope_type": "linear"}, "sliding_window_pattern": 2},
                "vision_config": {"model_type": "siglip_vision_model", "hidden_size": 8, "image_size": 8, "patch_size": 4,
                                  "intermediate_size": 8, "num_attention_heads": 2, "num_hidden_layers": 1,
                                  "vision_use_head": False}, "form": "old"},
        switches={
            "base": {"rename": lambda name: name.removeprefix("model.").replace("language_model.", "language_model.model.", 1)
                     .replace("vision_tower.", "vision_tower.vision_model.", 1), "lengths": (1, *LENGTHS)},
            "new-config": {"form": "new", "own_weights": True, "text_config": {
                "model_type": "gemma3_text", "vocab_size": 32, "hidden_size": 24, "intermediate_size": 24,
                "num_hidden_layers": 2, "num_attention_heads": 3, "num_key_value_heads": 1, "head_dim": 8,
                "sliding_window": 9, "query_pre_attn_scalar": 8, "max_position_embeddings": 128, "dtype": "bfloat16",
                "layer_types": ["sliding_attention", "full_attention"], "rope_parameters": {
                    "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 10000.0},
                    "sliding_attention": {"rope_type": "default", "rope_theta": 500.0}}}},
        }),
    "opt": dict(
        weights="float16",
        config={"architectures": ["OPTForCausalLM"], "model_type": "opt", "vocab_size": 32, "hidden_size": 24, "ffn_dim": 24,
                "num_hidden_layers": 2, "num_attention_heads": 3, "max_position_embeddings": 48, "activation_function": "relu",
                "do_layer_norm_before": True, "word_embed_proj_dim": 24, "dropout": 0.1, "attention_dropout": 0.0,
                "layerdrop": 0.0, "pad_token_id": 1, "bos_token_id": 2, "eos_token_id": 2, "form": "old"},
        switches={
            "base": {"lengths": (1, *LENGTHS)},
            "gelu": {"activation_function": "gelu", "form": "new"},
            "norm-after": {"do_layer_norm_before": False, "own_weights": True},
            "projection": {"do_layer_norm_before": False, "word_embed_proj_dim": 8, "rename": without("model."),
                           "weights": "float32"},
            "no-final-norm": {"_remove_final_layer_norm": True, "own_weights": True, "weights": "bfloat16"},
            "bare": {"enable_bias": False, "layer_norm_elementwise_affine": False, "own_weights": True},
        }),
    "olmo2": dict(
        weights="float16",
        config=LLAMA_LIKE | {"architectures": ["Olmo2ForCausalLM"], "model_type": "olmo2", "attention_bias": False,
                             "tie_word_embeddings": False, "pad_token_id": 0, "form": "old", "rope": {"rope_theta": 500000.0}},
        switches={
            "base": {"gguf": True, "lengths": (1, *LENGTHS)},
            "new-config": {"form": "new", "rope": {"rope_theta": 10000.0, "rope_type": "linear", "factor": 2.0}},
            "bias": {"attention_bias": True},
        }),
    "stablelm": dict(
        weights="float16",
        config=LLAMA_LIKE | {"architectures": ["StableLmForCausalLM"], "model_type": "stablelm", "rms_norm_eps": None,
                             "layer_norm_eps": 1e-05, "use_qkv_bias": False, "qk_layernorm": False,
                             "use_parallel_residual": False, "tie_word_embeddings": False, "form": "old",
                             "rope": {"rope_theta": 10000.0, "partial_rotary_factor": 0.25}},
        switches={
            "base": {"gguf": True, "lengths": (1, *LENGTHS)},
            "new-config": {"form": "new", "rope": {"rope_theta": 10000.0, "partial_rotary_factor": 0.5}},
            "bias": {"use_qkv_bias": True},
            "head-norms": {"qk_layernorm": True},
            "parallel": {"use_parallel_residual": True},
            "all": {"use_qkv_bias": True, "qk_layernorm": True, "use_parallel_residual": True, "gguf": True,
                    "rope": {"rope_theta": 10000.0, "partial_rotary_factor": 0.5}},
        }),
}


def written(family: str, switch: str) -> dict:
    """config.json of a switch, in its generation's form."""
    spec = FAMILIES[family]
    settings = dict(spec["config"])
    notes = {"weights", "rename", "buffers", "lengths", "decoding", "changes", "own_weights", "gguf"}
    settings |= {k: v for k, v in spec["switches"][switch].items() if k not in notes}
    absent = ("hidden_act", "n_embed", "num_attention_heads", "rms_norm_eps", "rope")
    settings = {k: v for k, v in settings.items() if v is not None or k not in absent}
    return in_form(settings, spec["switches"][switch].get("weights", spec["weights"]))


def in_form(settings: dict, weights: str) -> dict:
    settings = dict(settings)
    form, rope = settings.pop("form"), settings.pop("rope", None)
    dtype = "float32" if weights == "mixed" else weights
    if form == "new":
        settings["dtype"] = dtype
        if rope is not None:
            settings["rope_parameters"] = {"rope_type": "default"} | rope
        return settings
    settings["torch_dtype"] = dtype
    if rope is None:
        return settings
    rope = dict(rope)
    theta, partial = rope.pop("rope_theta"), rope.pop("partial_rotary_factor", None)
    neox = settings["model_type"] == "gpt_neox"
    settings["rotary_emb_base" if neox else "rope_theta"] = theta
    if partial is not None:
        settings["rotary_pct" if neox else "partial_rotary_factor"] = partial
    settings["rope_scaling"] = rope or None
    return settings
