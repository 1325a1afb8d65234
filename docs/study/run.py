#!/usr/bin/env python3
"""The study of selection rules on one model: searches each pool once, chooses heads on five random subsets of it by every rule
(taking over the pool's trials), and scores all of them on samples that no search has seen, with act-compare.

  run.py --programs build/demo/examples --model M.gguf --data DATA --out OUT [--no-final-space] [--others] [--strengths]
         TASK=POOL[:SUBSET[:SCORED]]...

What is there already isn't run again: an interrupted study goes on from OUT, a comparison in its middle. Results are
OUT/TASK-SEED.json (act-compare's) for the rules named MAIN; with --others OUT/TASK-others.json for the others, and with --strengths
OUT/TASK-strengths.json for the default's heads with other betas than they were chosen with, and with the one that --tune-beta takes, on
all five subsets. Tables: table.py.
"""

import argparse
import json
import pathlib
import subprocess
import sys

import make_pools

SEEDS = [1, 2, 3, 4, 5]
MAIN = {
    "paper": ["--select", "paper", "--objective", "accuracy"],
    "top15-likelihood": ["--select", "top:15", "--objective", "likelihood"],
    "third-mixed": ["--select", "top:33%", "--objective", "mixed"],
    "default": [],  # balanced:33%, mixed
}
STRENGTHS = {f"default-beta-{beta}": beta for beta in (0, 0.2, 0.6)}
TUNED = {"default-tuned": ["--tune-beta", "0,0.2,0.4,0.6"]}
OTHERS = {
    "third-centred": ["--select", "top:33%", "--objective", "centred"],
    "third-auc": ["--select", "top:33%", "--objective", "auc"],
    "greedy-likelihood": ["--select", "greedy:33%", "--objective", "likelihood"],
    "additive": ["--select", "additive", "--objective", "centred"],  # K by cross-validation
    "stable": ["--select", "stable", "--objective", "centred"],
    "fdr": ["--select", "fdr", "--objective", "centred"],
    "third-entropy": ["--select", "top:33%", "--objective", "entropy"],  # looks at no label, nor does the next
    "initial-mass": None,  # a third, those that attend most to the first token
    "random": None,  # a third, others for each subset
    "all": ["--select", "all"],
}


def arguments_of(rule, heads, seed):
    if rule == "initial-mass":
        return ["--select", f"initial-mass:{heads // 3}"]
    if rule == "random":
        return ["--select", f"random:{heads // 3}:{seed}"]
    return {**MAIN, **OTHERS, **TUNED}[rule]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=pathlib.Path, required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--no-final-space", action="store_true")
    parser.add_argument("--threads", default="0")
    parser.add_argument("--others", action="store_true")
    parser.add_argument("--strengths", action="store_true")
    parser.add_argument("tasks", nargs="+", metavar="TASK=POOL[:SUBSET[:SCORED]]")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)

    def run(program, *arguments):
        done = subprocess.run([asked.programs / program, "--model", asked.model, "--threads", asked.threads, "--quiet",
                               *map(str, arguments)], stdout=subprocess.PIPE, text=True)
        if done.returncode != 0:
            sys.exit(f"{program} {' '.join(map(str, arguments))}: exit code {done.returncode}")
        return done.stdout

    studies = []
    for each in asked.tasks:
        task, _, sizes = each.partition("=")
        pool, subset, scored = (int(size) for size in (sizes.split(":") + ["0", "0"])[:3])
        subset, scored = subset or pool * 2 // 3, scored or 100
        options = ["--scoring", "likelihood"] if task == "arce" else ["--no-final-space"] if asked.no_final_space else []
        file = make_pools.pool_of(asked.out, task)
        if not file.exists():
            make_pools.make_pool(asked.data, asked.out, task, pool)
        state, result = asked.out / f"{task}.state", asked.out / f"{task}-pool.json"
        if not result.exists():
            run("act-search", "--task", f"{task}={file}", "--samples", 0, "--seed", 1, "--state", state, "--json", result,
                "--out", asked.out / f"{task}-pool-heads.json", *options)
        studies.append((task, file, subset, scored, options, state, len(json.loads(result.read_text())["trials"])))

    def compare(name, rules, seeds, task, file, subset, scored, options, state, heads):
        compared = asked.out / f"{task}-{name}.json"
        scores = compared.with_suffix(".state")  # what is scored, until the result is there
        if compared.exists():
            scores.unlink(missing_ok=True)
            return
        files = []
        for seed in seeds:
            for rule in rules:
                files.append(asked.out / f"{task}-{seed}-{rule}.heads.json")
                if rule in STRENGTHS:
                    chosen = json.loads((asked.out / f"{task}-{seed}-default.heads.json").read_text())
                    chosen["options"]["beta"] = STRENGTHS[rule]
                    files[-1].write_text(json.dumps(chosen))
                elif not files[-1].exists():
                    run("act-search", "--task", f"{task}={file}", "--samples", subset, "--seed", seed, "--reuse", state,
                        "--out", files[-1], *arguments_of(rule, heads, seed), *options)
        repeated = [argument for each in files for argument in ("--heads", each)]
        print(run("act-compare", "--task", task, "--data", make_pools.scored_file(asked.data, asked.out, task),
                  "--limit", scored, "--seed", 0, *repeated, "--maps", "--state", scores, "--json", compared, *options), flush=True)
        scores.unlink()

    # The first subset of every task, then the second: a study that is stopped has a fair part of all.
    for seed in SEEDS:
        for each in studies:
            compare(str(seed), MAIN, [seed], *each)
    for each in studies if asked.others else []:
        compare("others", OTHERS, SEEDS, *each)
    for each in studies if asked.strengths else []:
        compare("strengths", [*STRENGTHS, *TUNED], SEEDS, *each)


if __name__ == "__main__":
    main()
