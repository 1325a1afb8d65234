#!/usr/bin/env python3
"""Makes selection.json: a small table of trials (two files of three labels, one of options of its own) and what each rule
makes of it, by numpy and scipy, sample by sample and without act's code. Run it in this folder with both."""

import itertools
import json
import pathlib

import numpy as np
from scipy import stats

MASK = (1 << 64) - 1


def splitmix64(state):
    while True:
        state = (state + 0x9E3779B97F4A7C15) & MASK
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        yield z ^ (z >> 31)


# The table: heads help a little, shift the prior, or are noise.
rng = np.random.default_rng(13)
HEADS = [(layer, head) for layer in range(2, 7) for head in range(4)]
samples = [{"label": int(rng.integers(3)), "source": 0, "own": False, "width": 3} for _ in range(22)]
samples += [{"label": int(rng.integers(3)), "source": 1, "own": False, "width": 3} for _ in range(11)]
samples += [{"label": (w := int(rng.integers(2, 5))) and int(rng.integers(w)), "source": 2, "own": True, "width": w}
            for _ in range(9)]
pull = rng.normal(0.1, 0.25, len(HEADS))
shift = rng.normal(0, 0.4, (len(HEADS), 3, 4))
prior = np.array([[1.0, 0, -0.5, 0], [0, 0.7, 0, 0], [0, 0, 0, 0]])
plain, calibrated = [], []
for s in samples:
    right = np.eye(4)[s["label"]][: s["width"]]
    row = np.round(rng.normal(0, 1, s["width"]) + 0.5 * right + prior[s["source"]][: s["width"]], 3)
    plain.append(row)
    calibrated.append([np.round(row + pull[h] * right + shift[h, s["source"]][: s["width"]]
                                + rng.normal(0, 0.3, s["width"]), 3) for h in range(len(HEADS))])
N = range(len(samples))


def centred(over):
    """plain and calibrated rows without the means over `over`, source by source."""
    new_plain, new_calibrated = [None] * len(samples), [None] * len(samples)
    for i in N:
        s = samples[i]
        others = [j for j in over if samples[j]["source"] == s["source"]]
        if s["own"] or not others:
            new_plain[i], new_calibrated[i] = plain[i], calibrated[i]
            continue
        mean = np.mean([plain[j] for j in others], axis=0)
        new_plain[i] = plain[i] - mean
        new_calibrated[i] = [new_plain[i] + (calibrated[i][h] - plain[i])
                             - np.mean([calibrated[j][h] - plain[j] for j in others], axis=0)
                             for h in range(len(HEADS))]
    return new_plain, new_calibrated


def log_softmax(row):
    return row - np.log(np.sum(np.exp(row - row.max()))) - row.max()


def values(objective, rows, over):
    """rows: index -> scores. One number a sample of `over`."""
    if objective == "accuracy":
        return np.array([float(np.argmax(rows[i]) == samples[i]["label"]) for i in over])
    if objective == "mixed":  # rows: as they are, and centred behind
        return np.array([0.2 * log_softmax(rows[i][: len(rows[i]) // 2])[samples[i]["label"]]
                         + log_softmax(rows[i][len(rows[i]) // 2:])[samples[i]["label"]] for i in over])
    if objective in ("likelihood", "centred"):
        return np.array([log_softmax(rows[i])[samples[i]["label"]] for i in over])
    out = np.zeros(len(over))
    for source in sorted({samples[i]["source"] for i in over}):
        members = [k for k, i in enumerate(over) if samples[i]["source"] == source]
        if samples[over[members[0]]]["own"]:
            for k in members:
                row, label = rows[over[k]], samples[over[k]]["label"]
                others = np.delete(row, label)
                out[k] = np.mean((others < row[label]) + 0.5 * (others == row[label]))
            continue
        by_label = {}
        for k in members:
            by_label.setdefault(samples[over[k]]["label"], []).append(k)
        areas, influence, pairs = [], np.zeros(len(over)), 0
        for low, high in itertools.combinations(sorted(by_label), 2):
            d_low = {k: rows[over[k]][high] - rows[over[k]][low] for k in by_label[low]}
            d_high = {k: rows[over[k]][high] - rows[over[k]][low] for k in by_label[high]}
            win = lambda a, b: 1.0 if a > b else 0.5 if a == b else 0.0
            area = np.mean([win(x, z) for x in d_high.values() for z in d_low.values()])
            for k, x in d_high.items():
                influence[k] += (np.mean([win(x, z) for z in d_low.values()]) - area) / len(d_high)
            for k, z in d_low.items():
                influence[k] += (np.mean([win(x, z) for x in d_high.values()]) - area) / len(d_low)
            areas.append(area)
        for k in members:
            out[k] = (np.mean(areas) + len(members) / len(areas) * influence[k]) if areas else 0.5
    return out


def balanced(over):
    count = {}
    for i in over:
        count[samples[i]["source"]] = count.get(samples[i]["source"], 0) + 1
    return np.array([1 / (len(count) * count[samples[i]["source"]]) for i in over])


def summed(x, over):
    """Mean, standard error, degrees of freedom, balanced over sources."""
    sources = sorted({samples[i]["source"] for i in over})
    parts = [np.array([x[k] for k, i in enumerate(over) if samples[i]["source"] == s]) for s in sources]
    mean = np.mean([p.mean() for p in parts])
    v = [p.var(ddof=1) / len(p) / len(parts) ** 2 if len(p) > 1 else 0.0 for p in parts]
    welch = sum(e * e / (len(p) - 1) for e, p in zip(v, parts) if len(p) > 1)
    free = sum(v) ** 2 / welch if welch > 0 else max(1, len(over) - len(parts))
    return mean, np.sqrt(sum(v)), free


def seen(objective, over):
    if objective == "mixed":
        p, c = centred(over)
        both = lambda a, b: np.concatenate([np.asarray(a), np.asarray(b)])
        return ([both(plain[i], p[i]) for i in N],
                [[both(calibrated[i][h], c[i][h]) for h in range(len(HEADS))] for i in N])
    return centred(over) if objective == "centred" else (plain, calibrated)


def gains(objective, over):
    p, c = seen(objective, over)
    before = values(objective, p, over)
    return [values(objective, {i: np.asarray(c[i][h]) for i in over}, over) - before for h in range(len(HEADS))]


def by(worth, tie):
    worth, tie = [round(w, 12) for w in worth], [round(t, 12) for t in tie]
    return sorted([h for h in range(len(HEADS)) if worth[h] > 0], key=lambda h: (-worth[h], -tie[h], HEADS[h]))


def t_of(mean, error):
    return mean / error if error > 0 else 0.0 if mean == 0 else np.copysign(np.inf, mean)


def by_gain(objective, over):
    worth = [summed(g, over)[0] for g in gains(objective, over)]
    tie = [0.0] * len(HEADS)
    if objective == "accuracy":
        tie = [summed(g, over)[0] for g in gains("likelihood", over)]
    return by(worth, tie)


def by_studentised(objective, over):
    s = [summed(g, over) for g in gains(objective, over)]
    return by([t_of(m, e) for m, e, _ in s], [m for m, _, _ in s])


def by_shared(objective, over):
    """Posterior means of what heads gain whatever the source."""
    sources = sorted({samples[i]["source"] for i in over})
    split = [[np.array([g[k] for k, i in enumerate(over) if samples[i]["source"] == s]) for s in sources]
             for g in gains(objective, over)]
    y = np.array([[p.mean() for p in parts] for parts in split])
    v = np.array([[p.var(ddof=1) / len(p) for p in parts] for parts in split])
    scale = np.sqrt((y ** 2).mean(axis=0))
    y, v = y / scale, v / scale ** 2
    tau = max(0.0, (y.var(axis=1, ddof=1) - v.mean(axis=1)).mean()) if len(sources) > 1 else 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        w = 1 / (v + tau)
        mean, error = (w * y).sum(axis=1) / w.sum(axis=1), 1 / w.sum(axis=1)
    certain = (v + tau <= 0).any(axis=1)
    mean[certain], error[certain] = y.mean(axis=1)[certain], 0
    omega = max(0.0, mean.var(ddof=1) - error.mean())
    kept = np.array([omega / (omega + e) if omega + e > 0 else 1 for e in error])
    return by(mean.mean() + kept * (mean - mean.mean()), mean)


def joint_rows(p, c, heads, over):
    return {i: p[i] + sum(((np.asarray(c[i][h]) - p[i]) for h in heads), np.zeros(len(p[i]))) for i in over}


def by_joint(objective, over, most, same=lambda a, b: a == b):
    p, c = seen(objective, over)
    w, taken = balanced(over), []
    reached = w @ values(objective, p, over)
    while len(taken) < most:
        found = {h: w @ values(objective, joint_rows(p, c, taken + [h], over), over)
                 for h in range(len(HEADS)) if not any(same(h, t) for t in taken)}
        if not found:
            break
        best = max(found, key=lambda h: (found[h], -h))
        if found[best] <= reached:
            break
        reached = found[best]
        taken.append(best)
    return taken


def by_balanced(objective, over, most, same=lambda a, b: a == b):
    own = [summed(g, over)[0] for g in gains(objective, over)]
    w, taken = balanced(over), []

    def likelihood(rows):
        return w @ values("likelihood", rows, over)

    def shift(h, i):
        s = samples[i]
        others = [j for j in over if samples[j]["source"] == s["source"]]
        return 0 * plain[i] if s["own"] else np.mean([calibrated[j][h] - plain[j] for j in others], axis=0)

    while len(taken) < most:
        rows = joint_rows(plain, calibrated, taken, over)
        reached = likelihood(rows)
        found = {h: own[h] + likelihood({i: rows[i] + shift(h, i) for i in over}) - reached
                 for h in range(len(HEADS)) if not any(same(h, t) for t in taken)}
        best = max(found, key=lambda h: (found[h], -h)) if found else None
        if best is None or found[best] <= 1e-5:
            break
        taken.append(best)
    return taken


def steady(objective, over, top, resamples, seed, filtered=lambda order: order):
    g = gains(objective, over)
    draw = splitmix64(seed)
    sources = [[k for k, i in enumerate(over) if samples[i]["source"] == s]
               for s in sorted({samples[i]["source"] for i in over})]
    often = np.zeros(len(HEADS))
    for _ in range(resamples):
        drawn = [[members[next(draw) % len(members)] for _ in members] for members in sources]
        mean, error = np.zeros(len(HEADS)), np.zeros(len(HEADS))
        for h in range(len(HEADS)):
            parts = [g[h][d] for d in drawn]
            mean[h] = np.mean([q.mean() for q in parts])
            error[h] = np.sqrt(sum(q.var(ddof=1) / len(q) for q in parts)) / len(parts)
        for h in filtered(by([t_of(m, e) for m, e in zip(mean, error)], mean))[:top]:
            often[h] += 1
    return sorted([h for h in range(len(HEADS)) if often[h] > resamples / 2], key=lambda h: (-often[h], HEADS[h]))


def benjamini_hochberg(p, q):
    order = sorted(range(len(p)), key=lambda i: p[i])
    largest = max([k + 1 for k, i in enumerate(order) if p[i] <= q * (k + 1) / len(p)], default=0)
    return sorted(order[:largest])


def folds(over, count, seed):
    strata, numbers = [], {}
    for i in over:
        numbers.setdefault((samples[i]["source"], samples[i]["label"]), len(numbers))
        strata.append(numbers[samples[i]["source"], samples[i]["label"]])
    order, draw = list(range(len(over))), splitmix64(seed)
    for i in range(len(order), 1, -1):
        j = next(draw) % i
        order[i - 1], order[j] = order[j], order[i - 1]
    order.sort(key=lambda k: strata[k])
    fold = [0] * len(over)
    for place, k in enumerate(order):
        fold[k] = place % count
    return fold


def sizes(heads):
    out, k = [], 1
    while k < heads:
        out.append(k)
        k += max(1, k // 6)
    return out + [heads]


def cross_validated(order_of, objective, over, count, repeats, seed, heads=len(HEADS)):
    """Estimates of [none] + each size: gain and standard error."""
    seeds = splitmix64(seed)
    tried = [0] + sizes(heads)
    total = [np.zeros(len(over)) for _ in tried]
    for _ in range(repeats):
        fold = folds(over, count, next(seeds))
        held_plain, held = {}, [{} for _ in tried]
        for f in range(count):
            training = [i for k, i in enumerate(over) if fold[k] != f]
            back = [i for k, i in enumerate(over) if fold[k] == f]
            order = order_of(training)
            p, c = centred(training) if objective == "auc" else seen(objective, training)
            held_plain |= {i: p[i] for i in back}
            for t, size in zip(held, tried):
                t |= joint_rows(p, c, order[:size], back)
        before = values(objective, held_plain, over)
        for t, rows in zip(total, held):
            t += (values(objective, rows, over) - before) / repeats
    return [{"heads": k, "gain": float(summed(x, over)[0]), "standard_error": float(summed(x, over)[1])}
            for k, x in zip(tried, total)]


# The same table as ten heads with two strengths each: 2k and 2k + 1 are one head's.
def one_strength(order):
    kept = []
    for h in order:
        if all(h // 2 != k // 2 for k in kept):
            kept.append(h)
    return kept


over = list(N)
golden = {"heads": HEADS,
          "samples": [{k: s[k] for k in ("label", "source", "own")} | {"plain": list(plain[i]),
                      "calibrated": [list(x) for x in calibrated[i]]} for i, s in enumerate(samples)],
          "objectives": {}, "folds": folds(over, 5, 3), "student_t": [], "benjamini_hochberg": []}
for objective in ("accuracy", "likelihood", "centred", "mixed", "auc"):
    p, c = seen(objective, over)
    s = [summed(g, over) for g in gains(objective, over)]
    test = [float(stats.t.sf(t_of(m, e), f)) for m, e, f in s]
    believed = benjamini_hochberg(test, 0.3)
    golden["objectives"][objective] = {
        "plain_values": [float(v) for v in values(objective, p, over)],
        "gain": [[float(a), float(b), float(f)] for a, b, f in s],
        "by_gain": by_gain(objective, over), "studentised": by_studentised(objective, over),
        "shared": by_shared(objective, over),
        "joint": by_joint(objective, over, 12), "balanced": by_balanced(objective, over, 12), "steady": steady(objective, over, 6, 50, 9),
        "p": test, "fdr": [h for h in by_gain(objective, over) if h in believed],
        "top_estimates": cross_validated(lambda t: by_gain(objective, t), objective, over, 5, 2, 11),
        "two_strengths": {
            "by_gain": one_strength(by_gain(objective, over)), "studentised": one_strength(by_studentised(objective, over)),
            "shared": one_strength(by_shared(objective, over)),
            "joint": by_joint(objective, over, 12, lambda a, b: a // 2 == b // 2),
            "balanced": by_balanced(objective, over, 12, lambda a, b: a // 2 == b // 2),
            "steady": steady(objective, over, 6, 50, 9, one_strength),
            "fdr": one_strength([h for h in by_gain(objective, over) if h in believed]),
            "all": [2 * k + int(round(s[2 * k + 1][0], 12) > round(s[2 * k][0], 12)) for k in range(len(HEADS) // 2)],
            "top_estimates": cross_validated(lambda t: one_strength(by_gain(objective, t)), objective, over, 5, 2, 11,
                                             len(HEADS) // 2)}}
for t, f in [(0, 1), (1, 1), (-2.5, 3), (3.2, 7.5), (12, 20), (0.01, 200), (40, 150), (-40, 5), (1e-8, 4), (6, 1e4)]:
    golden["student_t"].append([t, f, float(stats.t.sf(t, f))])
for m, q in [(1, 0.1), (5, 0.2), (40, 0.1), (40, 0.5)]:
    p = [float(v) for v in np.round(rng.uniform(0, 1, m) ** 3, 3)]
    golden["benjamini_hochberg"].append({"p": p, "q": q, "believed": benjamini_hochberg(p, q)})
pathlib.Path("selection.json").write_text(json.dumps(golden) + "\n")
