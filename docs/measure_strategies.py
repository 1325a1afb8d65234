"""How many of the heads that an exact search picks the other strategies pick, and for how much of its work.

  python3 docs/measure_strategies.py act-search MODEL TASK=FILE EXACT.state EXACT.json [--seeds 5] [act-search's options]

EXACT.state and EXACT.json are the --state and --json of an exact search of the file's samples (--samples 0). No trial that the
state holds is run again (--reuse), so this takes minutes. Seeds order the samples anew, which racing depends on. Work is counted in rows through a layer:
of ranked what its estimates took and, of racing and ranked, the part of the exact search's that trials with sinks times the
layers that each runs through are. Prints a Markdown table row for each rule and strategy. Made the table in docs/cluster.md.
"""
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import mean

RULES = [("top:33%", "mixed"), ("top:15", "likelihood"), ("top:5", "centred"), ("top:15", "centred"), ("top:80", "centred"),
         ("paper", "accuracy")]
STRATEGIES = [("racing", ["--risk", "0.05"])] + [("ranked", ["--budget", budget]) for budget in ["0.05", "0.1", "0.2", "0.33"]]


def search(program, model, task, reuse, options, folder):
    result = Path(folder) / "result.json"
    command = [program, "--model", model, "--task", task, "--samples", "0", "--out", str(Path(folder) / "heads.json"),
               "--json", str(result), "--quiet"]
    for state in reuse:
        command += ["--reuse", state]
    run = subprocess.run(command + options, capture_output=True, text=True)
    if run.returncode != 0:
        sys.exit(run.stderr)
    return json.loads(result.read_text())


def cost(result, layers):
    """Of the trials that were run: (layer, head) pairs' samples with sinks times layers to run through."""
    return sum(trial["with_sinks"] * (layers - trial["layer"]) for trial in result["trials"] if "estimated" not in trial)


def value(options, name, default):
    """Takes `name` and its value out of the options."""
    if name not in options:
        return default
    at = options.index(name)
    given = options[at + 1]
    del options[at:at + 2]
    return given


def main():
    program, model, task, state, exact_json, *rest = sys.argv[1:]
    seeds = int(value(rest, "--seeds", 5))
    exact_rows = json.loads(Path(exact_json).read_text())["work"]["layer_rows_computed"]
    with tempfile.TemporaryDirectory() as folder:
        for select, objective in RULES:
            rule = ["--select", select, "--objective", objective]
            exact = search(program, model, task, [state], rule + ["--seed", "0"] + rest, folder)
            layers = exact["model"]["layers"]
            picked = {tuple(head) for head in exact["selected"]}
            for strategy, more in STRATEGIES:
                found = []
                # Ranked takes all samples whatever their order.
                for seed in range(seeds if strategy == "racing" else 1):
                    result = search(program, model, task, [state],
                                    rule + ["--seed", str(seed), "--strategy", strategy] + more + rest, folder)
                    own = {tuple(head) for head in result["selected"]}
                    # What was run is estimates: plain scores and trials are the state's.
                    share = cost(result, layers) / cost(exact, layers) + result["work"]["layer_rows_computed"] / exact_rows
                    found.append((len(own & picked) / max(len(picked), 1), len(own & picked) / max(len(own), 1), share))
                recall, precision, share = (mean(values) for values in zip(*found))
                print(f"| {select}, {objective} | {len(picked)} of {len(exact['trials'])} | {strategy} {' '.join(more)} | "
                      f"{recall:.2f} | {precision:.2f} | {share:.2f} |", flush=True)


main()
