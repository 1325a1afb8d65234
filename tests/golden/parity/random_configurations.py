"""Random configurations of every architecture, act-generate against a live `transformers`.

    python random_configurations.py ACT_GENERATE [--count 50] [--seed 1] [--only ARCHITECTURE[:NUMBER]]... [--keep FOLDER]
    python random_configurations.py ACT_GENERATE --model FOLDER...

Of each architecture COUNT random configurations: sizes, switches, both generations of config.json, types of tensors, in a
folder and, where llama.cpp's layout can hold them, as a GGUF file too; a random prompt, shorter or longer than a window, with
random heads calibrated by random options. The logits of the last position, plain and calibrated, must agree to 1e-4 of
the largest. Prints what fails with the configuration's number, by which --only makes it again; exits with 1 if any did.
With --model, random prompts and heads on checkpoints that are there instead.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import warnings
import zlib

import torch
import transformers
from transformers import AutoConfig

import act_reference as act
import gguf_families
from make_tiny_families import draw_state, load, moved, stored_type
from safetensors.torch import save_file
from tiny_families import FAMILIES, in_form

TOLERANCE = 1e-4
MARGIN = 1e-4
MARGIN_OF_TRAINED = 2e-5  # their heads have more columns near a threshold



# Settings that a configuration may leave out, whatever the architecture; transformers' defaults fit tiny models.
OPTIONAL = {
    "hidden_act", "rms_norm_eps", "attention_bias", "mlp_bias", "tie_word_embeddings", "rope_theta", "rope_scaling",
    "sliding_window", "use_sliding_window", "max_window_layers", "layer_norm_epsilon", "layer_norm_eps", "activation_function",
    "n_inner", "use_parallel_residual", "rotary_pct", "rotary_emb_base", "partial_rotary_factor", "hidden_activation",
    "attn_logit_softcapping", "final_logit_softcapping", "query_pre_attn_scalar", "rope_local_base_freq",
    "sliding_window_pattern", "scale_attn_weights", "scale_attn_by_inverse_layer_idx", "reorder_and_upcast_attn",
    "apply_residual_connection_post_layernorm", "use_qkv_bias", "qk_layernorm", "enable_bias", "do_layer_norm_before",
    "_remove_final_layer_norm", "layer_norm_elementwise_affine", "architectures", "torch_dtype", "dtype", "pretraining_tp",
    "slow_but_exact", "n_ctx", "rotary",
}
NULLABLE = {"llama": {"head_dim", "num_key_value_heads", "rope_scaling"}, "mistral": {"head_dim", "sliding_window"},
            "qwen2": {"rope_scaling"}, "gpt2": {"n_inner"}, "gptj": {"n_inner"}, "phi3": {"sliding_window"}}


def sparsely(rng: random.Random, family: str, config: dict) -> dict:
    """The configuration as published ones are: some settings left to their defaults, some null."""
    chance = rng.choice([0.0, 0.2, 0.5])
    needed = {"use_sliding_window", "sliding_window"} if "layer_types" in config else set()
    config = {k: v for k, v in config.items() if k not in OPTIONAL - needed or rng.random() >= chance}
    for key in sorted(NULLABLE.get(family, ())):
        if rng.random() < chance / 2:
            config[key] = None
    return config


def rope_of(rng: random.Random, size: int, kinds, context: int) -> dict:
    """Base and scaling. `size`: rotated channels."""
    rope = {"rope_theta": rng.choice([500.0, 10000.0, 1000000.0])}
    kind = rng.choice(kinds)
    if kind == "default":
        return rope
    if kind == "linear":
        return rope | {"rope_type": kind, "factor": rng.choice([2.0, 3.5, 8.0])}
    if kind == "dynamic":
        return rope | {"rope_type": kind, "factor": rng.choice([2.0, 4.0])}
    original = rng.choice([16, 32])
    if kind == "llama3":
        return rope | {"rope_type": kind, "factor": rng.choice([4.0, 8.0]), "low_freq_factor": 1.0,
                       "high_freq_factor": rng.choice([2.0, 4.0]), "original_max_position_embeddings": original}
    if kind == "yarn":
        rope |= {"rope_type": kind, "factor": rng.choice([2.0, 4.0]), "original_max_position_embeddings": original}
        if rng.random() < 0.3:
            rope |= {"beta_fast": rng.choice([8.0, 32.0]), "beta_slow": rng.choice([0.5, 1.0])}
        if rng.random() < 0.3:
            rope |= {"attention_factor": rng.choice([0.7, 1.2])}
        return rope
    assert kind == "longrope"
    short = [round(rng.uniform(1.0, 2.0), 3) for _ in range(size // 2)]
    return rope | {"rope_type": kind, "short_factor": short, "long_factor": [round(rng.uniform(1.0, 9.0), 3) for _ in short],
                   "factor": context / original, "original_max_position_embeddings": original}


def heads_and_width(rng: random.Random, head_sizes=(4, 6, 8, 16), grouped=True) -> dict:
    heads, size = rng.choice([1, 2, 3, 4, 6]), rng.choice(head_sizes)
    kv = rng.choice([k for k in range(1, heads + 1) if heads % k == 0]) if grouped else heads
    return {"heads": heads, "size": size, "kv": kv, "hidden": heads * size}


def configuration(rng: random.Random, family: str) -> dict:
    """Settings of tiny_families.py's kind, the pseudo settings included."""
    base = dict(FAMILIES[family]["config"])
    flip = lambda: rng.random() < 0.5  # noqa: E731
    layers, context = rng.choice([1, 2, 3]), 64
    shape = heads_and_width(rng)
    settings = base | {"form": rng.choice(["old", "new"]), "vocab_size": rng.randint(17, 80)}
    activation = rng.choice(["silu", "silu", "gelu", "gelu_pytorch_tanh"])
    llama_like = {"hidden_size": shape["hidden"], "num_attention_heads": shape["heads"], "num_key_value_heads": shape["kv"],
                  "num_hidden_layers": layers, "intermediate_size": rng.randint(5, 48), "tie_word_embeddings": flip()}
    window = rng.choice([None, None, 1, 3, 9, 40, 200])
    scalings = ["default", "default", "linear", "yarn", "llama3"]
    types = [rng.choice(["sliding_attention", "full_attention"]) for _ in range(layers)]

    if family == "opt":
        biases, before = flip(), flip()
        settings |= {"hidden_size": shape["hidden"], "num_attention_heads": shape["heads"], "num_hidden_layers": layers,
                     "max_position_embeddings": context, "ffn_dim": rng.randint(5, 48), "enable_bias": biases,
                     "activation_function": rng.choice(["relu", "gelu"]),
                     "do_layer_norm_before": before, "_remove_final_layer_norm": before and rng.random() < 0.2,
                     "word_embed_proj_dim": shape["hidden"] if flip() else 8, "layer_norm_elementwise_affine": rng.random() < 0.8}
    elif family == "llama":
        settings |= llama_like | {"attention_bias": flip(), "mlp_bias": flip(), "hidden_act": activation}
        settings["rms_norm_eps"] = rng.choice([1e-6, 1e-5, 1e-2])
        size = shape["size"]
        if flip():
            size = settings["head_dim"] = rng.choice([4, 10, 12])
        settings["rope"] = rope_of(rng, size, scalings + ["dynamic", "longrope"], context)
    elif family == "mistral":
        settings |= llama_like | {"sliding_window": window}
        if flip():
            settings["head_dim"] = rng.choice([4, 10, 12])
        settings["rope"] = rope_of(rng, 0, scalings, context)
    elif family == "gptj":
        settings |= {"n_embd": shape["hidden"], "n_head": shape["heads"], "n_layer": layers, "n_inner": rng.choice([None, 20, 33]),
                     "rotary_dim": rng.choice([r for r in (2, 4, 6, 8) if r <= shape["size"]]), "tie_word_embeddings": flip(),
                     "activation_function": rng.choice(["gelu_new", "gelu", "relu"])}
    elif family == "gpt2":
        settings |= {"n_embd": shape["hidden"], "n_head": shape["heads"], "n_layer": layers, "n_positions": context,
                     "n_ctx": context, "n_inner": rng.choice([None, 20, 33]), "tie_word_embeddings": flip(),
                     "activation_function": rng.choice(["gelu_new", "gelu", "relu", "gelu_pytorch_tanh"]),
                     "scale_attn_weights": rng.random() < 0.8, "scale_attn_by_inverse_layer_idx": flip(),
                     "reorder_and_upcast_attn": flip()}
    elif family == "gpt_neox":
        shape = heads_and_width(rng, (8, 16), grouped=False)
        part = rng.choice([0.25, 0.5, 1.0])
        settings |= {"hidden_size": shape["hidden"], "num_attention_heads": shape["heads"], "num_hidden_layers": layers,
                     "intermediate_size": rng.randint(5, 48), "tie_word_embeddings": flip(), "attention_bias": flip(),
                     "use_parallel_residual": flip(), "hidden_act": rng.choice(["gelu", "gelu_new"])}
        settings["rope"] = rope_of(rng, 0, ["default", "default", "linear"], context) | {"partial_rotary_factor": part}
    elif family == "bloom":
        heads = rng.randint(1, 9)
        settings = {k: v for k, v in settings.items() if k not in ("n_embed", "num_attention_heads")}
        settings |= {"hidden_size": heads * rng.choice([4, 6]), "n_head": heads, "n_layer": layers,
                     "apply_residual_connection_post_layernorm": flip()}
    elif family == "qwen2":
        settings |= llama_like | {"use_sliding_window": flip(), "sliding_window": window or 9,
                                  "max_window_layers": rng.randint(0, layers)}
        if flip() and settings["use_sliding_window"]:
            settings["layer_types"] = types
        settings["rope"] = rope_of(rng, 0, scalings, context)
    elif family == "qwen3":
        settings |= llama_like | {"use_sliding_window": flip(), "sliding_window": window or 9, "attention_bias": flip(),
                                  "max_window_layers": rng.randint(0, layers), "head_dim": rng.choice([4, 8, 12])}
        settings["rope"] = rope_of(rng, 0, scalings, context)
    elif family == "phi3":
        shape = heads_and_width(rng, (8, 16))
        part = rng.choice([0.5, 1.0])
        settings |= llama_like | {"hidden_size": shape["hidden"], "num_attention_heads": shape["heads"],
                                  "num_key_value_heads": shape["kv"], "sliding_window": window}
        rope = rope_of(rng, int(shape["size"] * part), ["default", "longrope"], context)
        rope.pop("factor", None)
        settings["original_max_position_embeddings"] = rope.get("original_max_position_embeddings", context)
        settings["rope"] = rope | {"partial_rotary_factor": part}
    elif family in ("gemma2", "gemma3_text"):
        size = rng.choice([4, 8, 12])
        settings |= llama_like | {"head_dim": size, "query_pre_attn_scalar": rng.choice([size, size, 5]),
                                  "sliding_window": window or 9, "tie_word_embeddings": True,
                                  "final_logit_softcapping": rng.choice([None, 5.0])}
        settings["attention_bias"] = rng.random() < 0.2
        if rng.random() < 0.3:
            settings["layer_types"] = types
        if family == "gemma2":
            settings["attn_logit_softcapping"] = rng.choice([None, 3.0])
            settings["rope"] = rope_of(rng, 0, ["default", "default", "linear"], context)
        else:
            full, local = rope_of(rng, 0, ["default", "linear"], context), rng.choice([100.0, 10000.0])
            if settings["form"] == "new":
                settings.pop("rope", None)
                settings["rope_parameters"] = {"full_attention": {"rope_type": "default"} | full,
                                               "sliding_attention": {"rope_type": "default", "rope_theta": local}}
            else:
                settings |= {"rope": full, "rope_local_base_freq": local}
                if "layer_types" not in settings:
                    settings["sliding_window_pattern"] = rng.choice([2, 3, 6])
    elif family == "gemma3":
        size = rng.choice([4, 8])
        text = dict(base["text_config"]) | {
            "vocab_size": settings.pop("vocab_size"), "hidden_size": shape["hidden"], "num_attention_heads": shape["heads"],
            "num_key_value_heads": shape["kv"], "num_hidden_layers": layers, "head_dim": size, "query_pre_attn_scalar": size,
            "sliding_window": window or 9, "sliding_window_pattern": rng.choice([2, 3])}
        settings["text_config"] = text
    elif family == "olmo2":
        settings |= llama_like | {"attention_bias": flip()}
        settings["rope"] = rope_of(rng, 0, scalings, context)
    elif family == "stablelm":
        shape = heads_and_width(rng, (8, 16))
        settings |= llama_like | {"hidden_size": shape["hidden"], "num_attention_heads": shape["heads"],
                                  "num_key_value_heads": shape["kv"], "use_qkv_bias": flip(), "qk_layernorm": flip(),
                                  "use_parallel_residual": flip()}
        settings["rope"] = rope_of(rng, 0, ["default", "default", "linear"], context) | {
            "partial_rotary_factor": rng.choice([0.25, 0.5, 1.0])}
    else:
        raise KeyError(f"{family}: random_configurations.py doesn't know it yet")
    if "layer_types" in settings:
        settings["form"] = "new" if "rope_parameters" in settings or settings["form"] == "new" else "old"
    absent = ("hidden_act", "rms_norm_eps", "n_embed", "num_attention_heads")
    return {k: v for k, v in settings.items() if v is not None or k not in absent}


def fits_gguf(family: str, config) -> bool:
    """Whether llama.cpp's layout and metadata say all that the configuration says."""
    if family in ("gptj", "gemma3", "opt"):
        return False
    rope = getattr(config, "rope_parameters", None) or {}
    full = rope.get("full_attention", rope)
    if full.get("rope_type") == "dynamic" or {"attention_factor", "beta_fast"} & set(full):
        return False
    if full.get("rope_type") == "longrope":
        return False  # llama.cpp chooses by the context's size, not the prompt's
    if family in ("gpt_neox", "stablelm"):
        return full["rope_theta"] == 10000.0 and full["rope_type"] == "default" and (
            family == "stablelm" or config.hidden_act == "gelu")
    if family == "gpt2":
        return (config.activation_function in ("gelu_new", "gelu_pytorch_tanh") and config.scale_attn_weights
                and not config.scale_attn_by_inverse_layer_idx)
    if family == "bloom":
        return not config.apply_residual_connection_post_layernorm
    if family == "gemma2" and config.attention_bias or family == "gemma3_text" and config.attention_bias:
        return False
    if family == "gemma2" and None in (config.attn_logit_softcapping, config.final_logit_softcapping):
        return False  # without a key llama.cpp caps at 50 and 30
    if family in ("gemma2", "gemma3_text"):
        pattern = 2 if family == "gemma2" else 6
        usual = ["full_attention" if (i + 1) % pattern == 0 else "sliding_attention" for i in range(config.num_hidden_layers)]
        return config.query_pre_attn_scalar == config.head_dim and config.layer_types == usual
    if family == "olmo2" and config.attention_bias:
        return False
    windows = "sliding_attention" in (getattr(config, "layer_types", None) or [])
    if family in ("mistral", "phi3"):
        windows = config.sliding_window is not None
    return not windows and getattr(config, "hidden_act", "silu") == "silu"


def difference(theirs: torch.Tensor, ours: list[float]) -> float:
    if len(ours) != len(theirs):
        return math.inf
    found = float((theirs - torch.tensor(ours)).abs().max() / theirs.abs().max())
    return found if math.isfinite(found) else math.inf


def act_logits(program: str, model: pathlib.Path, tokens, heads_file: pathlib.Path, out: pathlib.Path) -> dict:
    out.unlink(missing_ok=True)
    command = [program, "--model", str(model), "--tokens", " ".join(map(str, tokens)), "--heads", str(heads_file),
               "--logits", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode != 0:
        raise RuntimeError((done.stderr or done.stdout).strip().splitlines()[-1] if done.stderr or done.stdout
                           else f"exit status {done.returncode}")
    return json.loads(out.read_text(encoding="utf-8"))


def publish(rng: random.Random, folder: pathlib.Path, state: dict[str, torch.Tensor], tied: bool) -> None:
    """Writes the tensors as they are found: in one file or several, with an output matrix that is tied all the same."""
    words = [k for k in state if k.endswith(("embed_tokens.weight", "wte.weight", "embed_in.weight", "word_embeddings.weight"))]
    if tied and words and rng.random() < 0.3:
        state = state | {"lm_head.weight": state[words[0]].clone()}
    if rng.random() < 0.7:
        save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
        return
    parts = rng.randint(2, 3)
    index = {}
    for i in range(parts):
        file = f"model-{i + 1:05}-of-{parts:05}.safetensors"
        part = {k: state[k] for k in sorted(state)[i::parts]}
        save_file(part, folder / file, metadata={"format": "pt"})
        index |= {k: file for k in part}
    total = sum(v.numel() * v.element_size() for v in state.values())
    document = {"metadata": {"total_size": total}, "weight_map": index}
    (folder / "model.safetensors.index.json").write_text(json.dumps(document), encoding="utf-8")


@dataclasses.dataclass
class Prompt:
    tokens: list[int]
    heads: list[list[int]]
    options: dict
    plain: torch.Tensor
    calibrated: torch.Tensor


def draw_prompt(rng: random.Random, model, margin: float) -> Prompt | None:
    """Tokens, heads and options of which no decision is within `margin` of flipping; none in 100 tries."""
    text = model.config.get_text_config()
    for _ in range(100):
        tokens = [rng.randrange(text.vocab_size) for _ in range(rng.choice([1, 2, 5, 12, 30, 50, 64]))]
        every = [[layer, head] for layer in range(text.num_hidden_layers) for head in range(text.num_attention_heads)]
        heads = sorted(rng.sample(every, rng.randint(1, len(every))))
        options = {"beta": rng.choice([0.0, 0.4, 0.9]), "min_visible_rows": rng.choice([1, 1, 4])}
        options |= rng.choice([{"rule": "relative", "alpha": rng.choice([1.5, 3.0, 5.0])},
                               {"rule": "absolute", "tau": rng.choice([0.05, 0.15])}])
        calibrated = act.run(model, tokens, heads, act.Options(**options))
        if calibrated.margin > margin:
            return Prompt(tokens, heads, options, act.run(model, tokens).logits, calibrated.logits)
    return None


def compare(program: str, path: pathlib.Path, prompt: Prompt, folder: pathlib.Path) -> float | str:
    """The largest relative difference, or what act-generate said instead. `folder`: where files may go."""
    (folder / "heads.json").write_text(json.dumps({"heads": prompt.heads, "options": prompt.options}), encoding="utf-8")
    (folder / "tokens.txt").write_text(" ".join(map(str, prompt.tokens)), encoding="utf-8")
    try:
        logits = act_logits(program, path, prompt.tokens, folder / "heads.json", folder / "logits.json")
    except (RuntimeError, subprocess.TimeoutExpired) as problem:
        return str(problem).replace(str(folder), "FOLDER")
    return max(difference(prompt.plain, logits["baseline"]), difference(prompt.calibrated, logits["calibrated"]))


def try_one(program: str, family: str, number: int, seed: int, folder: pathlib.Path) -> dict[str, float | str]:
    """The largest relative difference of each format, or what was wrong."""
    rng = random.Random(zlib.crc32(f"{seed} {family} {number}".encode()))
    weights = rng.choice(["float32", "float16", "bfloat16", "mixed"])
    settings = sparsely(rng, family, in_form(configuration(rng, family), weights))
    (folder / "config.json").write_text(json.dumps(settings, indent=1), encoding="utf-8")
    config = AutoConfig.from_pretrained(folder)
    text = config.get_text_config()
    state = draw_state(f"{family} {seed} {number}", config)
    state = {k: v.to(stored_type(k, v, weights)).contiguous() for k, v in state.items()}
    rename = FAMILIES[family].get("rename", FAMILIES[family]["switches"]["base"].get("rename"))
    if rename is not None and rng.random() < 0.5:
        state = {rename(k): v for k, v in state.items()}
    publish(rng, folder, state, text.tie_word_embeddings)
    model = load(folder)

    prompt = draw_prompt(rng, model, MARGIN)
    if prompt is None:
        return {"folder": "no prompt is clear of every threshold"}
    act.check_plain(model, prompt.tokens)
    formats = {"folder": folder}
    if fits_gguf(family, config):
        gguf_families.write(folder, folder / "model.gguf", local_base=rng.random() < 0.5 or text.model_type == "gemma3_text")
        formats["gguf"] = folder / "model.gguf"
    found = {name: compare(program, path, prompt, folder) for name, path in formats.items()}
    found["moved"] = moved(prompt.plain, prompt.calibrated)
    return found


def try_model(program: str, path: pathlib.Path, count: int, seed: int) -> int:
    """Random prompts and heads on a checkpoint that is there. Returns the number of failures."""
    model, rng = load(path), random.Random(seed)
    worst, failed, movement = 0.0, 0, 0
    for number in range(count):
        prompt = draw_prompt(rng, model, MARGIN_OF_TRAINED)
        if prompt is None:
            raise RuntimeError(f"{path}: no prompt is clear of every threshold")
        with tempfile.TemporaryDirectory() as temporary:
            found = compare(program, path, prompt, pathlib.Path(temporary))
        movement += moved(prompt.plain, prompt.calibrated) > 0.01
        if isinstance(found, str) or found > TOLERANCE:
            failed += 1
            print(f"FAIL {path.name} prompt {number} (--seed {seed}): {found}", flush=True)
        else:
            worst = max(worst, found)
    print(f"{path.name}: {count} prompts, {failed} failed, calibration moved the logits of {movement}; largest relative difference "
          f"{worst:.2g}", flush=True)
    return failed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="act-generate")
    parser.add_argument("--count", type=int, default=50, help="configurations of each architecture (default: 50)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", action="append", default=[], metavar="ARCHITECTURE[:NUMBER]")
    parser.add_argument("--keep", type=pathlib.Path, help="leave the folders of failures here")
    parser.add_argument("--model", nargs="+", type=pathlib.Path, metavar="FOLDER", help="these checkpoints instead")
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    transformers.logging.disable_progress_bar()
    transformers.logging.set_verbosity_error()

    if options.model:
        failed = sum(try_model(options.program, path, options.count, options.seed) for path in options.model)
        print(f"{'FAILED' if failed else 'passed'}: {failed} failures")
        return 1 if failed else 0
    wanted = [each.partition(":") for each in options.only]
    failed = 0
    for family in FAMILIES:
        numbers = range(options.count)
        if wanted:
            chosen = [number for name, _, number in wanted if name == family]
            if not chosen:
                continue
            numbers = range(options.count) if "" in chosen else [int(number) for number in chosen]
        worst, runs, bad, movement, refused = {}, {}, 0, 0, 0
        for number in numbers:
            with tempfile.TemporaryDirectory() as temporary:
                folder = pathlib.Path(temporary)
                found = try_one(options.program, family, number, options.seed, folder)
                movement += found.pop("moved", 0.0) > 0.01
                for name in [k for k, v in found.items() if isinstance(v, str) and "the model's context is" in v]:
                    refused += 1  # longer than the rotary scaling `dynamic` or `longrope` is known for
                    del found[name]
                wrong = {k: v for k, v in found.items() if isinstance(v, str) or v > TOLERANCE}
                for name, value in found.items():
                    runs[name] = runs.get(name, 0) + 1
                    if name not in wrong:
                        worst[name] = max(worst.get(name, 0.0), value)
                if wrong:
                    bad += 1
                    print(f"FAIL {family}:{number} (--seed {options.seed}): "
                          + "; ".join(f"{k}: {v if isinstance(v, str) else f'differs by {v:.2g}'}" for k, v in wrong.items()),
                          flush=True)
                    if options.keep is not None:
                        shutil.copytree(folder, options.keep / f"{family}-{options.seed}-{number}", dirs_exist_ok=True)
        failed += bad
        print(f"{family}: {len(numbers)} configurations, {bad} failed, {refused} prompts refused as too long, calibration moved the logits of {movement}; largest relative "
              "difference " + ", ".join(f"{k} {worst.get(k, 0.0):.2g} ({runs[k]})" for k in runs), flush=True)
    print(f"{'FAILED' if failed else 'passed'}: {failed} failures")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
