"""Do two files of log-likelihoods say the same of each sample?

    python agree.py A.jsonl B.jsonl [tolerance]

Each is lm-eval's --log_samples or act-eval --export lm-eval:..., of the same samples by doc_id. Prints the largest
difference of an answer's log-likelihood and how many predictions differ; fails beyond the tolerance (1e-3).
"""
import json
import sys


def read(path):
    samples = {}
    for line in open(path, encoding="utf-8"):
        sample = json.loads(line)
        samples[sample["doc_id"]] = [float(each[0]) for each in sample["filtered_resps"]]
    return samples


a, b = read(sys.argv[1]), read(sys.argv[2])
tolerance = float(sys.argv[3]) if len(sys.argv) > 3 else 1e-3
assert a.keys() == b.keys() and a, "not the same samples"
largest = max(abs(x - y) for each in a for x, y in zip(a[each], b[each], strict=True))
answers = [(max(range(len(a[each])), key=a[each].__getitem__), max(range(len(b[each])), key=b[each].__getitem__))
           for each in a]
differ = sum(x != y for x, y in answers)
print(f"{len(a)} samples: the largest difference of a log-likelihood is {largest:.2g}; {differ} predictions differ")
sys.exit(largest > tolerance or differ > 0)
