#!/usr/bin/env python3
"""Makes squad_metrics.json: normalised answers, exact match and F1 by the definitions of the SQuAD evaluation, with
Python's own lower(), re and split(). Run it in this folder; it needs no package."""

import collections
import json
import pathlib
import re
import string


def normalize(text):
    text = "".join(c for c in text.lower() if c not in string.punctuation)
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())


def f1(prediction, gold):
    said, right = normalize(prediction).split(), normalize(gold).split()
    if not said or not right:
        return float(said == right)
    shared = sum((collections.Counter(said) & collections.Counter(right)).values())
    if shared == 0:
        return 0.0
    precision, recall = shared / len(said), shared / len(right)
    return 2 * precision * recall / (precision + recall)


TEXTS = ["", "The", "A cat and THE hat", "theatre an anthem a.b.c.", "U.S.A.", "  spaced\t out\nlines ", "the-end", "a—b",
         "ÉCOLE Über STRAßE", "Ωμέγα Альфа", "naïve a\u0301ccent", "a\u00a0the b", "“the quoted”", "don't", "$3.50 a day",
         "3,000", "_under_ the_score", "日本 the 東京", "the\u2028end", "A", "an an an", "THE THE x THE"]
PAIRS = [("two mills", "two"), ("the two mills", "two mills"), ("two two mills", "two"), ("two", "two two mills"),
         ("1901", "1901."), ("in 1901", "1902"), ("", ""), ("the", "a"), ("the", "x"), ("x", "an"),
         ("a b c d", "d c b"), ("Éa", "éa"), ("it is not in background", "in the background")]
pathlib.Path("squad_metrics.json").write_text(json.dumps({
    "normalized": [{"text": t, "normalized": normalize(t)} for t in TEXTS],
    "scores": [{"prediction": p, "gold": g, "exact": float(normalize(p) == normalize(g)), "f1": f1(p, g)}
               for p, g in PAIRS]}, indent=1) + "\n")
