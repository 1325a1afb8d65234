"""The calls of the core: docs/core.md says what they do and promise."""
from __future__ import annotations

from typing import Any, Sequence

from act import _core
from act.arrays import call, empty_like, extent_of, heads_of, rows_of
from act.options import Attention, Options, Visibility
from act.report import HeadReport, reports_of


def calibrate(
    map: Any,
    heads: Sequence[int] | None = None,
    options: Options = Options(),
    *,
    visible: Visibility = Visibility(),
    carried_sums: Any = None,
) -> list[HeadReport]:
    """Calibrates the chosen heads of a softmaxed map in place.

    map: weights [batch, head, query, key], [head, query, key] or [query, key]; changed in place.
    heads: which ones, from 0; None: all. visible: which keys rows see.
    carried_sums: float64 [batch, head, key], a prompt in chunks: raw column sums of the earlier ones, added to.

    Returns a report for each chosen head and batch entry. Raises act.Error, with the map as it was.
    """
    seen = visible._given(rows_of(map), extent_of(map, -1))
    return reports_of(call(_core.calibrate, map=map, heads=heads_of(heads), options=options._given(), visible=seen,
                           carried_sums=carried_sums))


def calibrated_attention(
    q: Any,
    k: Any,
    v: Any,
    heads: Sequence[int] | None = None,
    options: Options = Options(),
    attention: Attention = Attention(),
    *,
    out: Any = None,
    plain: Any = None,
    report: list[HeadReport] | None = None,
    carried_sums: Any = None,
) -> Any:
    """Attention of q over k and v, the chosen heads calibrated; the map never exists.

    q: [batch, head, query, d]. k: [batch, group, key, d], v: [batch, group, key, e], group divides head. Leading axes of
    extent 1 may be left out. All of one type, or float32 beside k and v of float16 or bfloat16.
    heads: which ones are calibrated, from 0; None: all; []: plain attention.
    out: gets the outputs [batch, head, query, e]; None: made here, of q's kind. plain: gets the uncalibrated ones.
    report: a list that gets a HeadReport for each chosen head and batch entry. carried_sums: as calibrate's.

    Returns the outputs. Raises act.Error.
    """
    if out is None and all(hasattr(each, "shape") for each in (q, k, v)):
        out = empty_like(q, (*q.shape[:-1], v.shape[-1]))
    done = call(_core.calibrated_attention, q=q, k=k, v=v, out=out, heads=heads_of(heads), options=options._given(),
                attention=attention._given(rows_of(q), rows_of(k)), plain=plain, carried_sums=carried_sums)
    if report is not None:
        report.extend(reports_of(done))
    return out


def correct_output(
    out: Any,
    log_sum_exp: Any,
    q: Any,
    k: Any,
    v: Any,
    heads: Sequence[int] | None = None,
    options: Options = Options(),
    attention: Attention = Attention(),
    *,
    scores: Any = None,
    carried_sums: Any = None,
) -> list[HeadReport]:
    """Calibrates the chosen heads' outputs of another kernel in place, from each row's log-sum-exp.

    out: plain outputs [batch, head, query, e], corrected in place. log_sum_exp: [batch, head, query], float32 (float64
    beside float64 tensors), natural logarithm of each row's softmax denominator. scores: float64 [batch, head, key],
    column scores where the kernel has them. Others as calibrated_attention's.

    Returns a report for each chosen head and batch entry. Raises act.Error, with `out` as it was.
    """
    return reports_of(call(_core.correct_output, out=out, log_sum_exp=log_sum_exp, q=q, k=k, v=v, heads=heads_of(heads),
                           options=options._given(), attention=attention._given(rows_of(q), rows_of(k)), scores=scores,
                           carried_sums=carried_sums))
