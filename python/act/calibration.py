"""The calls of the core: docs/core.md says what they do and promise."""
from __future__ import annotations

import dataclasses
import sys
from typing import Any, NamedTuple, Sequence

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
    head, instead of one for all.
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
        )


class Sink(NamedTuple):
    """A key that collects more attention than the threshold: its position, and its column score."""

    position: int
    score: float


class HeadReport(NamedTuple):
    """What happened to one head: its sinks, ascending, and what some keys lost to others, summed over rows."""

    batch: int
    head: int
    sinks: list[Sink]
    moved_mass: float


def _report(heads: Any) -> list[HeadReport]:
    return [HeadReport(b, h, [Sink(*each) for each in sinks], moved) for b, h, sinks, moved in heads]


def _heads(heads: Sequence[int] | None) -> list[int] | None:
    return None if heads is None else [int(head) for head in heads]


def _list(numbers: Any) -> list:
    return [] if numbers is None else [each.item() if hasattr(each, "item") else each for each in numbers]


def _call(function: Any, **arguments: Any) -> Any:
    for name, value in arguments.items():
        if getattr(value, "requires_grad", False) and sys.modules["torch"].is_grad_enabled():
            raise Error(f"{name}: requires gradients, which act doesn't give: pass {name}.detach()")
    try:
        return function(**arguments)
    except TypeError as unfit:
        arrays = {name: value for name, value in arguments.items() if hasattr(value, "shape")}
        for name, value in arrays.items():
            device = str(getattr(value, "device", "cpu"))
            if not device.startswith("cpu"):
                raise Error(f"{name}: lies on {device}; act computes in CPU memory") from None
            flags = getattr(value, "flags", None)
            if flags is not None and not flags.writeable and name in ("map", "out", "row", "plain", "carried_sums"):
                raise Error(f"{name}: is read-only, and is written to") from None
        names = [name for name, value in arguments.items() if name in _arrays and value is not None]
        wrong = [name for name in names if not hasattr(arguments[name], "shape")]
        if wrong:
            raise Error(f"{wrong[0]}: must be an array with the buffer or DLPack protocol, not "
                        f"{type(arguments[wrong[0]]).__name__}") from None
        raise Error(f"arguments: {str(unfit).splitlines()[0]}") from None


_arrays = ("map", "q", "k", "v", "out", "plain", "log_sum_exp", "scores", "carried_sums", "sums", "row")


def _rows(array: Any) -> int:
    return int(array.shape[-2]) if len(array.shape) > 1 else 1


def calibrate(
    map: Any,
    heads: Sequence[int] | None = None,
    options: Options = Options(),
    *,
    query_offset: int | None = None,
    first_key: Sequence[int] | None = None,
    window: int = 0,
    query_offsets: Sequence[int] | None = None,
    query_counts: Sequence[int] | None = None,
    carried_sums: Any = None,
) -> list[HeadReport]:
    """Calibrates the chosen heads of a softmaxed map in place.

    map: weights [batch, head, query, key], [head, query, key] or [query, key]; causal, changed in place.
    heads: which ones, from 0; None: all.
    query_offset: position of the first row; None: the last row's own key is the last one.
    first_key: keys of left padding, one number for each batch entry. window: a sliding window in keys; 0: none.
    query_offsets, query_counts: ragged batches, for each batch entry where its first row stands and how many are real.
    carried_sums: float64 [batch, head, key], a prompt in chunks: raw column sums of the earlier ones, added to.

    Returns a report for each chosen head and batch entry. Raises act.Error, with the map as it was.
    """
    ragged = query_offsets is not None
    if query_offset is None:
        query_offset = 0 if ragged or not hasattr(map, "shape") else max(0, int(map.shape[-1]) - _rows(map))
    visible = _core.Visibility(query_offset, window, _list(first_key), _list(query_offsets), _list(query_counts))
    return _report(_call(_core.calibrate, map=map, heads=_heads(heads), options=options._given(), visible=visible,
                         carried_sums=carried_sums))


def _empty_like(array: Any, shape: tuple[int, ...]) -> Any:
    if type(array).__module__.split(".")[0] == "torch":
        import torch

        return torch.empty(shape, dtype=array.dtype)
    import numpy

    return numpy.empty(shape, dtype=array.dtype)


def _attention(q: Any, k: Any, scale: float | None, soft_cap: float, slopes: Any, sink_logits: Any,
               query_offset: int | None, first_key: Any, window: int, query_offsets: Any,
               query_counts: Any) -> _core.Attention:
    if query_offset is None:
        known = query_offsets is None and hasattr(q, "shape") and hasattr(k, "shape")
        query_offset = max(0, _rows(k) - _rows(q)) if known else 0
    visible = _core.Visibility(query_offset, window, _list(first_key), _list(query_offsets), _list(query_counts))
    return _core.Attention(0.0 if scale is None else scale, soft_cap, _list(slopes), _list(sink_logits), visible)


def calibrated_attention(
    q: Any,
    k: Any,
    v: Any,
    heads: Sequence[int] | None = None,
    options: Options = Options(),
    *,
    out: Any = None,
    plain: Any = None,
    report: list[HeadReport] | None = None,
    scale: float | None = None,
    soft_cap: float = 0.0,
    slopes: Sequence[float] | None = None,
    sink_logits: Sequence[float] | None = None,
    query_offset: int | None = None,
    first_key: Sequence[int] | None = None,
    window: int = 0,
    query_offsets: Sequence[int] | None = None,
    query_counts: Sequence[int] | None = None,
    carried_sums: Any = None,
) -> Any:
    """Causal attention of q over k and v, the chosen heads calibrated; the map never exists.

    q: [batch, head, query, d]. k: [batch, group, key, d], v: [batch, group, key, e], group divides head. Leading axes of
    extent 1 may be left out. All of one type.
    heads: which ones are calibrated, from 0; None: all; []: plain attention.
    out: gets the outputs [batch, head, query, e]; None: made here, of q's kind. plain: gets the uncalibrated ones.
    report: a list that gets a HeadReport for each chosen head and batch entry.
    scale: None: 1 / sqrt(d). soft_cap: c > 0: scores become c tanh(score / c). slopes: ALiBi, one a head. sink_logits:
    learned sinks, one a head. Others as calibrate's.

    Returns the outputs. Raises act.Error.
    """
    if out is None and all(hasattr(each, "shape") for each in (q, k, v)):
        out = _empty_like(q, (*q.shape[:-1], v.shape[-1]))
    told = _attention(q, k, scale, soft_cap, slopes, sink_logits, query_offset, first_key, window, query_offsets,
                      query_counts)
    done = _call(_core.calibrated_attention, q=q, k=k, v=v, out=out, heads=_heads(heads), options=options._given(),
                 attention=told, plain=plain, carried_sums=carried_sums)
    if report is not None:
        report.extend(_report(done))
    return out


def correct_output(
    out: Any,
    log_sum_exp: Any,
    q: Any,
    k: Any,
    v: Any,
    heads: Sequence[int] | None = None,
    options: Options = Options(),
    *,
    scores: Any = None,
    scale: float | None = None,
    soft_cap: float = 0.0,
    slopes: Sequence[float] | None = None,
    sink_logits: Sequence[float] | None = None,
    query_offset: int | None = None,
    first_key: Sequence[int] | None = None,
    window: int = 0,
    query_offsets: Sequence[int] | None = None,
    query_counts: Sequence[int] | None = None,
    carried_sums: Any = None,
) -> list[HeadReport]:
    """Calibrates the chosen heads' outputs of another kernel in place, from each row's log-sum-exp.

    out: plain outputs [batch, head, query, e], corrected in place. log_sum_exp: [batch, head, query], float32 (float64
    beside float64 tensors), natural logarithm of each row's softmax denominator. scores: float64 [batch, head, key],
    column scores where the kernel has them. Others as calibrated_attention's.

    Returns a report for each chosen head and batch entry. Raises act.Error, with `out` as it was.
    """
    told = _attention(q, k, scale, soft_cap, slopes, sink_logits, query_offset, first_key, window, query_offsets,
                      query_counts)
    return _report(_call(_core.correct_output, out=out, log_sum_exp=log_sum_exp, q=q, k=k, v=v, heads=_heads(heads),
                         options=options._given(), attention=told, scores=scores, carried_sums=carried_sums))


class Tracker:
    """Sinks of one head while it decodes with a cache: a step takes its raw row of weights in and calibrates it.

    A copy is a fork (beams). Slots are the row's elements; they stay what they are until evict().
    """

    def __init__(self, options: Options = Options(), *, _of: Any = None) -> None:
        self._of = _of if _of is not None else _core.Tracker(options._given())

    def start(self, sums: Any, *, first_key: int = 0, window: int = 0, query_offset: int = 0) -> None:
        """Begins after a prompt. sums: float64 [keys], its raw column sums (carried_sums of a call), up to its last row's
        own key; its rows began at query_offset, its padding ended at first_key."""
        _call(self._of.start, sums=sums, first_key=first_key, window=window, query_offset=query_offset)

    def calibrate_row(self, row: Any, *, seen_begin: int = 0) -> float:
        """One step. row: raw weights [keys], calibrated in place; those before seen_begin aren't seen. Returns what
        some keys lost to others."""
        return _call(self._of.calibrate_row, row=row, seen_begin=seen_begin)

    def retract(self, row: Any, *, seen_begin: int = 0) -> None:
        """Takes the last step back (a rejected draft token): `row` is its raw row."""
        _call(self._of.retract, row=row, seen_begin=seen_begin)

    def evict(self, begin: int, end: int) -> None:
        """Slots [begin, end) leave the cache; later ones move down."""
        self._of.evict(begin, end)

    def copy(self) -> "Tracker":
        """A fork."""
        return Tracker(_of=self._of.copy())

    def save(self) -> bytes:
        """The state, for load() of a tracker with the same kind of rule."""
        return self._of.save()

    def load(self, state: bytes) -> None:
        """Restores what save() gave."""
        self._of.load(state)

    @property
    def keys(self) -> int:
        """How many slots are tracked."""
        return self._of.keys()

    @property
    def sinks(self) -> list[Sink]:
        """The sinks as of the last step."""
        return [Sink(*each) for each in self._of.sinks()]
