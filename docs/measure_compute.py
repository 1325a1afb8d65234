"""What --compute bf16 and int8 do to answers: accuracy and AUC, plain and calibrated, the largest difference of an answer's score from
float32's, and how many answers change.

  python3 docs/measure_compute.py act-eval MODEL HEADS [--limit 200] [--threads N] TASK=FILE...

Prints a Markdown table row for each task and type. Made the table in docs/compute.md.
"""
import argparse
import json
import subprocess
import tempfile
from pathlib import Path


def evaluate(asked, task, file, compute, folder):
    result, samples = folder / f"{task}-{compute}.json", folder / f"{task}-{compute}.jsonl"
    subprocess.run([asked.program, "--model", asked.model, "--task", task, "--data", file, "--limit", str(asked.limit), "--heads", asked.heads,
                    "--compute", compute, "--threads", str(asked.threads), "--json", str(result), "--predictions", str(samples), "--quiet"],
                   check=True, stdout=subprocess.DEVNULL)
    return json.loads(result.read_text()), [json.loads(line) for line in samples.read_text().splitlines()]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("model")
    parser.add_argument("heads")
    parser.add_argument("--limit", type=int, default=200)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("tasks", nargs="+", metavar="TASK=FILE")
    asked = parser.parse_args()
    print("| task | compute | plain | calibrated | AUC plain | AUC calibrated | largest difference of a score | other answers |")
    print("|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        for each in asked.tasks:
            task, _, file = each.partition("=")
            exact = None
            for compute in ("f32", "bf16", "int8"):
                result, samples = evaluate(asked, task, file, compute, Path(name))
                exact = exact or samples
                pairs = [(a, b) for a, b in zip(exact, samples) if a["index"] == b["index"]]
                assert len(pairs) == len(exact) == len(samples)
                sides = ("baseline", "calibrated")
                largest = max(abs(x - y) for a, b in pairs for side in sides for x, y in zip(a[side]["scores"], b[side]["scores"]))
                changed = [sum(a[side]["prediction"] != b[side]["prediction"] for a, b in pairs) for side in sides]
                of = {side: result[side] for side in sides}
                print(f"| {task} | {compute} | " + " | ".join(f"{100 * of[side]['accuracy']:.1f} %" for side in sides) + " | " +
                      " | ".join(f"{of[side]['auc']:.3f}" for side in sides) +
                      (f" | | |" if compute == "f32" else f" | {largest:.2f} | {changed[0]} and {changed[1]} of {len(pairs)} |"), flush=True)


if __name__ == "__main__":
    main()
