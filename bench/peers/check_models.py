#!/usr/bin/env python3
"""What models.py judges and tells, on lines as the programs print them. Plain Python; a test runs it."""
import unittest

import models


def lines(logits, labels, greedy):
    return [{"work": "logits", "of": "prefill", "tokens": 64, "top": [7, 3, 5, 1, 2], "logits": logits},
            {"work": "logits", "of": "decode", "context": 64, "greedy": greedy},
            {"work": "logits", "of": "score", "labels": [4, 6], "plain": labels}]


ACT = models.answers(lines([9.0, 8, 7, 6, 5], [[1.0, 2.0], [3.0, 1.0]], [7, 3]))


class judgement(unittest.TestCase):
    def of(self, logits, labels):
        return models.agreement(ACT, models.answers(lines(logits, labels, [7, 3])))

    def test_float32_within_rounding_agrees(self):
        found = self.of([9.001, 8, 7, 6, 5], [[1.0, 2.005], [3.0, 1.0]])
        self.assertAlmostEqual(found.difference, 0.005)
        self.assertTrue(found.holds("float32", "ctranslate2"))

    def test_one_logit_apart_disagrees(self):
        for logits, labels in (([9, 8, 7, 6, 5.02], [[1.0, 2.0], [3.0, 1.0]]), ([9, 8, 7, 6, 5], [[1.0, 2.0], [3.0, 1.02]])):
            self.assertFalse(self.of(logits, labels).holds("float32", "ctranslate2"))
            self.assertTrue(self.of(logits, labels).holds("float16", "ctranslate2"))
            self.assertTrue(self.of(logits, labels).holds("float32", "llama_cpp"))

    def test_a_wrong_answer_disagrees_in_float16_too(self):
        self.assertFalse(self.of([9, 8, 7, 6, 5], [[2.0, 1.0], [3.0, 1.0]]).holds("float16", "llama_cpp"))

    def test_reduced_types_are_told_and_not_judged(self):
        found = self.of([9, 8, 7, 6, 5], [[2.5, 2.0], [3.0, 1.0]])
        self.assertTrue(found.holds("int8", "ctranslate2"))
        self.assertEqual(found.text(), "largest difference 1.5, same label 50 %")

    def test_logits_that_are_no_numbers_disagree(self):
        self.assertFalse(self.of([float("nan"), 8, 7, 6, 5], [[1.0, 2.0], [3.0, 1.0]]).holds("float32", "ctranslate2"))
        self.assertFalse(self.of([9, 8, 7, 6, 5], [[1.0, float("nan")], [3.0, 1.0]]).holds("float32", "ctranslate2"))

    def test_other_tokens_disagree_whatever_the_labels_say(self):
        peer = lines([9.0, 8, 7, 6, 5], [[1.0, 2.0], [3.0, 1.0]], [8])
        peer[0]["top"] = [8, 9, 10, 11, 12]
        self.assertFalse(models.agreement(ACT, models.answers(peer)).holds("float32", "ctranslate2"))

    def test_an_engine_without_logits_is_told_by_its_tokens(self):
        only_tokens = models.answers([{"work": "logits", "of": "decode", "context": 64, "greedy": [5]}])
        self.assertEqual(models.agreement(ACT, only_tokens).text(), "tokens only: the first differs")


class rates(unittest.TestCase):
    def test_act_counts_calibrated(self):
        found = models.cells([{"work": "prefill", "tokens": 64, "plain_rate": 100, "calibrated_rate": 90},
                              {"work": "decode", "context": 256, "plain_rate": 30},
                              {"work": "memory", "peak_bytes": 1_000_000}, {"work": "memory", "peak_bytes": 3_000_000}])
        self.assertEqual(found, {"prefill 64, tokens/s": 90, "decode at 256, tokens/s": 30, "peak, MB": 3})

    def test_a_cell_that_a_round_lacks_is_of_the_others(self):
        self.assertEqual(models.medians_of([{"a": 1}, {"a": 3, "b": 5}, {"a": 7}]), {"a": 3, "b": 5})


if __name__ == "__main__":
    unittest.main()
