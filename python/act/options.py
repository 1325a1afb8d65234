"""What calls are told: the rule, which keys rows see, and what attention itself knows."""
from __future__ import annotations

import dataclasses
from typing import Any, Sequence

from act import _core
from act._core import Error

_rules = ("relative", "absolute", "baseline_corrected")
_redistributions = ("proportional", "uniform", "subset", "inverse", "temperature", "renormalised")
_columns = ("sinks", "initial_token", "span")


def _number(name: str, value: str, known: Sequence[str]) -> int:
    if value not in known:
        raise Error(f"{name}: must be one of {', '.join(known)}")
    return known.index(value)


@dataclasses.dataclass(frozen=True)
class Options:
    """What a sink is and what happens to it. The defaults are the paper's.

    rule: "relative" (over alpha / N), "absolute" (over tau) or "baseline_corrected".
    beta: what a sink keeps of its weight, 0 .. 1. redistribute: "proportional", or an ablation; "renormalised" scales
    `columns` ("sinks", "initial_token", or "span" with its positions) by `factor`. strengths: a beta, or factor, for each
    head, instead of one for all. position_limit: keys at this position and behind it are never sinks (0: no limit).
    """

    rule: str = "relative"
    alpha: float = 5.0
    tau: float = 0.1
    min_visible_rows: int = 1
    beta: float = 0.4
    redistribute: str = "proportional"
    theta: float = 1.1
    subset: Sequence[int] = ()
    columns: str = "sinks"
    span: Sequence[int] = ()
    factor: float = 1.0
    strengths: Sequence[float] = ()
    authors: bool = False
    position_limit: int = 0

    def _given(self) -> _core.Options:
        return _core.Options(
            _number("rule", self.rule, _rules),
            self.alpha,
            self.tau,
            self.min_visible_rows,
            self.beta,
            _number("redistribute", self.redistribute, _redistributions),
            self.theta,
            list(self.subset),
            _number("columns", self.columns, _columns),
            list(self.span),
            self.factor,
            list(self.strengths),
            self.authors,
            self.position_limit,
        )


def listed(numbers: Any) -> list:
    """Numbers of any kind (of tensors and arrays too) as a list of Python's; None: an empty one."""
    return [] if numbers is None else [each.item() if hasattr(each, "item") else each for each in numbers]


@dataclasses.dataclass(frozen=True)
class Visibility:
    """Which keys a row sees. By default rows are causal, and the last one's own key is the last key.

    query_offset: position of the first row; None: such that the last row's own key is the last one, and 0 for ragged
    batches. first_key: keys of left padding, one number for each batch entry. window: a sliding window in keys; 0: none.
    query_offsets, query_counts: ragged batches, for each batch entry where its first row stands and how many are real.
    all_keys: not causal (encoders, vision, cross attention): every row sees the keys before this one; key_counts: the
    same, for each batch entry.
    """

    query_offset: int | None = None
    first_key: Sequence[int] | None = None
    window: int = 0
    query_offsets: Sequence[int] | None = None
    query_counts: Sequence[int] | None = None
    all_keys: int = 0
    key_counts: Sequence[int] | None = None

    def _given(self, rows: int, keys: int) -> _core.Visibility:
        offset = self.query_offset
        if offset is None:
            aligned = self.query_offsets is None and self.all_keys == 0 and self.key_counts is None
            offset = max(0, keys - rows) if aligned else 0
        try:
            return _core.Visibility(offset, self.window, listed(self.first_key), listed(self.query_offsets),
                                    listed(self.query_counts), self.all_keys, listed(self.key_counts))
        except TypeError:
            raise Error(f"visible: needs whole numbers from 0, and lists of them: {self}") from None


@dataclasses.dataclass(frozen=True)
class Attention:
    """What attention itself is told: scores are scale * q . k, then capped, then biased.

    scale: None: 1 / sqrt(d). soft_cap: c > 0: scores become c tanh(score / c). slopes: ALiBi, one a head. sink_logits:
    learned sinks, one a head. visible: which keys rows see.
    """

    scale: float | None = None
    soft_cap: float = 0.0
    slopes: Sequence[float] | None = None
    sink_logits: Sequence[float] | None = None
    visible: Visibility = Visibility()

    def _given(self, rows: int, keys: int) -> _core.Attention:
        visible = self.visible._given(rows, keys)
        try:
            return _core.Attention(0.0 if self.scale is None else self.scale, self.soft_cap, listed(self.slopes),
                                   listed(self.sink_logits), visible)
        except TypeError:
            raise Error(f"attention: needs numbers, and lists of them: {self}") from None
