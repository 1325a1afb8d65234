"""A task of lm-eval out of what act-eval asked: the same prompts and answers, to the byte.

    python make_task.py samples.jsonl folder

Reads a file of `act-eval --export lm-eval:...` and writes folder/NAME.jsonl ({"prompt", "options", "label"} a line,
which `act-eval --task jsonl` reads too) and folder/NAME.yaml, with NAME = act_TASK of samples_TASK.jsonl.
"""
import argparse
import json
import pathlib

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("samples", type=pathlib.Path, metavar="samples.jsonl")
parser.add_argument("folder", type=pathlib.Path)
asked = parser.parse_args()
samples, folder = asked.samples, asked.folder.resolve()
name = "act_" + samples.stem.removeprefix("samples_")
lines = []
try:
    with open(samples, encoding="utf-8") as file:
        for line in file:
            sample = json.loads(line)
            arguments = sample["arguments"]
            pairs = [arguments[f"gen_args_{k}"] for k in range(len(arguments))]
            lines.append(json.dumps({"prompt": pairs[0]["arg_0"], "options": [each["arg_1"] for each in pairs],
                                     "label": int(sample["target"])}) + "\n")
except (OSError, ValueError, KeyError, TypeError) as error:
    raise SystemExit(f"{samples}: isn't a file of act-eval --export lm-eval:...: {error!r}")
if not lines:
    raise SystemExit(f"{samples}: holds no samples")
folder.mkdir(parents=True, exist_ok=True)
data = folder / f"{name}.jsonl"
data.write_text("".join(lines), encoding="utf-8")
(folder / f"{name}.yaml").write_text(f"""task: {name}
dataset_path: json
dataset_kwargs:
  data_files:
    test: {data}
test_split: test
output_type: multiple_choice
doc_to_text: "{{{{prompt}}}}"
doc_to_choice: options
doc_to_target: label
target_delimiter: ""
metric_list:
  - metric: acc
    aggregation: mean
    higher_is_better: true
""")
print(name)
