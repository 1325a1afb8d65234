"""Tiny random checkpoints of every architecture and of each of its switches, and what `transformers` computes with them.

    python make_tiny_families.py [ARCHITECTURE[/SWITCH]]...

writes families/ARCHITECTURE/SWITCH/ beside this script: config.json, weights, golden.json and, where llama.cpp has the
architecture, model.gguf (gguf_families.py). A switch that changes no tensor has a link to the weights of `base`; one that
adds tensors has them in a file of their own and an index. Configurations are written by hand, in the form from before
transformers 5 (`torch_dtype`, `rope_theta`, `rope_scaling`) or after (`dtype`, `rope_parameters`), as `form` says.

A tensor's values depend on family, name and shape alone. Prompts are drawn until no decision is within MARGIN of flipping
(README.md), and until calibration moves the logits.
"""

from __future__ import annotations

import json
import math
import os
import pathlib
import shutil
import sys
import zlib

import numpy as np
import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModelForCausalLM

os.environ.setdefault("TQDM_DISABLE", "1")
import act_reference as act
from tiny_families import FAMILIES, LENGTHS, DECODING, written

HERE = pathlib.Path(__file__).resolve().parent
MARGIN = 2e-4
DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


def gain_of(name: str) -> float:
    """Keys and queries loud enough that a head stares at a few columns."""
    if any(part in name for part in ("q_proj", "k_proj", "c_attn", "query_key_value", "qkv_proj")):
        return 1.8
    if any(part in name for part in ("fc_out", "mlp.c_proj", "dense_4h_to_h")):
        return 8.0  # two forms of GELU are 5e-4 apart at most: that has to show
    return 2.5 if "lm_head" in name else 1.3


def random_tensor(family: str, model_type: str, name: str, shape, *, conv1d: bool) -> torch.Tensor:
    generator = torch.Generator().manual_seed(zlib.crc32(f"{family} {name} {list(shape)}".encode()))
    noise = torch.randn(shape, generator=generator)
    if "norm" in name or ".ln_" in name or name.startswith("ln_"):
        if name.endswith("bias"):
            return 0.3 * noise
        of_heads = any(part in name for part in ("q_norm", "k_norm", "q_layernorm", "k_layernorm"))
        mean = 1.6 if of_heads else 1.0
        return (mean - 1.0 if model_type.startswith("gemma") else mean) + 0.3 * noise
    if name.endswith("bias"):
        return 0.3 * noise
    if "wpe" in name or "embed_positions" in name:
        return 0.4 * noise
    if any(part in name for part in ("embed_tokens", "wte", "embed_in", "word_embeddings")):
        loud = torch.randperm(shape[0], generator=generator)[: shape[0] // 6]
        noise[loud] += 2.0 * torch.randn(shape[1], generator=generator)
        return noise / math.sqrt(shape[1]) if model_type.startswith("gemma") else noise
    fan_in = shape[0] if conv1d and any(part in name for part in ("c_attn", "c_proj", "c_fc")) else shape[-1]
    return noise * gain_of(name) / math.sqrt(fan_in)


def draw_state(family: str, config) -> dict[str, torch.Tensor]:
    """Every parameter of the architecture, as float32."""
    model = AutoModelForCausalLM.from_config(config)
    text = config.get_text_config()
    state = {}
    for name, parameter in model.state_dict().items():
        if name == "lm_head.weight" and text.tie_word_embeddings:
            continue
        state[name] = random_tensor(family, text.model_type, name, parameter.shape, conv1d=text.model_type == "gpt2")
    return state


def stored_type(name: str, value: torch.Tensor, weights: str) -> torch.dtype:
    """`mixed`: vectors as F32 and matrices in both half types, as some published files are."""
    if weights != "mixed":
        return DTYPES[weights]
    if value.dim() == 1:
        return torch.float32
    return torch.bfloat16 if zlib.crc32(name.encode()) % 2 else torch.float16


def write_weights(folder: pathlib.Path, base: pathlib.Path | None, state: dict[str, torch.Tensor]) -> None:
    """Links to the weights of `base`, whose tensors have the same values where they have the same name and shape."""
    for old in folder.glob("*.safetensors*"):
        old.unlink()
    have = {}
    if base is not None:
        have = load_file(base / "model.safetensors")
    shared = {k for k, v in have.items() if k in state and v.shape == state[k].shape}
    if not have or shared != set(have):
        save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
        return
    assert all(torch.equal(have[k], state[k]) for k in shared)
    rest = {k: v for k, v in state.items() if k not in shared}
    target = pathlib.Path("..") / base.name / "model.safetensors"
    if not rest:
        (folder / "model.safetensors").symlink_to(target)
        return
    first, second = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"
    (folder / first).symlink_to(target)
    save_file(rest, folder / second, metadata={"format": "pt"})
    index = {k: first for k in shared} | {k: second for k in rest}
    total = sum(v.numel() * v.element_size() for v in state.values())
    document = {"metadata": {"total_size": total}, "weight_map": dict(sorted(index.items()))}
    (folder / "model.safetensors.index.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def write_folder(folder: pathlib.Path, family: str, switch: str, base: pathlib.Path | None) -> None:
    """One checkpoint as someone would publish it."""
    spec = FAMILIES[family]
    settings = spec["switches"][switch]
    folder.mkdir(parents=True, exist_ok=True)
    config = written(family, switch)
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")
    loaded = AutoConfig.from_pretrained(folder)
    state = draw_state(family, loaded)
    state = {k: v.to(stored_type(k, v, settings.get("weights", spec["weights"]))) for k, v in state.items()}
    rename = settings.get("rename", spec.get("rename"))
    if rename is not None:
        state = {rename(k): v for k, v in state.items()}
    buffers = settings.get("buffers", spec.get("buffers"))
    if buffers is not None:
        state |= buffers(loaded)
    write_weights(folder, base, {k: v.contiguous() for k, v in state.items()})


def load(folder: pathlib.Path):
    """The folder in float32, with a complaint when any tensor was missing or left over but old checkpoints' buffers."""
    model, info = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, output_loading_info=True)
    left_over = [k for k in info["unexpected_keys"] if not k.endswith((".masked_bias", "attn.bias", "attention.bias", "inv_freq"))]
    if info["missing_keys"] or left_over or info["mismatched_keys"]:
        raise RuntimeError(f"{folder}: {info}")
    return model.eval()


def rounded(values: torch.Tensor, largest: float) -> list[float]:
    """To two millionths of the largest or better."""
    digits = max(0, math.ceil(5.5 - math.log10(largest)))
    return [round(float(v), digits) for v in values]


def cases_of(text) -> list[dict]:
    layers, heads = text.num_hidden_layers, text.num_attention_heads
    every = [[layer, head] for layer in range(layers) for head in range(heads)]
    several = sorted([[0, 0], [0, heads - 1], [layers - 1, heads // 2]])
    return [
        {"name": "several heads", "heads": several, "options": {}},
        {"name": "all heads, alpha 2", "heads": every, "options": {"alpha": 2.0, "beta": 0.2}},
        {"name": "all heads, absolute, 3 rows at least", "heads": every,
         "options": {"rule": "absolute", "tau": 0.15, "beta": 0.6, "min_visible_rows": 3}},
    ]


def stored(logits: torch.Tensor, kept=None) -> dict:
    largest = float(logits.abs().max())
    return {"max_abs_logit": float(f"{largest:.7g}"),
            "logits": rounded(logits if kept is None else logits[kept], largest)}


def moved(a: torch.Tensor, b: torch.Tensor) -> float:
    return float((a - b).abs().max() / a.abs().max())


def draw(what: str, attempt, tries: int = 300):
    """The first of `attempt()`'s entries that is clear of every threshold and that calibration moves enough."""
    best = (0.0, 0.0)
    for _ in range(tries):
        entry, margin, movement, needed = attempt()
        if margin > MARGIN and movement >= needed:
            entry["margin"] = float(f"{min(margin, 1e9):.3g}")
            return entry, movement
        best = max(best, (margin, movement))
    raise RuntimeError(f"{what}: no prompt is clear of every threshold by {MARGIN} and moved; best {best}")


def golden(model, seed: int, lengths, decoding) -> tuple[dict, dict]:
    text = model.config.get_text_config()
    cases = cases_of(text)
    rng = np.random.default_rng(seed)
    kept = list(range(0, text.vocab_size, 4))
    movements = {"prompts": 0.0, "decoding": 0.0}

    def ids(count):
        return [int(t) for t in rng.integers(1, text.vocab_size, count)]

    def prompt(length):
        def attempt():
            tokens = ids(length)
            plain = act.run(model, tokens)
            entry = {"tokens": tokens, "plain": stored(plain.logits), "calibrated": []}
            margin, movement = math.inf, 0.0
            for case in cases:
                result = act.run(model, tokens, case["heads"], act.Options(**case["options"]))
                margin = min(margin, result.margin)
                movement = max(movement, moved(plain.logits, result.logits))
                entry["calibrated"].append({"case": case["name"]} | stored(result.logits))
            return entry, margin, movement, 0.02 if length > 20 else 0.0

        act.check_plain(model, ids(length))
        return draw(f"{length} tokens", attempt)

    def continued(length, steps):
        case = cases[1]

        def attempt():
            tokens, appended = ids(length), ids(steps)
            plain = act.run_decoding(model, tokens, appended)
            result = act.run_decoding(model, tokens, appended, case["heads"], act.Options(**case["options"]))
            movement = min(moved(a, b) for a, b in zip(plain.logits[1:], result.logits[1:]))
            entry = {"tokens": tokens, "appended": appended, "case": case["name"],
                     "plain": [stored(v, kept) for v in plain.logits],
                     "calibrated": [stored(v, kept) for v in result.logits]}
            return entry, result.margin, movement, 0.005

        act.check_decoding(model, ids(length), ids(steps))
        return draw(f"{length} + {steps} tokens", attempt)

    document = {"cases": cases, "kept_while_decoding": kept, "prompts": [], "decoding": []}
    for length in lengths:
        entry, movement = prompt(length)
        document["prompts"].append(entry)
        movements["prompts"] = max(movements["prompts"], movement)
    for length, steps in decoding:
        entry, movement = continued(length, steps)
        document["decoding"].append(entry)
        movements["decoding"] = max(movements["decoding"], movement)
    return document, movements


def write_golden(path: pathlib.Path, document: dict) -> None:
    """One line per entry."""
    parts = []
    for key, value in document.items():
        if key in ("prompts", "decoding", "cases") and value:
            lines = ",\n".join("  " + json.dumps(each, separators=(",", ":")) for each in value)
            parts.append(f' "{key}": [\n{lines}\n ]')
        else:
            parts.append(f' "{key}": {json.dumps(value, separators=(",", ":"))}')
    path.write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8")


def make(family: str, switch: str) -> None:
    spec = FAMILIES[family]
    settings = spec["switches"][switch]
    folder = HERE / "families" / family / switch
    if switch != "base" or not folder.exists():  # other switches link to the base's weights
        shutil.rmtree(folder, ignore_errors=True)
    base = None if switch == "base" or settings.get("own_weights") else folder.parent / "base"
    write_folder(folder, family, switch, base)
    model = load(folder)
    document, movements = golden(model, zlib.crc32(f"{family} {switch}".encode()), settings.get("lengths", LENGTHS),
                                 settings.get("decoding", DECODING))
    write_golden(folder / "golden.json", {"model": f"{family}/{switch}", "versions": act.versions()} | document)
    note = ""
    if base is not None and settings.get("changes", True) and (folder / "model.safetensors").is_symlink():
        # The switch must show: with the same weights another setting gives other logits.
        tokens = document["prompts"][-1]["tokens"]
        difference = moved(act.run(load(base), tokens).logits, act.run(model, tokens).logits)
        note = f" differs from base by {difference:.2g}"
        if difference < 6e-5:
            raise RuntimeError(f"{family}/{switch}: the switch changes no more than {difference:.2g}")
    if settings.get("gguf"):
        import gguf_families

        gguf_families.write(folder, folder / "model.gguf", **(settings["gguf"] if isinstance(settings["gguf"], dict) else {}))
        note += " gguf: " + gguf_families.check(folder, folder / "model.gguf", document["prompts"][-1]["tokens"])
    size = sum(p.lstat().st_size for p in folder.iterdir() if not p.is_symlink())
    print(f"{family}/{switch}: {size / 1000:.0f} kB, calibration moves {movements['prompts']:.2g}, "
          f"decoding {movements['decoding']:.2g}{note}", flush=True)


def list_tests() -> None:
    """families/list.inc: a line for each checkpoint, for tests/runtime/families_test.cpp."""
    folder = HERE / "families"
    lines = []
    for family, spec in sorted(FAMILIES.items()):
        for switch in sorted(spec["switches"]):
            lines.append(f'PARITY("{family}", "{switch}", "folder")')
            if (folder / family / switch / "model.gguf").exists():
                lines.append(f'PARITY("{family}", "{switch}", "gguf")')
    (folder / "list.inc").write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    torch.set_num_threads(1)
    transformers.logging.disable_progress_bar()
    transformers.logging.set_verbosity_error()
    wanted = [pathlib.PurePosixPath(argument).parts for argument in sys.argv[1:]]
    for family, spec in FAMILIES.items():
        for switch in spec["switches"]:
            if not wanted or (family,) in wanted or (family, switch) in wanted:
                make(family, switch)
    list_tests()


if __name__ == "__main__":
    main()
