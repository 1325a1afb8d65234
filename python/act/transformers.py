"""Any ``transformers`` model with calibrated heads: whole prompts, and generation with a cache.

>>> import act.transformers
>>> with act.transformers.calibrated(model, "heads.json"):
...     model.generate(**inputs)

``calibrated`` registers an attention function named "act" and switches the model to it; ``with`` switches back. It works for
every model whose attention goes through ``transformers``' ``AttentionInterface``, on the CPU, without gradients. Padding on
either side, sliding windows, grouped heads, capped scores and learned sinks are followed. What can't be followed raises
act.Error: masks that aren't causal, caches that act didn't see grow, tensors on other devices. Beams are followed where the
cache is reordered: a row's last key says which one it was.
"""
from __future__ import annotations

import dataclasses
import os
from types import TracebackType
from typing import Any

import torch
from transformers import AttentionInterface
from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

import act
from act import Error
from act.heads_file import HeadsFile, read_heads

__all__ = ["Calibration", "calibrated"]


class Calibration:
    """A model that runs calibrated, until stop() or the end of ``with``."""

    def __init__(self, model: Any, file: HeadsFile) -> None:
        config = model.config.get_text_config()
        layers, heads = config.num_hidden_layers, config.num_attention_heads
        for (layer, head) in file.heads:
            if layer >= layers or head >= heads:
                raise Error(f"{file.name}: head {head} of layer {layer} isn't one of this model, which has {layers} layers "
                            f"of {heads} heads")
        if (file.layers or layers) != layers or (file.heads_of_layer or heads) != heads:
            raise Error(f"{file.name}: is for a model of {file.layers} layers of {file.heads_of_layer} heads, and this one has "
                        f"{layers} of {heads}")
        self._model = model
        self._before = model.config._attn_implementation
        self._layers = [module for module in model.modules() if isinstance(getattr(module, "layer_idx", None), int)]
        if self._before == "act":
            raise Error("model: is calibrated already; stop() that first")
        AttentionInterface.register("act", _attention)
        AttentionMaskInterface.register("act", sdpa_mask)
        model.set_attn_implementation("act")
        if model.config._attn_implementation != "act":
            raise Error("model: doesn't let its attention be chosen (set_attn_implementation had no effect)")
        for module in self._layers:
            module._act_layer = _Layer(file, module.layer_idx)

    def stop(self) -> None:
        """The model is what it was."""
        if self._layers:
            self._model.set_attn_implementation(self._before)
            for module in self._layers:
                del module._act_layer
            self._layers = []

    def sinks(self) -> dict[tuple[int, int], list[list[act.Sink]]]:
        """Of each calibrated head (layer, head) the sinks as of the last call, for each batch entry."""
        found = {}
        for module in self._layers:
            for head, trackers in module._act_layer.trackers.items():
                found[module.layer_idx, head] = [tracker.sinks for tracker in trackers]
        return found

    def __enter__(self) -> "Calibration":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()


def calibrated(model: Any, heads: str | os.PathLike | HeadsFile) -> Calibration:
    """Switches a model to calibrated attention.

    model: of ``transformers``, on the CPU. heads: a heads file of act-search, or its path.
    Returns what switches back, by stop() or as a context manager. Raises act.Error.
    """
    return Calibration(model, heads if isinstance(heads, HeadsFile) else read_heads(heads))


@dataclasses.dataclass
class _Rows:
    """What the rows of a call see, in slots of the keys: row i of entry b sees begin[b, i] .. at[b] + i."""

    at: torch.Tensor  # [batch] slot of the first row's own key
    begin: torch.Tensor  # [batch, rows]
    counts: torch.Tensor  # [batch] rows that are real
    first: torch.Tensor  # [batch] first key that isn't padding, where the rows begin at slot 0
    window: int


def _read_mask(mask: torch.Tensor | None, batches: int, rows: int, keys: int, window: int) -> _Rows:
    at = torch.full((batches,), keys - rows)
    if mask is None:
        begin = torch.zeros(batches, rows, dtype=torch.long)
        if window:
            begin = torch.clamp(at[:, None] + torch.arange(rows) + 1 - window, min=0)
        return _Rows(at, begin, torch.full((batches,), rows), torch.zeros(batches, dtype=torch.long), window)
    seen = (mask if mask.dtype == torch.bool else mask == 0)[:, 0, :, :keys].expand(batches, rows, keys)
    number = seen.sum(-1)
    begin = seen.to(torch.uint8).argmax(-1)
    last = keys - 1 - seen.flip(-1).to(torch.uint8).argmax(-1)
    last = torch.where(number > 0, last, -1)
    counts, first = torch.full((batches,), rows), torch.zeros(batches, dtype=torch.long)
    slots, wide = torch.arange(keys), window
    for b in range(batches):
        sees = (number[b] > 0).nonzero()[:, 0]
        if len(sees) == 0:
            counts[b] = 0
            continue
        start = int(sees[0])
        at[b] = last[b, start] - start
        own = last[b, start:] == at[b] + torch.arange(start, rows)
        counts[b] = start + (rows - start if bool(own.all()) else int((~own).nonzero()[0, 0]))
        first[b] = begin[b, start]
        positions = at[b] + torch.arange(int(counts[b]))
        slides = (begin[b, start : counts[b]] > first[b]).nonzero()[:, 0]
        if len(slides) > 0 and not wide:
            wide = int(positions[start + slides[0]] + 1 - begin[b, start + slides[0]])
        expected = (slots <= positions[:, None]) & (slots >= first[b])
        if wide:
            expected &= slots > positions[:, None] - wide
        if not bool((expected == seen[b, : counts[b]]).all()):
            raise Error("attention_mask: isn't causal with padding and a window at most (packed sequences, prefixes that see each "
                        "other, cross attention): act can't follow it")
    return _Rows(at, begin, counts, first, wide)


class _Layer:
    """One layer's heads, and what they know of the sequences so far."""

    def __init__(self, file: HeadsFile, layer: int) -> None:
        self.file, self.layer = file, layer
        self.heads = file.of_layer(layer)
        self.trackers: dict[int, list[act.Tracker]] = {}
        self.length: list[int] = []  # tokens so far of each batch entry
        self.first: list[int] = []  # of these, padding
        self.last_keys: torch.Tensor | None = None

    def options(self, heads: int) -> act.Options:
        """Of the layer."""
        own = [self.file.heads[self.layer, head] for head in self.heads]
        if all(each is None for each in own):
            return self.file.options
        plain = self.file.options
        usual = plain.factor if plain.redistribute == "renormalised" else plain.beta
        strengths = [usual] * heads
        for head, each in zip(self.heads, own):
            strengths[head] = usual if each is None else each
        return dataclasses.replace(plain, strengths=strengths)

    def prompt(self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, rows: _Rows, told: act.Attention) -> torch.Tensor:
        batches, heads = q.shape[:2]
        decodes = self.file.options.redistribute in ("proportional", "renormalised") and not self.file.options.authors
        sums = torch.zeros(batches, heads, k.shape[2], dtype=torch.float64) if self.heads and decodes else None
        seen = act.Visibility(query_offset=0, window=rows.window, first_key=rows.first.tolist(),
                              query_counts=rows.counts.tolist())
        out = act.calibrated_attention(q, k, v, self.heads, self.options(heads), dataclasses.replace(told, visible=seen),
                                       carried_sums=sums)
        self.length, self.first = rows.counts.tolist(), rows.first.tolist()
        self.trackers = {head: [] for head in self.heads}
        for head in self.heads if decodes else []:
            for b in range(batches):
                tracker = act.Tracker(self.file.options_of(self.layer, head))
                tracker.start(sums[b, head, : self.length[b]], first_key=min(self.first[b], self.length[b]),
                              window=rows.window)
                self.trackers[head].append(tracker)
        self.remember(k, [length - 1 for length in self.length])
        return out

    def step(self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, rows: _Rows, told: act.Attention) -> torch.Tensor:
        batches, heads, count = q.shape[:3]
        self.follow(k, rows, batches)
        out = torch.empty(*q.shape[:3], v.shape[-1], dtype=q.dtype)
        groups = heads // k.shape[1]
        scale = told.scale if told.scale is not None else q.shape[-1] ** -0.5
        for i in range(count):
            at = (rows.at + i).tolist()
            begin = rows.begin[:, i].tolist()
            seen = dataclasses.replace(told, visible=act.Visibility(query_offsets=at, first_key=begin))
            one = act.calibrated_attention(q[:, :, i : i + 1], k, v, [], attention=seen)
            out[:, :, i : i + 1] = one
            for b in range(batches):
                shift = self.length[b] - at[b]  # slots that a window's cache has let go
                for head in self.heads:
                    scores = (k[b, head // groups, begin[b] : at[b] + 1].float() @ q[b, head, i].float()) * scale
                    if told.soft_cap:
                        scores = torch.tanh(scores / told.soft_cap) * told.soft_cap
                    if told.sink_logits is not None:
                        scores = torch.cat([scores, torch.tensor([told.sink_logits[head]])])
                    weights = torch.softmax(scores, -1)[: at[b] + 1 - begin[b]]
                    row = torch.zeros(self.length[b] + 1)
                    row[shift + begin[b] :] = weights
                    if not self.trackers[head]:
                        raise Error(f"{self.file.name}: ablations and the authors' behaviour know whole prompts only; "
                                    "they can't generate with a cache (use_cache=False)")
                    self.trackers[head][b].calibrate_row(row, seen_begin=shift + begin[b])
                    out[b, head, i] = (row[shift + begin[b] :] @ v[b, head // groups, begin[b] : at[b] + 1].float()).to(q.dtype)
                self.length[b] += 1
        self.remember(k, [int(each) for each in rows.at + count - 1])
        return out

    def remember(self, k: torch.Tensor, at: list[int]) -> None:
        self.last_keys = torch.stack([k[b, 0, max(slot, 0)] for b, slot in enumerate(at)]).clone()

    def follow(self, k: torch.Tensor, rows: _Rows, batches: int) -> None:
        """Checks that the cache is the one so far; a reordered batch is followed."""
        if self.last_keys is None:
            raise Error("past_key_values: hold keys that act didn't see; begin with the whole prompt")
        kept = torch.stack([k[b, 0, int(rows.at[b]) - 1] for b in range(batches)])
        order = []
        for b in range(batches):
            same = (self.last_keys == kept[b]).all(-1).nonzero()[:, 0].tolist()
            if not same:
                raise Error("past_key_values: hold other keys than those that act saw last (a cropped or exchanged cache); "
                            "begin with the whole prompt")
            order.append(b if b in same else same[0])
        if order != list(range(len(self.length))):
            self.trackers = {head: [of[b].copy() for b in order] for head, of in self.trackers.items() if of}
            self.length = [self.length[b] for b in order]
            self.first = [self.first[b] for b in order]
        for b in range(batches):
            slots = int(rows.at[b])
            if slots > self.length[b] or (slots < self.length[b] and not rows.window):
                raise Error(f"past_key_values: hold {slots} keys, and act saw {self.length[b]}; begin with the whole prompt")


def _attention(module: torch.nn.Module, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor,
               attention_mask: torch.Tensor | None, scaling: float | None = None, dropout: float = 0.0,
               **kwargs: Any) -> tuple[torch.Tensor, None]:
    """transformers' attention function: query [batch, head, rows, d], key and value [batch, group, keys, d]; returns
    [batch, rows, head, d]."""
    layer: _Layer | None = getattr(module, "_act_layer", None)
    if layer is None:
        raise Error("model: runs attention 'act' without act.transformers.calibrated()")
    if torch.is_grad_enabled() and (query.requires_grad or key.requires_grad or value.requires_grad):
        raise Error("model: act gives no gradients; run it under torch.no_grad()")
    if query.device.type != "cpu":
        raise Error(f"model: is on {query.device}; act.transformers computes on the CPU")
    if dropout:
        raise Error("model: has dropout in attention; call model.eval() first")
    if kwargs.get("position_bias") is not None:
        raise Error("model: adds a position bias to scores, which act.transformers doesn't follow")
    if not kwargs.get("is_causal", getattr(module, "is_causal", True)):
        raise Error("model: has attention that isn't causal")
    batches, _, count = query.shape[:3]
    window = kwargs.get("sliding_window") or 0
    rows = _read_mask(attention_mask, batches, count, key.shape[2], window)
    sinks = kwargs.get("s_aux")
    told = act.Attention(scale=scaling, soft_cap=kwargs.get("softcap") or 0.0,
                         sink_logits=None if sinks is None else sinks.flatten().float().tolist())
    with torch.no_grad():
        begins = bool((rows.at == 0).all())
        out = (layer.prompt if begins else layer.step)(query, key, value, rows, told)
    return out.transpose(1, 2).contiguous(), None
