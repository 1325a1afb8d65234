"""Attention calibration (ACT) in plain PyTorch: the reference that the parity goldens are computed with.

Two halves:
  * `calibrate_head` calibrates one head's softmaxed map, written from the definition and nothing else: no
    blocking, no closed form, float64 inside.
  * `run` executes a Hugging Face causal language model in eager float32 attention with some (layer, head)
    pairs calibrated. It registers an attention function with `transformers` instead of editing a model, so
    every architecture that goes through the attention interface works (Llama, OPT, GPT-2, ...). BLOOM doesn't: there a
    hook on the dropout behind its softmax, the identity outside of training, exchanges the map. `run_decoding` does the
    same token by token with a cache.

It is independent of the C++ library on purpose and shares no code or file with it.
"""

from __future__ import annotations

import dataclasses
import json
import math
import pathlib
import platform

import torch
import transformers
from transformers import AttentionInterface, AttentionMaskInterface, DynamicCache
from transformers.masking_utils import eager_mask

# A row whose non-sink mass is below this share of the row's mass is left as it was.
EMPTY_REST = 2.0**-20


@dataclasses.dataclass(frozen=True)
class Options:
    """The calibration options, named as in the library. Defaults are the paper's."""

    rule: str = "relative"  # "relative": score > alpha / N;  "absolute": score > tau
    alpha: float = 5.0
    tau: float = 0.1
    beta: float = 0.4
    min_visible_rows: int = 1
    compatibility: str = "none"  # "authors": the steps of the authors' published code

    def threshold(self, keys: int) -> float:
        return self.alpha / keys if self.rule == "relative" else self.tau


def column_scores(attention: torch.Tensor, visible_rows: torch.Tensor | None = None) -> torch.Tensor:
    """Mean weight each key gets from the rows that see it. `attention`: [N, N], causal. Returns float64 [N].

    `visible_rows`: how many rows see each key, where that isn't all from its own on (a sliding window).
    """
    if visible_rows is None:
        visible_rows = torch.arange(attention.shape[0], 0, -1)
    return attention.double().sum(0) / visible_rows.double()


def find_sinks(scores: torch.Tensor, options: Options, visible_rows: torch.Tensor | None = None) -> list[int]:
    """Positions of the sinks, ascending. N of the relative rule is the number of keys, with a window too."""
    n = len(scores)
    threshold = options.threshold(n)
    if options.compatibility == "authors":
        # Whichever index is found first is dropped, be it the initial token or not.
        return [j for j in range(n) if scores[j] > threshold][1:]
    if visible_rows is None:
        visible_rows = torch.arange(n, 0, -1)
    return [j for j in range(1, n) if scores[j] > threshold and visible_rows[j] >= options.min_visible_rows]


def threshold_margin(scores: torch.Tensor, options: Options) -> float:
    """Smallest relative distance of a score from the threshold: how far rounding is from changing a sink."""
    threshold = options.threshold(len(scores))
    candidates = scores if options.compatibility == "authors" else scores[1:]
    if len(candidates) == 0:
        return math.inf
    return float(((candidates - threshold).abs() / threshold).min())


def rest_margin(attention: torch.Tensor, sinks: list[int]) -> float:
    """As `threshold_margin`, for the other switch: the smallest relative distance of a row's non-sink share from
    the limit under which the row stays as it was."""
    a = attention.double()
    is_sink = torch.zeros(a.shape[1], dtype=torch.bool)
    is_sink[sinks] = True
    share = (a[:, ~is_sink].sum(1) / a.sum(1))[a[:, is_sink].sum(1) > 0]
    return float((share / EMPTY_REST - 1.0).abs().min()) if len(share) else math.inf


def calibrate_head(attention: torch.Tensor, sinks: list[int], options: Options) -> torch.Tensor:
    """The calibrated copy of one head's map: [N, N], or the rows of one decoding step. The result has the input's dtype."""
    a = attention.double()
    n = a.shape[0]
    is_sink = torch.zeros(a.shape[1], dtype=torch.bool)
    is_sink[sinks] = True
    if options.compatibility == "authors":
        return _calibrate_as_authors(a, is_sink, options.beta).to(attention.dtype)

    out = a.clone()
    for i in range(n):
        on_sinks = a[i, is_sink].sum()
        on_rest = a[i, ~is_sink].sum()
        if on_sinks == 0 or on_rest < EMPTY_REST * a[i].sum():
            continue
        freed = (1.0 - options.beta) * on_sinks
        out[i, is_sink] = options.beta * a[i, is_sink]
        out[i, ~is_sink] = a[i, ~is_sink] * (1.0 + freed / on_rest)
    return out.to(attention.dtype)


def _calibrate_as_authors(a: torch.Tensor, is_sink: torch.Tensor, beta: float) -> torch.Tensor:
    out = a.clone()
    freed = (1.0 - beta) * a[:, is_sink].sum(1)
    out[:, is_sink] *= beta
    recipients = a.clone()
    recipients[1:, is_sink] = 0.0  # row 0 keeps its entries
    out = out + freed[:, None] * recipients / recipients.sum(1, keepdim=True)
    out[0, 0] = 1.0
    return out


class _Plan:
    """What the registered attention function does on its next calls; filled by `run` and `run_decoding`."""

    def __init__(self) -> None:
        self.heads: set[tuple[int, int]] = set()
        self.options = Options()
        self.observed: dict[tuple[int, int], list[int]] = {}
        self.margin = math.inf
        self.observe_all = False
        # While decoding, of each chosen head: raw column sums and how many rows they are of. None: whole prompts only.
        self.columns: dict[tuple[int, int], tuple[torch.Tensor, torch.Tensor]] | None = None


_plan = _Plan()


def _repeat(states: torch.Tensor, groups: int) -> torch.Tensor:
    return states if groups == 1 else states.repeat_interleave(groups, dim=1)


def _columns(layer: int, head: int, attention: torch.Tensor, visible: torch.Tensor):
    """The head's raw column sums and their numbers of rows, those of earlier steps included."""
    sums, rows = attention.double().sum(0), visible.sum(0)
    if _plan.columns is None:
        return sums, rows
    if (layer, head) in _plan.columns:
        old_sums, old_rows = _plan.columns[layer, head]
        sums[: len(old_sums)] += old_sums
        rows[: len(old_rows)] += old_rows
    _plan.columns[layer, head] = sums, rows
    return sums, rows


def _calibrate(layer: int, weights: torch.Tensor, visible: torch.Tensor) -> torch.Tensor:
    """Softmaxed maps [1, heads, queries, keys] with the plan's heads calibrated. `visible`: [queries, keys]."""
    weights = weights.clone()
    for head in range(weights.shape[1]):
        chosen = (layer, head) in _plan.heads
        if not chosen and not _plan.observe_all:
            continue
        sums, rows = _columns(layer, head, weights[0, head], visible)
        scores = sums / rows.double()
        sinks = find_sinks(scores, _plan.options, rows)
        _plan.observed[layer, head] = sinks
        _plan.margin = min(_plan.margin, threshold_margin(scores, _plan.options))
        if chosen:
            _plan.margin = min(_plan.margin, rest_margin(weights[0, head], sinks))
        if chosen and (sinks or _plan.options.compatibility == "authors"):
            weights[0, head] = calibrate_head(weights[0, head], sinks, _plan.options)
    return weights


def _attention(module, query, key, value, attention_mask, scaling=None, dropout=0.0, softcap=None, **_):
    groups = query.shape[1] // key.shape[1]
    key, value = _repeat(key, groups), _repeat(value, groups)
    scaling = query.shape[-1] ** -0.5 if scaling is None else scaling
    logits = query @ key.transpose(2, 3) * scaling
    if softcap is not None:
        logits = softcap * torch.tanh(logits / softcap)
    if attention_mask is None:
        raise RuntimeError("the causal mask is missing: the mask function was not registered")
    mask = attention_mask[..., : key.shape[2]]
    weights = _calibrate(module.layer_idx, torch.softmax(logits + mask, dim=-1), mask[0, 0] == 0)
    return (weights @ value).transpose(1, 2).contiguous(), weights


def _exchange_bloom_map(module, _, weights):
    queries, keys = weights.shape[2:]
    visible = torch.ones(queries, keys, dtype=torch.bool).tril(keys - queries)
    return _calibrate(module.layer_idx, weights, visible)


def _install(model) -> None:
    """Makes the model compute its attention by the plan."""
    if model.config.model_type != "bloom":
        model.set_attn_implementation("act_reference")
        return
    model.set_attn_implementation("eager")
    _uninstall(model)
    for block in model.transformer.h:
        dropout = block.self_attention.attention_dropout
        dropout.layer_idx = block.self_attention.layer_idx
        dropout.act_hook = dropout.register_forward_hook(_exchange_bloom_map)


def _uninstall(model) -> None:
    """Back to the library's own attention."""
    model.set_attn_implementation("eager")
    for module in model.modules():
        if hasattr(module, "act_hook"):
            module.act_hook.remove()
            del module.act_hook


AttentionInterface.register("act_reference", _attention)
AttentionMaskInterface.register("act_reference", eager_mask)


@dataclasses.dataclass
class Result:
    logits: torch.Tensor  # [vocabulary], last position
    sinks: list  # [[layer, head, [positions]], ...] of the heads that have any
    margin: float


@torch.no_grad()
def run(model, tokens, heads=(), options: Options = Options(), observe_all: bool = False) -> Result:
    """Last-position logits of one prompt. `heads`: (layer, head) pairs to calibrate; none = the plain model.

    `observe_all` also reports the sinks of heads that are not calibrated.
    """
    _plan.heads = {(int(layer), int(head)) for layer, head in heads}
    _plan.options, _plan.observe_all = options, observe_all
    _plan.observed, _plan.margin, _plan.columns = {}, math.inf, None
    _install(model)
    out = model(input_ids=torch.tensor([list(tokens)]), use_cache=False, logits_to_keep=1)
    sinks = [[layer, head, found] for (layer, head), found in sorted(_plan.observed.items()) if found]
    return Result(out.logits[0, -1].clone(), sinks, _plan.margin)


@dataclasses.dataclass
class Decoding:
    logits: list[torch.Tensor]  # [vocabulary]: after the prompt, then after each appended token
    sinks: int  # columns found, over steps and heads
    margin: float


@torch.no_grad()
def run_decoding(model, tokens, appended, heads=(), options: Options = Options()) -> Decoding:
    """The prompt as a whole, then token by token with a cache that keeps every key: masks alone make windows.

    Calibration is the streaming form: a step adds its raw row to the column sums of prompt and earlier steps, finds the
    sinks among the keys so far, and calibrates that row alone.
    """
    _plan.heads = {(int(layer), int(head)) for layer, head in heads}
    _plan.options, _plan.observe_all = options, False
    _plan.margin, _plan.columns = math.inf, {}
    _install(model)
    cache, logits, sinks = DynamicCache(), [], 0
    for step in [list(tokens)] + [[int(token)] for token in appended]:
        _plan.observed = {}
        out = model(input_ids=torch.tensor([step]), cache=cache, use_cache=True, logits_to_keep=1)
        logits.append(out.logits[0, -1].clone())
        sinks += sum(len(found) for found in _plan.observed.values())
    _plan.columns = None
    return Decoding(logits, sinks, _plan.margin)


@torch.no_grad()
def check_decoding(model, tokens, appended) -> float:
    """As `check_plain` for `run_decoding`: transformers' eager attention, each time over the whole sequence."""
    ours, worst = run_decoding(model, tokens, appended).logits, 0.0
    _uninstall(model)
    for step, logits in enumerate(ours):
        ids = torch.tensor([[*tokens, *appended[:step]]])
        theirs = model(input_ids=ids, use_cache=False).logits[0, -1]
        worst = max(worst, float((logits - theirs).abs().max() / theirs.abs().max()))
    if not worst < 1e-5:
        raise RuntimeError(f"decoding with a cache differs from whole passes by {worst}")
    return worst


def check_plain(model, tokens) -> float:
    """Largest difference between the registered attention without heads and transformers' own eager attention,
    as a share of the largest logit. Raises when they are not the same computation."""
    ours = run(model, tokens).logits
    _uninstall(model)
    with torch.no_grad():
        theirs = model(input_ids=torch.tensor([list(tokens)]), use_cache=False).logits[0, -1]
    difference = float((ours - theirs).abs().max() / theirs.abs().max())
    if not difference < 1e-5:
        raise RuntimeError(f"the registered attention differs from eager attention by {difference}")
    return difference


def significant(values, digits: int = 7) -> list[float]:
    """Numbers rounded to `digits` significant digits, so that the files stay small."""
    return [float(f"{float(v):.{digits}g}") for v in values]


def versions() -> dict[str, str]:
    import gguf
    import importlib.metadata

    return {
        "python": platform.python_version(),
        "torch": torch.__version__.split("+")[0],
        "transformers": transformers.__version__,
        "gguf": importlib.metadata.version("gguf"),
    }


def write_json(path: pathlib.Path, document: dict) -> None:
    """One line per prompt entry: small, and a change shows as a readable diff."""
    head = {k: v for k, v in document.items() if k != "prompts"}
    text = json.dumps(head, indent=1)[:-2]
    lines = ",\n".join("  " + json.dumps(p, separators=(",", ":"), ensure_ascii=False) for p in document["prompts"])
    path.write_text(f'{text},\n "prompts": [\n{lines}\n ]\n}}\n', encoding="utf-8")


def golden_prompt(model, tokens, cases, keep=None) -> tuple[dict, float]:
    """The golden entry of one prompt, and the smallest threshold margin over everything recorded.

    `keep`: indices of the logits to store (all when None).
    """
    plain = run(model, tokens, observe_all=True)
    margin = plain.margin
    pick = (lambda t: t) if keep is None else (lambda t: t[keep])
    entry = {
        "tokens": [int(t) for t in tokens],
        "plain": {
            "max_abs_logit": float(plain.logits.abs().max()),
            "logits": significant(pick(plain.logits)),
            "sinks": plain.sinks,
        },
        "calibrated": [],
    }
    for case in cases:
        result = run(model, tokens, case["heads"], Options(**case["options"]))
        margin = min(margin, result.margin)
        entry["calibrated"].append(
            {
                "case": case["name"],
                "max_abs_logit": float(result.logits.abs().max()),
                "logits": significant(pick(result.logits)),
                "sinks": result.sinks,
            }
        )
    return entry, margin


def _check_definition() -> None:
    """The properties the definition promises, on random maps; raises when one is broken."""
    generator = torch.Generator().manual_seed(5)
    for n in (1, 2, 5, 17, 64):
        for sharpness in (0.3, 2.0, 6.0):
            logits = sharpness * torch.randn(n, n, generator=generator, dtype=torch.float64)
            logits[:, n // 2] += 3.0
            logits[:, 0] += 4.0
            a = torch.softmax(logits.masked_fill(torch.ones(n, n).triu(1).bool(), -math.inf), -1)
            options = Options(rule="absolute", tau=0.1, beta=0.4)
            scores = column_scores(a)
            sinks = find_sinks(scores, options)
            b = calibrate_head(a, sinks, options)
            assert torch.allclose(b.sum(1), torch.ones(n, dtype=torch.float64), atol=1e-14)
            assert (b >= 0).all() and (b.triu(1) == 0).all()
            first = min(sinks, default=n)
            assert torch.equal(b[:first], a[:first])
            assert torch.allclose(calibrate_head(a, sinks, Options(beta=1.0)), a, atol=1e-16)
            authors = dataclasses.replace(options, compatibility="authors")
            if scores[0] > options.tau:
                assert find_sinks(scores, authors) == sinks
                assert torch.allclose(calibrate_head(a, sinks, authors), b, atol=1e-14)
            elif sinks:
                assert find_sinks(scores, authors) == sinks[1:]


if __name__ == "__main__":
    _check_definition()
    print("calibrate_head keeps what its definition promises")
