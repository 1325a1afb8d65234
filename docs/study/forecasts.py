#!/usr/bin/env python3
"""What act-search forecasts of each rule from the pools' trials alone: nested cross-validation of the additive estimate, no forward
pass (docs/selection.md). It is how the default rule was chosen, before any of it was run on the samples that the study scores.

  forecasts.py --programs build/demo/examples --model M.gguf --out OUT [--no-final-space] [--rules A,B] TASK...

OUT is run.py's, whose pools were searched. Prints a row a rule: the forecast accuracy in % and AUC of each task, and their means.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

import make_pools
import run


def forecast(asked, rule, task, folder):
    file, result = make_pools.pool_of(asked.out, task), pathlib.Path(folder) / "search.json"
    heads = len(json.loads((asked.out / f"{task}-pool.json").read_text())["trials"])
    options = ["--scoring", "likelihood"] if task == "arce" else ["--no-final-space"] if asked.no_final_space else []
    done = subprocess.run([asked.programs / "act-search", "--model", asked.model, "--threads", asked.threads, "--quiet", "--task",
                           f"{task}={file}", "--samples", "0", "--seed", "1", "--reuse", asked.out / f"{task}.state", "--json", result,
                           "--out", pathlib.Path(folder) / "heads.json", *run.arguments_of(rule, heads, 1), *options],
                          stdout=subprocess.DEVNULL)
    if done.returncode != 0:
        sys.exit(f"act-search for {rule} on {task}: exit code {done.returncode}")
    made = json.loads(result.read_text()).get("forecast", [None])[0]
    if made is None:  # no head was picked: the plain model, of which there is no forecast
        return {}
    return {"plain": (100 * made["accuracy"]["plain"], made["auc"]["plain"]),
            rule: (100 * made["accuracy"]["calibrated"], made["auc"]["calibrated"])}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=pathlib.Path, required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--no-final-space", action="store_true")
    parser.add_argument("--threads", default="0")
    parser.add_argument("--rules", default=",".join([*run.MAIN, *run.OTHERS]))
    parser.add_argument("tasks", nargs="+", metavar="TASK")
    asked = parser.parse_args()
    rows = {"plain": {}}
    with tempfile.TemporaryDirectory() as folder:
        for rule in asked.rules.split(","):
            for task in asked.tasks:
                rows.setdefault(rule, {})
                for name, values in forecast(asked, rule, task, folder).items():
                    rows[name][task] = values
    print("| heads chosen by | " + " | ".join(asked.tasks) + " | mean |\n" + "|---" * (len(asked.tasks) + 2) + "|")
    for name, row in rows.items():
        # Where a rule picks no head it is the plain model, which is known if any rule picks some.
        values = [row.get(task, rows["plain"].get(task)) for task in asked.tasks]
        if None in values:
            print(f"| {name} | no heads for {', '.join(task for task, value in zip(asked.tasks, values) if value is None)} |")
            continue
        mean = [sum(each) / len(values) for each in zip(*values)]
        print(f"| {name} | " + " | ".join(f"{a:.1f}, {b:.3f}" for a, b in [*values, mean]) + " |")


if __name__ == "__main__":
    main()
