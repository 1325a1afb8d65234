#!/usr/bin/env python3
"""The rivals' tables (docs/rivals.md) on one model: for each rival the 15 heads with the largest likelihood gain of its own search of the
study's pool (make_pools.py), InstABoost in all heads, UniBias by its own criteria; then act-compare of all of them on the same unseen samples.

  rivals.py --programs build/demo/examples --model M.gguf --data DATA --out OUT [--no-final-space] [--strategy ranked] TASK=POOL[:SCORED]...
  rivals.py --out OUT --table TASK...
  rivals.py --summary docs/rivals.md

OUT may be run.py's: its pools and ACT's trials of them (OUT/TASK.state) are taken over. ACT is searched exactly, its rivals by --strategy.
What is there already isn't run again; the result is OUT/TASK-rivals.json, and with --table it is printed as Markdown, nothing run. --summary
prints each rival's gains over plain, accuracy in points and AUC, from such tables on a page, and their means.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys

import make_pools

# Name in the table: file, what act-search is told.
RIVALS = {
    "ACT (sinks, beta 0.4)": ("act", []),
    "ZeroTuning, factor 2": ("zerotuning-2", ["--columns", "initial-token", "--factor", "2"]),
    "ZeroTuning, factor 0.5": ("zerotuning-0.5", ["--columns", "initial-token", "--factor", "0.5"]),
    "PASTA (instruction, factor 100)": ("pasta", ["--columns", "instruction", "--factor", "100"]),
    "heads masked": ("masked", ["--mask"]),
    "UniBias": ("unibias", ["--mask", "--select", "unibias"]),
}
INSTABOOST = {"InstABoost, factor 2": ("instaboost-2", 2), "InstABoost, factor 5": ("instaboost-5", 5)}


def heads_file(out, task, name):
    return out / f"{task}-rival-{name}.heads.json"


def cells(row):
    summary, difference = row["summary"], row.get("difference") or {}
    percents = lambda pair, form: "[" + ", ".join(form % (100 * value) for value in pair) + "]"
    gain = auc_gain = ""
    if difference:
        gain = "%+.1f %s" % (100 * difference["accuracy"], percents(difference["ci95"], "%+.0f"))
        auc_gain = "%+.3f" % difference["auc"]
        if difference.get("auc_ci95"):
            auc_gain += " [%+.3f, %+.3f]" % tuple(difference["auc_ci95"])
    corrected = summary["prior_corrected"]
    return ["%.1f %% %s" % (100 * summary["accuracy"], percents(summary["ci95"], "%.0f")), gain,
            "-" if corrected is None else "%.1f %%" % (100 * corrected), "%.3f" % summary["auc"], auc_gain]


def table(out, task):
    result = out / f"{task}-rivals.json"
    if not result.exists():
        sys.exit(f"{result}: isn't there; run this without --table first")
    rows = {pathlib.Path(row["name"]).name: row for row in json.loads(result.read_text())["rows"]}
    print(f"| {task} | accuracy | - plain | corrected | AUC | - plain |\n|---|---|---|---|---|---|")
    print("| " + " | ".join(["plain", *cells({**rows["plain"], "difference": None})]) + " |")
    for name, (short, _) in {**RIVALS, **INSTABOOST}.items():
        file = heads_file(out, task, short)
        if file.name in rows:
            if short == "unibias":
                name += f" ({len(json.loads(file.read_text())['heads'])} heads)"
            print("| " + " | ".join([name, *cells(rows[file.name])]) + " |")
        else:
            print(f"| {name} | {'masks none' if file.exists() else 'does not apply'} |  |  |  |  |")
    print()


def summary(page):
    if not page.exists():
        sys.exit(f"{page}: isn't there")
    model, gains = None, {}  # of each model: {task: {rival: (accuracy, auc), or None where it doesn't apply}}
    for line in page.read_text().splitlines():
        row = [cell.strip() for cell in line.strip("|").split("|")]
        if named := re.match(r"(Gemma 3|SmolLM2)\b", line):
            model, task = named[1], None
        elif line.startswith("#"):
            model = None
        elif model and row[1:2] == ["accuracy"]:
            task = gains.setdefault(model, {}).setdefault(row[0], {})
        elif model and task is not None and len(row) == 6 and row[0] != "plain" and not row[0].startswith("---"):
            number = lambda cell: float(cell.split()[0])
            changed = (0, 0) if row[1] == "masks none" else None if row[1] == "does not apply" else (number(row[2]), number(row[5]))
            task[re.sub(r" \(\d+ heads\)", "", row[0])] = changed
    if not gains:
        sys.exit(f"{page}: has no tables of rivals (those that --table prints, below a line that begins with a model's name)")
    for model, tasks in gains.items():
        print(f"| {model} | " + " | ".join([*tasks, "mean"]) + " |\n" + "|---" * (len(tasks) + 2) + "|")
        for rival in next(iter(tasks.values())):
            of = [task[rival] for task in tasks.values()]
            known = [each for each in of if each]
            of.append(tuple(sum(values) / len(known) for values in zip(*known)))
            print("| " + " | ".join([rival, *("-" if each is None else "%+.1f, %+.3f" % each for each in of)]) + " |")
        print()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=pathlib.Path)
    parser.add_argument("--model")
    parser.add_argument("--data", type=pathlib.Path)
    parser.add_argument("--out", type=pathlib.Path)
    parser.add_argument("--no-final-space", action="store_true")
    parser.add_argument("--threads", default="0")
    parser.add_argument("--strategy", default="ranked", choices=["exact", "ranked"])
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--summary", type=pathlib.Path, metavar="PAGE")
    parser.add_argument("tasks", nargs="*", metavar="TASK=POOL[:SCORED]")
    asked = parser.parse_args()
    if asked.summary:
        return summary(asked.summary)
    if not (asked.out and asked.tasks):
        parser.error("--out and tasks are needed")
    if asked.table:
        for each in asked.tasks:
            table(asked.out, each.partition("=")[0])
        return
    if not (asked.programs and asked.model and asked.data):
        parser.error("--programs, --model and --data are needed to run anything; --table prints what was run")
    for each in asked.tasks:
        task, _, sizes = each.partition("=")
        if task not in make_pools.FILES or not re.fullmatch(r"[1-9]\d*(:[1-9]\d*)?", sizes):
            parser.error(f"{each}: give TASK=POOL[:SCORED], for example trec=75:100, of {', '.join(make_pools.FILES)}")
        if not (asked.data / make_pools.FILES[task][0]).exists():
            parser.error(f"{asked.data / make_pools.FILES[task][0]}: isn't there; --data holds the tasks' files (make_pools.py lists them)")
    asked.out.mkdir(parents=True, exist_ok=True)

    def run(program, *arguments):
        done = subprocess.run([asked.programs / program, "--model", asked.model, "--threads", asked.threads, "--quiet",
                               *map(str, arguments)], stdout=subprocess.PIPE, text=True)
        if done.returncode != 0:
            sys.exit(f"{program} {' '.join(map(str, arguments))}: exit code {done.returncode}")

    for each in asked.tasks:
        task, _, sizes = each.partition("=")
        pool, scored = (int(size) for size in (sizes.split(":") + ["100"])[:2])
        options = ["--scoring", "likelihood"] if task == "arce" else ["--no-final-space"] if asked.no_final_space else []
        result = asked.out / f"{task}-rivals.json"
        file = make_pools.pool_of(asked.out, task)
        if not file.exists():
            make_pools.make_pool(asked.data, asked.out, task, pool)
        for name, (short, arguments) in RIVALS.items():
            heads = heads_file(asked.out, task, short)
            # UniBias asks for the same labels in every sample, which answers' own texts are not.
            if heads.exists() or result.exists() or (short == "unibias" and task == "arce"):
                continue
            searched = ["--task", f"{task}={file}", "--samples", 0, "--seed", 1, "--out", heads, *arguments, *options]
            known = asked.out / f"{task}.state"
            if short == "act":
                searched += ["--reuse", known] if known.exists() else []
            elif short != "unibias":
                searched += ["--strategy", asked.strategy]
            if short != "unibias":
                searched += ["--select", "top:15", "--objective", "likelihood", "--state", heads.with_suffix(".state")]
            run("act-search", *searched)
        for short, factor in INSTABOOST.values():
            every = json.loads(heads_file(asked.out, task, "pasta").read_text())
            model = every["model"]
            every["options"]["factor"] = factor
            every["heads"] = [[layer, head] for layer in range(model["layers"]) for head in range(model["heads"])]
            heads_file(asked.out, task, short).write_text(json.dumps(every))
        if not result.exists():
            files = [heads_file(asked.out, task, short) for short, _ in [*RIVALS.values(), *INSTABOOST.values()]]
            files = [heads for heads in files if heads.exists() and json.loads(heads.read_text())["heads"]]
            repeated = [argument for heads in files for argument in ("--heads", heads)]
            run("act-compare", "--task", task, "--data", make_pools.scored_file(asked.data, asked.out, task), "--limit", scored,
                "--seed", 0, *repeated, "--json", result, "--state", result.with_suffix(".state"), *options)
        print(f"{task}: {result}", flush=True)


if __name__ == "__main__":
    main()
