#!/usr/bin/env python3
"""Makes squad_metrics.json: normalised answers, exact match and F1 by the definitions of SQuAD's two official scripts, with
Python's own lower(), re and split(). Run it in this folder; it needs no package."""

import collections
import json
import pathlib
import re
import string


def normalize(text):
    text = "".join(c for c in text.lower() if c not in string.punctuation)
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())


def shared_words(prediction, gold):
    return sum((collections.Counter(normalize(prediction).split()) & collections.Counter(normalize(gold).split())).values())


def harmonic(prediction, gold):
    shared, said, right = shared_words(prediction, gold), len(normalize(prediction).split()), len(normalize(gold).split())
    return 2 * (shared / said) * (shared / right) / (shared / said + shared / right)


def exact(prediction, gold):
    return float(normalize(prediction) == normalize(gold))


def f1_of_1_1(prediction, gold):
    """evaluate-v1.1.py: no shared word is 0, whatever the texts are."""
    return harmonic(prediction, gold) if shared_words(prediction, gold) else 0.0


def f1_of_2_0(prediction, gold):
    """evaluate-v2.0.py: where either text has no word, whether both have none."""
    if not normalize(prediction).split() or not normalize(gold).split():
        return float(normalize(prediction).split() == normalize(gold).split())
    return f1_of_1_1(prediction, gold)


def question_of_1_1(prediction, golds):
    return {"exact": max(exact(prediction, g) for g in golds), "f1": max(f1_of_1_1(prediction, g) for g in golds)}


def question_of_2_0(prediction, golds):
    """Gold answers that normalise to nothing are left out; without any, the answer is the empty text. The prompt asks to
    say "Not in background.", which stands for the empty prediction of the script's file."""
    if normalize(prediction) == "not in background":
        prediction = ""
    golds = [g for g in golds if normalize(g)] or [""]
    return {"exact": max(exact(prediction, g) for g in golds), "f1": max(f1_of_2_0(prediction, g) for g in golds)}


TEXTS = ["", "The", "A cat and THE hat", "theatre an anthem a.b.c.", "U.S.A.", "  spaced\t out\nlines ", "the-end", "a—b",
         "ÉCOLE Über STRAßE", "Ωμέγα Альфа", "naïve a\u0301ccent", "a\u00a0the b", "“the quoted”", "don't", "$3.50 a day",
         "3,000", "_under_ the_score", "日本 the 東京", "the\u2028end", "A", "an an an", "THE THE x THE"]
PAIRS = [("two mills", "two"), ("the two mills", "two mills"), ("two two mills", "two"), ("two", "two two mills"),
         ("1901", "1901."), ("in 1901", "1902"), ("", ""), ("the", "a"), ("the", "x"), ("x", "an"),
         ("a b c d", "d c b"), ("Éa", "éa"), ("it is not in background", "in the background"),
         ("", "two"), ("two", ""), ("a", "the"), ("The", "an"), (".", "the"), ("not in background", "background")]
# One prediction, several gold answers; without any, a question of version 2.0 that has no answer.
QUESTIONS = [("two", ["the two mills", "two"]), ("two big", ["the two mills", "two"]), ("the", ["a", "two"]), ("", ["the", "two"]),
             ("Not in background.", ["two"]), ("", ["two", "three"]), ("the an", ["A"]), ("two", ["the", "two mills"]),
             ("two", ["the"]), ("Not in background", ["the"])]
UNANSWERABLE = ["", "the", "Not in background.", "two", "not in the background", ".", "it is not in background"]
pathlib.Path("squad_metrics.json").write_text(json.dumps({
    "normalized": [{"text": t, "normalized": normalize(t)} for t in TEXTS],
    "questions": {
        "1.1": [{"prediction": p, "gold": g, **question_of_1_1(p, g)} for p, g in QUESTIONS + [(p, [g]) for p, g in PAIRS]],
        "2.0": [{"prediction": p, "gold": g, **question_of_2_0(p, g)}
                for p, g in QUESTIONS + [(p, [g]) for p, g in PAIRS] + [(p, []) for p in UNANSWERABLE]]}}, indent=1) + "\n")
