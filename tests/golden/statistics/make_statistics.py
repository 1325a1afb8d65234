#!/usr/bin/env python3
"""Makes statistics.json: maps of label scores (scikit-learn's logistic regression, scipy's minimiser), Wilson intervals (scipy), exact McNemar tests (scipy's binomial test), AUC (scikit-learn) and
bootstrap intervals (numpy's percentiles over resamples drawn with splitmix64). Run it in this folder with numpy, scipy
and scikit-learn."""

import json
import pathlib

import numpy as np
from scipy import optimize, stats
from scipy.special import log_softmax, softmax
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

rng = np.random.default_rng(7)
MASK = (1 << 64) - 1


def splitmix64(state):
    while True:
        state = (state + 0x9E3779B97F4A7C15) & MASK
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        yield z ^ (z >> 31)


def resamples(n, count, seed):
    streams = splitmix64(seed)
    for _ in range(count):
        draw = splitmix64(next(streams))
        yield [next(draw) % n for _ in range(n)]


def percentiles(values):
    return [float(v) for v in np.percentile(values, [2.5, 97.5])]


def auc(scores, labels):
    """One run by scikit-learn; None when no label has positives and negatives. Rows may have different lengths."""
    width = max(len(row) for row in scores)
    labels = np.array(labels)
    if all(len(row) == 2 for row in scores):
        columns = {1: np.array([row[1] - row[0] for row in scores])}
    else:
        shares = np.array([list(softmax(row)) + [0.0] * (width - len(row)) for row in scores])
        columns = {c: shares[:, c] for c in range(width)}
    areas = [roc_auc_score(labels == c, column) for c, column in columns.items() if 0 < (labels == c).sum() < len(labels)]
    return float(np.mean(areas)) if areas else None


def scores_for(labels, widths, pull):
    return [[round(float(rng.normal() + pull * (c == label)), 1) for c in range(width)]
            for label, width in zip(labels, widths)]


golden = {"wilson": [], "mcnemar": [], "auc": [], "auc_bootstrap": [], "accuracy_bootstrap": []}
for correct, n in [(0, 1), (1, 1), (0, 10), (10, 10), (5, 10), (141, 200), (1, 1000), (999, 1000), (65000, 100000)]:
    found = stats.binomtest(correct, n).proportion_ci(0.95, method="wilson")
    golden["wilson"].append({"correct": correct, "n": n, "lo": float(found.low), "hi": float(found.high)})
for gained, lost in [(0, 0), (1, 0), (0, 1), (5, 0), (7, 3), (3, 7), (30, 12), (100, 100), (1200, 1000), (5000, 4600),
                     (30, 0), (600, 400), (51000, 49000), (1000, 100)]:
    p = stats.binomtest(min(gained, lost), gained + lost, 0.5).pvalue if gained + lost else 1.0
    golden["mcnemar"].append({"gained": gained, "lost": lost, "p": float(p)})
for labels, widths, pull in [
        (rng.integers(0, 2, 60), [2] * 60, 1.0), (rng.integers(0, 2, 9), [2] * 9, 0.0), ([0, 0, 1], [2] * 3, 0.5),
        ([1, 1, 1], [2] * 3, 1.0), (rng.integers(0, 4, 80), [4] * 80, 1.0), (rng.choice([0, 3, 5], 50), [6] * 50, 1.0),
        ([2, 2, 2], [3] * 3, 1.0), (rng.integers(0, 3, 40), rng.integers(3, 6, 40), 0.7), ([0], [2], 1.0)]:
    labels = [int(label) for label in labels]
    scores = scores_for(labels, widths, pull)
    golden["auc"].append({"labels": labels, "scores": scores, "auc": auc(scores, labels)})
for labels, width, runs, seed in [(rng.integers(0, 2, 40), 2, 1, 0), (rng.integers(0, 4, 50), 4, 1, 5),
                                  (rng.integers(0, 3, 30), 3, 3, 9), ([0, 0, 0, 0, 0, 1], 2, 1, 3)]:
    labels = [int(label) for label in labels]
    before = [scores_for(labels, [width] * len(labels), 0.5) for _ in range(runs)]
    after = [scores_for(labels, [width] * len(labels), 1.0) for _ in range(runs)]
    count, areas, gains = 200, [], []
    for drawn in resamples(len(labels), count, seed):
        def mean(tables):
            found = [auc([table[i] for i in drawn], [labels[i] for i in drawn]) for table in tables]
            return None if None in found else float(np.mean(found))
        if mean(before) is not None:
            areas.append(mean(before))
            gains.append(mean(after) - mean(before))
    golden["auc_bootstrap"].append({"labels": labels, "baseline": before, "calibrated": after, "resamples": count,
                                    "seed": seed, "interval": percentiles(areas), "difference": percentiles(gains)})
for n, runs, seed in [(50, 1, 0), (30, 5, 84), (1, 1, 1)]:
    before, after = (rng.random((runs, n)) < p for p in (0.5, 0.7))
    gain = after.mean(0) - before.mean(0)
    drawn = [float(np.mean([gain[i] for i in sample])) for sample in resamples(n, 500, seed)]
    golden["accuracy_bootstrap"].append({"baseline": before.astype(int).tolist(), "calibrated": after.astype(int).tolist(),
                                         "resamples": 500, "seed": seed, "difference": percentiles(drawn)})


def prior_corrected(scores, labels):
    """Accuracy of each score less its column's mean; rows may have different lengths."""
    table = np.full((len(scores), max(len(row) for row in scores)), np.nan)
    for i, row in enumerate(scores):
        table[i, :len(row)] = row
    with np.errstate(invalid="ignore"):
        corrected = table - np.nanmean(table, axis=0)
    return float(np.mean([np.nanargmax(row) == label for row, label in zip(corrected, labels)]))


golden["prior_corrected"] = []
for n, widths, runs, seed in [(40, [2], 1, 0), (50, [4], 1, 5), (30, [3, 4, 5], 1, 2), (30, [3], 3, 9)]:
    widths = [widths[i % len(widths)] for i in range(n)]
    labels = [int(rng.integers(0, width)) for width in widths]
    # Scores with a prior that hides what they know; their many digits keep sums of any order from tying.
    prior = rng.normal(0, 5, max(widths))

    def scored(pull):
        return [[round(float(prior[c] + rng.normal() + pull * (c == label)), 6) for c in range(width)]
                for label, width in zip(labels, widths)]

    before, after = [scored(0.7) for _ in range(runs)], [scored(1.5) for _ in range(runs)]

    def mean(tables, drawn):
        return float(np.mean([prior_corrected([t[i] for i in drawn], [labels[i] for i in drawn]) for t in tables]))

    drawings = list(resamples(n, 200, seed))
    golden["prior_corrected"].append(
        {"labels": labels, "baseline": before, "calibrated": after, "resamples": 200, "seed": seed,
         "accuracy": mean(before, range(n)), "interval": percentiles([mean(before, d) for d in drawings]),
         "difference": percentiles([mean(after, d) - mean(before, d) for d in drawings])})


def linear_map(seen, labels, unseen, penalty):
    """Log-probabilities of unseen samples by a logistic regression on standardised scores."""
    mean, spread = seen.mean(0), seen.std(0)
    fitted = LogisticRegression(C=1 / (len(seen) * penalty), tol=1e-12, max_iter=100000)
    fitted.fit((seen - mean) / spread, labels)
    return fitted.predict_log_proba((unseen - mean) / spread)


def bias_map(seen, labels, unseen, penalty):
    def loss(bias):
        return -log_softmax(seen + bias, axis=1)[range(len(seen)), labels].mean() + penalty / 2 * (bias ** 2).sum()
    found = optimize.minimize(loss, np.zeros(seen.shape[1]), method="BFGS", options={"gtol": 1e-9})
    return log_softmax(unseen + found.x, axis=1)


golden["label_maps"] = []
rng = np.random.default_rng(11)
for n, count in [(60, 3), (80, 6), (200, 4)]:
    labels = np.concatenate([np.arange(count), rng.integers(0, count, n - count)])
    # Scores whose labels are mixed up and have a prior.
    knows = rng.normal(0, 1, (2 * n, count))
    knows[:n][range(n), labels] += 1.5
    scores = knows @ rng.normal(0, 1, (count, count)) + rng.normal(0, 3, count)
    seen, unseen = np.round(scores[:n], 6), np.round(scores[n:n + 5], 6)
    for penalty in (1e-3, 1e-1):
        golden["label_maps"].append(
            {"scores": seen.tolist(), "labels": labels.tolist(), "penalty": penalty, "unseen": unseen.tolist(),
             "linear": linear_map(seen, labels, unseen, penalty).tolist(),
             "bias": bias_map(seen, labels, unseen, penalty).tolist()})
pathlib.Path("statistics.json").write_text(json.dumps(golden) + "\n")
