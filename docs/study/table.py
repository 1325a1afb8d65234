#!/usr/bin/env python3
"""Tables of the study from what run.py left:  table.py [--spread] OUT TASK...  or, of several models,  table.py . OUT/TASK...

For each rule the accuracy in % and AUC on unseen samples, the mean over the subsets that heads were chosen on, how many heads, and the
mean over tasks with the least and the largest accuracy that a subset has of it; --spread: the least and the largest of each task, too.
A table for scores as they are, with a bias, and with a linear map of the label scores, both fitted on the same labelled samples. The last
table is how far the rule named "default" is ahead of each other, subset by subset: differences of the means over tasks, in brackets
the least and the largest.
"""

import argparse
import json
import pathlib
import re
import sys


def read(out, task):
    """{(rule, map): [(accuracy, auc, heads), ...] a subset}. TASK-1.json ... are a subset each; in others, of several subsets, a rule's
    rows are in their order, and plain's are known from those."""
    rows = {}
    parts = [path for part in ("[1-9]", "others", "strengths") for path in sorted(out.glob(f"{task}-{part}.json"))]
    if not parts:
        sys.exit(f"{out / task}-1.json: isn't there; run.py makes it")
    for path in parts:
        known = set(rows) if not path.stem[-1].isdigit() else set()
        for row in json.loads(path.read_text())["rows"]:
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


ON_TOP = {None: "heads chosen by", "bias": "with a bias on top", "linear": "with the linear map on top"}


def table(out, tasks, scores, spreads):
    found = {task: read(out, task) for task in tasks}
    rules = list(dict.fromkeys(rule for task in tasks for rule, of in found[task] if of == scores))
    print(f"| {ON_TOP[scores]} | heads | " + " | ".join(tasks) + " | mean |")
    print("|---" * (len(tasks) + 3) + "|")
    for rule in rules:
        cells, runs = [], [found[task].get((rule, scores), []) for task in tasks]
        for values in runs:
            pattern = spread if spreads else lambda of, format: format % mean(of)
            cells.append(pattern([100 * v[0] for v in values], "%.1f") + ", " + pattern([v[1] for v in values], "%.3f") if values else "-")
        whole = "-"
        # Where no subset changes a rule, as plain, it has one row a task; where a study was stopped there is no mean yet.
        subsets = max(len(values) for values in runs)
        if all(len(values) in (1, subsets) for values in runs):
            by = [[mean([values[i if len(values) > 1 else 0][which] for values in runs]) for i in range(subsets)] for which in (0, 1)]
            whole = spread([100 * accuracy for accuracy in by[0]], "%.1f") + f", {mean(by[1]):.3f}"
        heads = [v[2] for values in runs for v in values]
        print(f"| {'**default**' if rule == 'default' else rule} | {'' if rule == 'plain' else f'{mean(heads):.0f}'} | "
              + " | ".join(cells) + f" | {whole} |")


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
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spread", action="store_true")
    parser.add_argument("out", metavar="OUT", type=pathlib.Path)
    parser.add_argument("tasks", metavar="TASK", nargs="+")
    asked = parser.parse_args()
    for shown in (None, "bias", "linear"):
        table(asked.out, asked.tasks, shown, asked.spread)
        print()
    differences(asked.out, asked.tasks)
