"""Do two files of log-likelihoods say the same of each sample?

    python agree.py A.jsonl B.jsonl [tolerance]

Each is lm-eval's --log_samples or act-eval --export lm-eval:..., of the same samples by doc_id. Prints the largest
difference of an answer's log-likelihood and how many predictions differ; fails beyond the tolerance (1e-3).
"""
import argparse
import json
import sys


def read(path):
    samples = {}
    try:
        with open(path, encoding="utf-8") as file:
            for line in file:
                sample = json.loads(line)
                samples[sample["doc_id"]] = [float(each[0]) for each in sample["filtered_resps"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        sys.exit(f"{path}: isn't a file of lm-eval's samples: {error!r}")
    return samples


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("a", metavar="A.jsonl")
parser.add_argument("b", metavar="B.jsonl")
parser.add_argument("tolerance", nargs="?", type=float, default=1e-3)
asked = parser.parse_args()
a, b = read(asked.a), read(asked.b)
if not a or a.keys() != b.keys() or any(len(a[each]) != len(b[each]) for each in a):
    sys.exit(f"{asked.a} and {asked.b}: not the same samples and answers")
largest = max(abs(x - y) for each in a for x, y in zip(a[each], b[each], strict=True))
answers = [(max(range(len(a[each])), key=a[each].__getitem__), max(range(len(b[each])), key=b[each].__getitem__))
           for each in a]
differ = sum(x != y for x, y in answers)
print(f"{len(a)} samples: the largest difference of a log-likelihood is {largest:.2g}; {differ} predictions differ")
sys.exit(not largest <= asked.tolerance or differ > 0)
