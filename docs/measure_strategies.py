"""How many of the heads that an exact search picks the other strategies pick, and for how much of its work.

  python3 docs/measure_strategies.py act-search MODEL TASK=FILE EXACT.state [--seeds 5] [--only racing] [--rule RULE] [act-search's options]

EXACT.state is the state of an exact search of the file's samples (--samples 0). No trial that it holds is run again (--reuse),
so this takes minutes. Seeds order the samples anew, which racing depends on; --only takes one of racing and ranked, --rule one of the rules. Work is a share of the
exact trials': of those that were run, by samples with sinks times the layers that each runs through, and what ranked's estimates
took, in rows through a layer. Prints a Markdown table row for each rule and strategy. Made the table in docs/cluster.md.
"""
import argparse
import json
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import mean

RULES = [("balanced:33%", "mixed"), ("top:33%", "mixed"), ("top:15", "likelihood"), ("top:15", "centred"), ("paper", "accuracy")]
RACING, RANKED = ("racing", ["--risk", "0.05"]), ("ranked", ["--budget", "0.33"])
# The default rule, which racing doesn't take, with less than the default budget, too.
STRATEGIES = {"balanced:33%": [("ranked", ["--budget", "0.1"]), ("ranked", ["--budget", "0.2"]), RANKED]}


def search(program, model, task, exact_state, options, folder):
    result, state = Path(folder) / "result.json", Path(folder) / "state"
    state.unlink(missing_ok=True)
    command = [program, "--model", model, "--task", task, "--samples", "0", "--out", str(Path(folder) / "heads.json"),
               "--json", str(result), "--state", str(state), "--reuse", exact_state, "--quiet"]
    try:
        run = subprocess.run(command + options, capture_output=True, text=True)
    except OSError as error:
        sys.exit(f"{program}: {error.strerror}")
    if run.returncode != 0:
        sys.exit(run.stderr)
    return json.loads(result.read_text())


def estimates_share(folder):
    """What the last search's estimates took of the rows that its trials would."""
    with sqlite3.connect(Path(folder) / "state") as state:
        took, instead_of = state.execute("SELECT SUM(rows_computed), SUM(rows_avoided) FROM unit WHERE layer < -1").fetchone()
    return took / instead_of if instead_of else 0


def cost(result, layers):
    """Of the trials that were run: (layer, head) pairs' samples with sinks times layers to run through."""
    return sum(trial["with_sinks"] * (layers - trial["layer"]) for trial in result["trials"] if "estimated" not in trial)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False)
    for name, shown in (("program", "act-search"), ("model", "MODEL"), ("task", "TASK=FILE"), ("state", "EXACT.state")):
        parser.add_argument(name, metavar=shown)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", choices=[RACING[0], RANKED[0]])
    parser.add_argument("--rule", choices=[select for select, _ in RULES])
    asked, rest = parser.parse_known_args()
    program, model, task, state, seeds, only, rule = (
        asked.program, asked.model, asked.task, asked.state, asked.seeds, asked.only, asked.rule)
    if seeds < 1:
        parser.error("--seeds: at least 1")
    if not Path(state).is_file():
        parser.error(f"{state}: isn't there; act-search --samples 0 --state {state} makes it")
    with tempfile.TemporaryDirectory() as folder:
        for select, objective in RULES:
            if rule not in (None, select):
                continue
            chosen_by = ["--select", select, "--objective", objective]
            exact = search(program, model, task, state, chosen_by + ["--seed", "0"] + rest, folder)
            layers = exact["model"]["layers"]
            picked = {tuple(head) for head in exact["selected"]}
            for strategy, more in STRATEGIES.get(select, [RACING, RANKED]):
                if only not in (None, strategy):
                    continue
                found = []
                # Ranked takes all samples whatever their order.
                for seed in range(seeds if strategy == "racing" else 1):
                    result = search(program, model, task, state,
                                    chosen_by + ["--seed", str(seed), "--strategy", strategy] + more + rest, folder)
                    own = {tuple(head) for head in result["selected"]}
                    share = cost(result, layers) / cost(exact, layers) + estimates_share(folder)
                    found.append((len(own & picked) / max(len(picked), 1), len(own & picked) / max(len(own), 1), share))
                recall, precision, share = (mean(values) for values in zip(*found))
                print(f"| {select}, {objective} | {len(picked)} of {len(exact['trials'])} | {strategy} {' '.join(more)} | "
                      f"{recall:.2f} | {precision:.2f} | {share:.2f} |", flush=True)


if __name__ == "__main__":
    main()
