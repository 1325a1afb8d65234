#!/usr/bin/env python3
"""Records where a model's sinks are on plain text, for the benchmarks' `real` profile.

  bench/sink_profiles/record.py --inspect build/native/examples/act-inspect \\
      --model models/SmolLM2-135M-Instruct.Q4_1.gguf --text TEXT > bench/sink_profiles/smollm2.txt

TEXT is any file of prose. For each length the text is cut to as many tokens (`--lengths`), and 32 heads, spread evenly over
all of them, are kept. A line of the output is "tokens position position ...": one head of a prompt of so many tokens.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile


def sinks_of(arguments, text, folder):
    prompt, result = folder / "prompt.txt", folder / "sinks.json"
    prompt.write_text(text)
    subprocess.run([arguments.inspect, "--model", arguments.model, "--prompt-file", prompt, "--json", result, "--quiet"],
                   check=True, stdout=subprocess.DEVNULL)
    return json.loads(result.read_text())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inspect", required=True, help="the act-inspect program")
    parser.add_argument("--model", required=True)
    parser.add_argument("--text", required=True, type=pathlib.Path, help="a file of prose")
    parser.add_argument("--lengths", nargs="+", type=int, default=[128, 512, 1024, 2048])
    arguments = parser.parse_args()
    text = arguments.text.read_text()
    print(f"# Sinks of 32 heads of {pathlib.Path(arguments.model).stem} on plain text, by record.py: tokens, positions")
    with tempfile.TemporaryDirectory() as name:
        for length in arguments.lengths:
            characters = 4 * length
            for _ in range(50):
                found = sinks_of(arguments, text[:characters], pathlib.Path(name))
                missing = length - found["tokens"]
                if missing == 0:
                    break
                # A step of about as many tokens as are missing; at least a character, to come to an end.
                step = missing * characters // max(found["tokens"], 1) // 2 or (1 if missing > 0 else -1)
                characters += step
                if not 0 < characters <= len(text):
                    sys.exit(f"{arguments.text}: has fewer than {length} tokens; give a longer text")
            else:
                sys.exit(f"{arguments.text}: no beginning of it has exactly {length} tokens; give another text")
            heads = {}
            for sink in found["sinks"]:
                heads.setdefault((sink["layer"], sink["head"]), []).append(sink["position"])
            count = found["layers"] * found["heads_per_layer"]
            for number in range(32):
                which = divmod(number * count // 32, found["heads_per_layer"])
                print(length, *sorted(heads.get(which, [])))


main()
