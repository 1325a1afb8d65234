"""A task of lm-eval out of what act-eval asked: the same prompts and answers, to the byte.

    python make_task.py samples.jsonl folder

Reads a file of `act-eval --export lm-eval:...` and writes folder/NAME.jsonl ({"prompt", "options", "label"} a line,
which `act-eval --task jsonl` reads too) and folder/NAME.yaml, with NAME = act_TASK of samples_TASK.jsonl.
"""
import json
import pathlib
import sys

samples, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]).resolve()
name = "act_" + samples.stem.removeprefix("samples_")
folder.mkdir(parents=True, exist_ok=True)
data = folder / f"{name}.jsonl"
with open(data, "w", encoding="utf-8") as out:
    for line in open(samples, encoding="utf-8"):
        sample = json.loads(line)
        asked = sample["arguments"]
        pairs = [asked[f"gen_args_{k}"] for k in range(len(asked))]
        out.write(json.dumps({"prompt": pairs[0]["arg_0"], "options": [each["arg_1"] for each in pairs],
                              "label": int(sample["target"])}) + "\n")
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
