"""Tiny random OPT and Llama checkpoints as Hugging Face folders, and what `transformers` computes with them.

    python make_tiny_folders.py

writes one folder per checkpoint beside this script: config.json, model.safetensors (or its shards with their
index) and golden.json. The configurations are written by hand rather than by `save_pretrained`, so that both
generations of config.json, the old tensor names and the rarer OPT settings stay covered whatever transformers
writes today.

| folder | what is special |
|---|---|
| tiny-opt-prenorm | as opt-125m: norm before, final norm, biases; F16; `torch_dtype` |
| tiny-opt-postnorm | as opt-350m: norm after, no final norm, `word_embed_proj_dim` below the hidden size; F32; tensor names without the leading `model.` |
| tiny-opt-bare | as Galactica: no biases, gelu; norms without weights; F16 |
| tiny-opt-nofinal | norm before but `_remove_final_layer_norm`; BF16; `dtype` |
| tiny-llama-old-config | `rope_theta` at the top, `torch_dtype`; grouped KV heads; separate output matrix; F16 |
| tiny-llama-new-config | `rope_parameters`, `dtype`, explicit `head_dim` that isn't hidden / heads; tied output; BF16; two shards |
"""

from __future__ import annotations

import json
import pathlib
import shutil

import torch
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM

import act_reference as act
from make_tiny_llama import draw_prompts, head_set_cases, report

HERE = pathlib.Path(__file__).resolve().parent
LENGTHS = (1, 2, 7, 33, 80)

OPT = {
    "architectures": ["OPTForCausalLM"], "model_type": "opt", "vocab_size": 72, "hidden_size": 32,
    "num_hidden_layers": 3, "num_attention_heads": 4, "ffn_dim": 64, "max_position_embeddings": 96,
    "activation_function": "relu", "do_layer_norm_before": True, "word_embed_proj_dim": 32, "dropout": 0.1,
    "attention_dropout": 0.0, "layerdrop": 0.0, "init_std": 0.02, "use_cache": True, "pad_token_id": 1,
    "bos_token_id": 2, "eos_token_id": 2,
}
LLAMA = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": 72, "hidden_size": 32,
    "intermediate_size": 56, "num_hidden_layers": 3, "num_attention_heads": 4, "num_key_value_heads": 2,
    "max_position_embeddings": 128, "rms_norm_eps": 1e-05, "hidden_act": "silu", "attention_bias": False,
    "mlp_bias": False, "bos_token_id": 1, "eos_token_id": 2,
}
FOLDERS = {
    "tiny-opt-prenorm": dict(seed=21, dtype=torch.float16, config=OPT | {"torch_dtype": "float16", "prefix": "</s>"}),
    "tiny-opt-postnorm": dict(
        seed=22, dtype=torch.float32, drop_prefix="model.",
        config=OPT | {"torch_dtype": "float32", "num_hidden_layers": 2, "do_layer_norm_before": False, "word_embed_proj_dim": 16}),
    "tiny-opt-bare": dict(
        seed=23, dtype=torch.float16,
        config=OPT | {"torch_dtype": "float16", "enable_bias": False, "layer_norm_elementwise_affine": False,
                      "activation_function": "gelu"}),
    "tiny-opt-nofinal": dict(
        seed=24, dtype=torch.bfloat16, config=OPT | {"dtype": "bfloat16", "_remove_final_layer_norm": True}),
    "tiny-llama-old-config": dict(
        seed=25, dtype=torch.float16,
        config=LLAMA | {"torch_dtype": "float16", "rope_theta": 50000.0, "tie_word_embeddings": False}),
    "tiny-llama-new-config": dict(
        seed=26, dtype=torch.bfloat16, shards=2,
        config=LLAMA | {"dtype": "bfloat16", "rope_parameters": {"rope_type": "default", "rope_theta": 20000.0},
                        "head_dim": 12, "tie_word_embeddings": True}),
}


def random_state(config, seed: int) -> dict[str, torch.Tensor]:
    """Weights loud enough that heads have sinks and calibration moves the logits."""
    generator = torch.Generator().manual_seed(seed)
    model = AutoModelForCausalLM.from_config(config)
    tied = config.tie_word_embeddings
    state = {}
    for name, parameter in model.state_dict().items():
        if name == "lm_head.weight" and tied:
            continue
        noise = torch.randn(parameter.shape, generator=generator)
        if "norm" in name:
            value = 0.3 * noise if name.endswith("bias") else 1.0 + 0.3 * noise
        elif name.endswith("bias"):
            value = 0.3 * noise
        elif "embed_positions" in name:
            value = 0.4 * noise
        elif "embed_tokens" in name:
            loud = torch.randperm(parameter.shape[0], generator=generator)[: parameter.shape[0] // 6]
            noise[loud] += 2.0 * torch.randn(parameter.shape[1], generator=generator)
            value = noise
        else:
            gain = 1.8 if "q_proj" in name or "k_proj" in name else 1.2
            value = noise * gain / parameter.shape[1] ** 0.5
        state[name] = value
    return state


def write_folder(name, *, seed, dtype, config, drop_prefix="", shards=1) -> pathlib.Path:
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")
    state = random_state(AutoConfig.from_pretrained(folder), seed)
    state = {k.removeprefix(drop_prefix): v.to(dtype).contiguous() for k, v in state.items()}
    names = sorted(state)
    if shards == 1:
        save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
        return folder
    index = {}
    for i in range(shards):
        part = names[i::shards]
        file = f"model-{i + 1:05}-of-{shards:05}.safetensors"
        save_file({k: state[k] for k in part}, folder / file, metadata={"format": "pt"})
        index |= {k: file for k in part}
    total = sum(v.numel() * v.element_size() for v in state.values())
    document = {"metadata": {"total_size": total}, "weight_map": dict(sorted(index.items()))}
    (folder / "model.safetensors.index.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return folder


def load(folder: pathlib.Path):
    """The folder in float32, with a complaint when any tensor was missing or left over."""
    model, info = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, output_loading_info=True)
    if any(info[k] for k in ("missing_keys", "unexpected_keys", "mismatched_keys")):
        raise RuntimeError(f"{folder.name}: {info}")
    return model.eval()


def main():
    for name, shape in FOLDERS.items():
        folder = write_folder(name, **shape)
        model = load(folder)
        cases = head_set_cases(model.config.num_hidden_layers, model.config.num_attention_heads)
        prompts = draw_prompts(model, cases, seed=shape["seed"], lengths=LENGTHS)
        document = {"model": name, "versions": act.versions(), "cases": cases, "prompts": prompts}
        act.write_json(folder / "golden.json", document)
        report(name, prompts)


if __name__ == "__main__":
    main()
