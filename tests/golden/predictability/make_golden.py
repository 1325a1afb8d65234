"""How well heads predict each other, by `transformers` and PyTorch's least squares: the golden of
tests/inspection/predictability_test.cpp.

    python make_golden.py

writes golden.json beside this script. Queries, keys and values come from hooks in float32; the maps from
torch.linalg.lstsq in float64 over the tokens themselves, with a column of ones; R^2 is the mean over a vector's
numbers, about the means of the tokens it is told of. References are chosen one by one, each time the head with the
largest R^2 on the fitted windows. The checkpoints are those of the parity goldens (../parity/families).
"""

from __future__ import annotations

import json
import pathlib

import torch
import transformers
from transformers import AutoModelForCausalLM

HERE = pathlib.Path(__file__).resolve().parent
FAMILIES = HERE.parent / "parity" / "families"

# Norms of queries and keys with grouped heads, plain grouped heads, learned positions; the last number: lower layers.
CASES = (("qwen3/base", 0), ("qwen3/base", 1), ("llama/base", 0), ("gpt2/base", 0), ("gpt2/base", 1))
FITTED, HELD_OUT, LENGTH = 12, 3, 40  # windows, windows, tokens
REFERENCES = 3


@torch.no_grad()
def vectors_of(model, windows: list[list[int]]) -> dict[str, torch.Tensor]:
    """{kind: [layer, head, token, number]}, windows one after another."""
    config = model.config
    kv_heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    seen: dict[str, list[torch.Tensor]] = {}
    hooks = []

    def keep(name):
        def hook(_module, _inputs, output):
            seen.setdefault(name, []).append(output.detach().reshape(1, LENGTH, -1, size)[0])
        return hook

    def keep_joined(_module, _inputs, output):
        for name, part in zip(("queries", "keys", "values"), output.split(config.hidden_size, dim=2)):
            keep(name)(None, None, part)

    for layer in model.transformer.h if hasattr(model, "transformer") else model.model.layers:
        if hasattr(layer, "attn"):
            hooks.append(layer.attn.c_attn.register_forward_hook(keep_joined))
            continue
        attention = layer.self_attn
        hooks.append(getattr(attention, "q_norm", attention.q_proj).register_forward_hook(keep("queries")))
        hooks.append(getattr(attention, "k_norm", attention.k_proj).register_forward_hook(keep("keys")))
        hooks.append(attention.v_proj.register_forward_hook(keep("values")))

    parts: dict[str, list[torch.Tensor]] = {}
    for window in windows:
        seen.clear()
        cache = model(input_ids=torch.tensor([window]), use_cache=True).past_key_values
        found = {name: torch.stack([layer.transpose(0, 1) for layer in layers]) for name, layers in seen.items()}
        if not hasattr(model, "transformer"):
            found["rotated keys"] = torch.stack([layer.keys[0] for layer in cache.layers])
            assert found["rotated keys"].shape[1] == kv_heads
        for name, tensor in found.items():
            parts.setdefault(name, []).append(tensor)
    for hook in hooks:
        hook.remove()
    return {name: torch.cat(tensors, dim=2).double() for name, tensors in parts.items()}


def r_squared(truth: torch.Tensor, predicted: torch.Tensor) -> tuple[float, float]:
    errors = ((truth - predicted) ** 2).sum(0)
    variation = ((truth - truth.mean(0)) ** 2).sum(0)
    return float((1 - errors / variation).mean()), float(1 - errors.sum() / variation.sum())


def with_ones(inputs: list[torch.Tensor]) -> torch.Tensor:
    joined = torch.cat(inputs, dim=1)
    return torch.cat([joined, torch.ones(len(joined), 1, dtype=joined.dtype)], dim=1)


def fit(inputs: list[torch.Tensor], output: torch.Tensor) -> torch.Tensor:
    return torch.linalg.lstsq(with_ones(inputs), output, driver="gelsd").solution


def predict(vectors: torch.Tensor, layer: int, head: int, lower: int) -> dict:
    cut = FITTED * LENGTH
    output = vectors[layer, head]
    names = [(l, h) for l in range(max(0, layer - lower), layer + 1) for h in range(vectors.shape[1])
             if (l, h) != (layer, head)]
    found = {"layer": layer, "head": head, "references": [], "held_out": [], "pooled": [], "fitted": []}
    chosen: list[tuple[int, int]] = []
    while len(chosen) < min(REFERENCES, len(names)):
        scored = []
        for name in names:
            if name in chosen:
                continue
            inputs = [vectors[n][:cut] for n in chosen + [name]]
            weights = fit(inputs, output[:cut])
            scored.append((r_squared(output[:cut], with_ones(inputs) @ weights)[0], name))
        best = sorted(scored, key=lambda each: -each[0])
        # A choice that rounding could turn is no golden.
        assert len(best) == 1 or best[0][0] - best[1][0] > 1e-5, (layer, head, best[:2])
        chosen.append(best[0][1])
        weights = fit([vectors[n][:cut] for n in chosen], output[:cut])
        held_out = r_squared(output[cut:], with_ones([vectors[n][cut:] for n in chosen]) @ weights)
        found["references"].append(list(chosen[-1]))
        found["fitted"].append(round(best[0][0], 7))
        found["held_out"].append(round(held_out[0], 7))
        found["pooled"].append(round(held_out[1], 7))
    return found


def main() -> None:
    cases = []
    for name, lower in CASES:
        model = AutoModelForCausalLM.from_pretrained(FAMILIES / name, dtype=torch.float32).eval()
        generator = torch.Generator().manual_seed(7)
        windows = torch.randint(model.config.vocab_size, (FITTED + HELD_OUT, LENGTH), generator=generator).tolist()
        vectors = vectors_of(model, windows)
        kinds = [k for k in ("queries", "keys", "rotated keys", "values") if k in vectors]
        cases.append({"model": name, "lower_layers": lower, "references": REFERENCES, "fitted_windows": FITTED,
                      "windows": windows,
                      "vectors": [{"vectors": k, "per_head": [predict(vectors[k], l, h, lower)
                                                              for l in range(vectors[k].shape[0])
                                                              for h in range(vectors[k].shape[1])]} for k in kinds]})
    versions = {"torch": torch.__version__.split("+")[0], "transformers": transformers.__version__}
    lines = ",\n".join("  " + json.dumps(case, separators=(",", ":")) for case in cases)
    (HERE / "golden.json").write_text(f'{{"versions": {json.dumps(versions)},\n "cases": [\n{lines}\n ]}}\n',
                                      encoding="utf-8")
    print(f"{len(cases)} cases, {len(lines)} bytes")


if __name__ == "__main__":
    main()
