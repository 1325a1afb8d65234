#!/usr/bin/env python3
"""Whole models: act and other engines in turn, on the same weights and tokens, and what each is to the other.

  python3 -m venv .venv && .venv/bin/pip install -r bench/peers/models-requirements.txt   (its head says how llama.cpp is built)
  cmake --preset native && cmake --build --preset native --target act_runtime_bench
  .venv/bin/python bench/peers/models.py --model models/SmolLM2-135M-Instruct.Q4_1.gguf --work CONVERTED

Nothing of act needs any of it. Three steps:
  1. What each engine needs is made from the GGUF file and kept in --work (conversions.py).
  2. Each engine answers the same prompts as act. Those in float32 and float16 have to agree within TOLERANCES, else they
     aren't measured further; how far reduced types are from act in float32 is shown beside their times.
  3. act, then each engine, a process at a time, round by round; the tables show medians over rounds. act works with 24
     heads calibrated, the engines plainly.
The first table has rates, the second act's rate over the engine's.
"""
import argparse
import json
import math
import statistics
import subprocess
import sys
from pathlib import Path

import conversions

HERE = Path(__file__).parent
ROOT = HERE.parent.parent

# Largest difference of a logit from act's in float32, over the five largest of a prompt and the label words of all prompts.
TOLERANCES = {"float32": 0.01, "float16": 0.1}
# llama.cpp keeps its cache in float16 whatever the weights are.
CACHE_TOLERANCE = 0.1


class run:
    """One row: what is started, on which file, in which type."""

    def __init__(self, name, engine, path, kind, against, more=()):
        self.name, self.engine, self.path, self.kind, self.against, self.more = name, engine, path, kind, against, list(more)


def rows(options, work):
    """act's runs and the engines', each made ready. `against` names the act runs that a row is compared with: the first is
    act in float32 on the same weights."""
    model = options.model
    acts, peers = [run("act", None, model, "float32", None)], []
    for compute in options.compute:
        acts.append(run(f"act {compute}", None, model, compute, None, ["--compute", compute]))
    folder = conversions.float32_folder(model, work / "float32")
    wanted = options.engines
    all_acts = [each.name for each in acts]
    if "transformers" in wanted:
        peers.append(run("transformers sdpa float32", "transformers_sdpa", folder, "float32", ["act"]))
    if "ctranslate2" in wanted:
        for kind in ("float32", "int8"):
            path = conversions.ctranslate2_folder(kind)(folder, work / f"ctranslate2-{kind}")
            peers.append(run(f"CTranslate2 {kind}", "ctranslate2", path, kind, ["act"] if kind == "float32" else all_acts))
    if "llama.cpp" in wanted:
        for kind in options.types:
            path = conversions.gguf_of(kind)(model, work / f"{model.stem}-{kind}.gguf")
            on = [run(f"act on {kind}", None, path, kind, None)]
            if kind not in ("F32", "F16"):
                on += [run(f"act {compute} on {kind}", None, path, kind, None, ["--compute", compute])
                       for compute in options.compute]
            acts += on
            peers.append(run(f"llama.cpp {kind}", "llama_cpp", path, {"F32": "float32", "F16": "float16"}.get(kind, kind),
                             [each.name for each in on]))
    if "onnxruntime-genai" in wanted:
        for kind in ("fp32", "int4"):
            try:
                path = conversions.onnx_folder(kind)(folder, work / f"onnx-{kind}")
            except subprocess.CalledProcessError:
                print(f"onnxruntime-genai can't make {kind} of this model: left out", file=sys.stderr, flush=True)
                continue
            peers.append(run(f"onnxruntime-genai {kind}", "onnxruntime_genai", path, "float32" if kind == "fp32" else kind,
                             ["act"] if kind == "fp32" else all_acts))
    if "openvino-genai" in wanted:
        peers.append(run(f"OpenVINO GenAI, {model.name}", "openvino_genai", model, "as stored", all_acts))
    return acts, peers


def start(each, options, tokens, rounds, only=None, shape=()):
    """The lines that one process prints; None where it fails."""
    text, prompts, labels = tokens
    command = ([options.bench] if each.engine is None else [sys.executable, HERE / "run_engine.py", each.engine])
    command += ["--model", each.path, "--text", text, "--prompts", prompts, "--labels", ",".join(map(str, labels)),
                "--threads", options.threads, "--rounds", rounds]
    if each.engine is None:
        command += ["--cache-type", options.cache_type]
    command += [part for work in only or options.only for part in ("--only", work)] + list(shape) + each.more
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode != 0:
        print(f"{each.name} fails: {(done.stderr.strip() or 'without a word').splitlines()[-1]}", file=sys.stderr, flush=True)
        return None
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def answers(lines):
    """The five largest logits of a prompt, label words' logits, and greedy tokens."""
    found = {line["of"]: line for line in lines if line["work"] == "logits"}
    prefill, score = found.get("prefill"), found.get("score")
    return (dict(zip(prefill["top"], prefill["logits"])) if prefill else None, score["plain"] if score else None,
            found["decode"]["greedy"] if "decode" in found else None)


class agreement:
    def __init__(self, act, peer):
        (top, labels, greedy), (peer_top, peer_labels, peer_greedy) = act, peer
        self.difference = None
        if peer_top is not None:
            apart = [abs(top[i] - peer_top[i]) for i in top if i in peer_top]
            apart += [abs(a - b) for one, other in zip(labels, peer_labels) for a, b in zip(one, other)]
            shares_first = next(iter(top)) in peer_top
            self.difference = max(apart) if shares_first and all(map(math.isfinite, apart)) else math.inf
            self.first = next(iter(top)) == next(iter(peer_top))
            same = [max(range(len(one)), key=one.__getitem__) == max(range(len(other)), key=other.__getitem__)
                    for one, other in zip(labels, peer_labels)]
            self.labels = sum(same) / len(same)
        else:
            self.first, self.labels = greedy[0] == peer_greedy[0], None

    def holds(self, kind, engine):
        limit = TOLERANCES.get(kind)
        if limit is None or self.difference is None:
            return True  # shown, not judged
        return self.difference <= max(limit, CACHE_TOLERANCE if engine == "llama_cpp" else 0)

    def text(self):
        if self.difference is None:
            return "tokens only: the first is the same" if self.first else "tokens only: the first differs"
        return f"largest difference {self.difference:.2g}, same label {100 * self.labels:.0f} %"


def cells(lines):
    """Rates by kind of work, and load time and memory."""
    found = {}
    for line in lines:
        if line["work"] == "prefill":
            found[f"prefill {line['tokens']}, tokens/s"] = line.get("calibrated_rate", line["plain_rate"])
        if line["work"] == "decode":
            found[f"decode at {line['context']}, tokens/s"] = line.get("calibrated_rate", line["plain_rate"])
        if line["work"] == "score":
            found["score, samples/s"] = line.get("calibrated_rate", line["plain_rate"])
        if line["work"] == "model":
            found["load, s"] = line["load_seconds"]
        if line["work"] == "memory":
            found["peak, MB"] = line["peak_bytes"] / 1e6
    return found


def medians_of(rounds):
    """Of each cell over the rounds that have it."""
    keys = dict.fromkeys(key for each in rounds for key in each)
    return {key: statistics.median(each[key] for each in rounds if key in each) for key in keys}


def row(columns):
    print("| " + " | ".join(columns) + " |", flush=True)


def table(title, columns):
    print(f"\n{title}\n")
    row(columns)
    row(["---"] * len(columns))


def number(value):
    return "" if value is None else f"{value:,.0f}" if value >= 200 else f"{value:.3g}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="a GGUF file")
    parser.add_argument("--work", type=Path, required=True, help="folder for what is converted; a few GB")
    parser.add_argument("--bench", type=Path, default=ROOT / "build/native/bench/act_runtime_bench")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3, help="processes of each row; the figure is the median")
    parser.add_argument("--within", type=int, default=3, help="repetitions within a process")
    parser.add_argument("--engines", nargs="+", choices=("transformers", "ctranslate2", "llama.cpp", "onnxruntime-genai",
                                                         "openvino-genai"),
                        default=["transformers", "ctranslate2", "llama.cpp"])
    parser.add_argument("--types", nargs="+", choices=conversions.FILE_TYPES, default=list(conversions.FILE_TYPES),
                        help="of llama.cpp's files")
    parser.add_argument("--compute", nargs="+", default=[], help="act with --compute too, set against reduced types")
    parser.add_argument("--only", nargs="+", choices=("prefill", "decode", "score"), default=["prefill", "decode", "score"])
    parser.add_argument("--prefill", default="64,256,1024")
    parser.add_argument("--decode", default="256,2048")
    parser.add_argument("--steps", default="32")
    parser.add_argument("--cache-type", choices=("f32", "f16"), default="f32",
                        help="in what act keeps keys and values; llama.cpp's cache is float16")
    parser.add_argument("--sentences", type=Path, default=ROOT / "examples/demo/sentiment-test.tsv",
                        help="a TSV file with a head, sentences first")
    parser.add_argument("--samples", type=int, default=64)
    parser.add_argument("--check-only", action="store_true", help="compare answers, measure nothing")
    options = parser.parse_args()
    if not options.bench.exists():
        parser.error(f"{options.bench} isn't there: build act_runtime_bench, or name it with --bench")

    work = options.work / options.model.stem
    work.mkdir(parents=True, exist_ok=True)
    acts, peers = rows(options, work)
    sentences = [line.split("\t")[0] for line in options.sentences.read_text().splitlines()[1:options.samples + 1]]
    text = "\n".join(path.read_text() for path in sorted((ROOT / "docs").glob("*.md")))
    tokens = conversions.tokens_of(work / "float32", text, sentences, work)

    small = ["--prefill", "64", "--decode", "64", "--steps", "4"]
    references = {}
    for each in acts:
        lines = start(each, options, tokens, 1, ["prefill", "decode", "score"], small + ["--heads", "0"])
        if lines is None:
            return 1
        references[each.name] = answers(lines)
    print("Answers, against act in float32 on the same weights\n")
    row(["engine", "against", "answers"])
    row(["---"] * 3)
    agreeing = []
    for each in peers:
        against = each.against[0]
        lines = start(each, options, tokens, 1, ["prefill", "decode", "score"], small)
        if lines is None:
            row([each.name, against, "it fails"])
            continue
        found = agreement(references[against], answers(lines))
        holds = found.holds(each.kind, each.engine)
        row([each.name, against, found.text() + ("" if holds else ": **they disagree**, not measured")])
        if holds:
            agreeing.append(each)
    if options.check_only:
        return 0

    shape = ["--prefill", options.prefill, "--decode", options.decode, "--steps", options.steps]
    measured = {each.name: [] for each in acts + agreeing}
    for number_of_round in range(options.rounds):
        print(f"round {number_of_round + 1} of {options.rounds}", file=sys.stderr, flush=True)
        for each in acts + agreeing:
            lines = start(each, options, tokens, options.within, None, shape)
            if lines is not None:
                measured[each.name].append(cells(lines))
    medians = {name: medians_of(found) for name, found in measured.items() if found}
    columns = [key for key in medians["act"] if key not in ("load, s", "peak, MB")]
    table(f"{options.model.name}, {options.threads} threads, medians of {options.rounds} rounds of {options.within}; act with "
          "24 heads calibrated", ["engine", *columns, "load, s", "peak, MB"])
    for name, found in medians.items():
        row([name] + [number(found.get(key)) for key in [*columns, "load, s", "peak, MB"]])
    table("act's rate over the engine's", ["engine", "against", *columns])
    for each in agreeing:
        for against in each.against if each.name in medians else []:
            mine, theirs = medians[against], medians[each.name]
            row([each.name, against] + [f"{mine[key] / theirs[key]:.2f}" if key in mine and key in theirs else "" for key in columns])
    return 0


if __name__ == "__main__":
    sys.exit(main())
