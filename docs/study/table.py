#!/usr/bin/env python3
"""Tables of the study from what run.py left:  table.py OUT TASK...  or, of several models,  table.py . OUT/TASK...

For each rule the accuracy and AUC on unseen samples, the mean over the subsets that heads were chosen on and, in brackets, the least
and the largest; "+ linear" is the linear map of the label scores fitted on the same labelled samples, on top. The last column is the
mean over tasks. The last table is how far the rule named "default" is ahead of each other, subset by subset: differences of the means
over tasks, in brackets the least and the largest.
"""

import json
import pathlib
import re
import sys


def read(out, task):
    """{(rule, map): [(accuracy, auc, heads), ...] a subset}. TASK-1.json ... are a subset each; in others, of several subsets, a rule's
    rows are in their order, and plain's are known from those."""
    rows = {}
    for path in sorted(out.glob(f"{task}-*.json"), key=lambda path: (not path.stem[-1].isdigit(), path)):
        compared = json.loads(path.read_text()).get("rows") if not path.name.endswith("heads.json") else None
        known = set(rows) if not path.stem[-1].isdigit() else set()
        for row in compared or []:
            named = re.search(r"-\d-(.+)\.heads\.json$", row["name"])
            key = (named.group(1) if named else row["name"], row["map"])
            if key in known:
                continue
            heads = len(json.loads((path.parent / pathlib.Path(row["name"]).name).read_text())["heads"]) if named else 0
            rows.setdefault(key, []).append((row["summary"]["accuracy"], row["summary"]["auc"], heads))
    return rows


def mean(values):
    return sum(values) / len(values)


def spread(values, pattern):
    text = pattern % mean(values)
    if len(values) > 1 and max(values) > min(values):
        text += f" ({pattern % min(values)} .. {pattern % max(values)})"
    return text


def table(out, tasks, maps):
    found = {task: read(out, task) for task in tasks}
    rules = list(dict.fromkeys(key for task in tasks for key in found[task] if key[1] in maps))
    print("| heads chosen by | " + " | ".join(tasks) + " | mean |")
    print("|---" * (len(tasks) + 2) + "|")
    for rule in rules:
        cells, means = [], []
        for task in tasks:
            values = found[task].get(rule)
            if not values:
                cells.append("-")
                continue
            accuracies, aucs = [100 * v[0] for v in values], [v[1] for v in values]
            means.append((mean(accuracies), mean(aucs)))
            heads = "" if rule[0] == "plain" else f", {mean([v[2] for v in values]):.0f} heads"
            cells.append(spread(accuracies, "%.1f") + ", " + spread(aucs, "%.3f") + heads)
        whole = f"{mean([m[0] for m in means]):.1f}, {mean([m[1] for m in means]):.3f}" if len(means) == len(tasks) else "-"
        name = rule[0] + (f" + {rule[1]}" if rule[1] else "")
        print(f"| {name} | " + " | ".join(cells) + f" | {whole} |")


def differences(out, tasks):
    found = {task: read(out, task) for task in tasks}
    print("| the default against | scores as they are | with a bias on both | with the linear map on both |")
    print("|---|---|---|---|")
    for rule in dict.fromkeys(key[0] for task in tasks for key in found[task] if key[0] != "default"):
        cells = []
        for scores in (None, "bias", "linear"):
            pairs = [(found[task].get(("default", scores)), found[task].get((rule, scores))) for task in tasks]
            subsets = min(len(side) if side else 0 for pair in pairs for side in pair)  # the subsets that every task has
            if subsets == 0 or (rule != "plain" and any(len(own) != len(other) for own, other in pairs)):
                cells.append("-")
                continue
            by = [[[100 * (own[i][0] - other[i][0]), own[i][1] - other[i][1]] for own, other in pairs] for i in range(subsets)]
            accuracies, aucs = ([mean([task[which] for task in of]) for of in by] for which in (0, 1))
            cells.append(f"{mean(accuracies):+.1f} ({min(accuracies):+.1f} .. {max(accuracies):+.1f}), {mean(aucs):+.3f}")
        print(f"| {rule} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    for shown in ({None}, {"bias", "linear"}):
        table(pathlib.Path(sys.argv[1]), sys.argv[2:], shown)
        print()
    differences(pathlib.Path(sys.argv[1]), sys.argv[2:])
