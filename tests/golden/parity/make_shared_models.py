"""What `transformers` computes with three small trained checkpoints that aren't stored here.

    python make_shared_models.py FOLDER

FOLDER holds stories260K-llama, stories-xs-llama and slm4096-gpt2 (Hugging Face layout). Writes one JSON file of
each name beside this script: prompts (ours) as text and ids, kept logits plain and calibrated, sinks. None of the
checkpoints' data goes into them.
"""

from __future__ import annotations

import json
import pathlib
import sys

import act_reference as act
import sentencepiece
from make_tiny_folders import load
from make_tiny_llama import head_set_cases, report

HERE = pathlib.Path(__file__).resolve().parent

STORIES = [
    "Once upon a time",
    "Tom had a big blue kite. One day the wind was strong and the kite",
    "Mia and her dog went to the pond. They saw a frog on a rock. The frog said, \"Do you want to jump with me?\" Mia "
    "was not sure. She looked at the water. It was green and cold. The dog barked and ran in first. Then Mia laughed "
    "and jumped too. They splashed and played until",
    "There was an old bus in the park. It had no wheels and no driver, but the children liked it very much. Every day "
    "they sat inside and took turns to drive. \"Next stop, the moon!\" said Ben. \"Next stop, the sea!\" said Anna. One "
    "morning a bird made a nest on the big wheel. The children had to be very quiet. They whispered, and the bus went "
    "to quiet places: a forest, a cloud, a sleepy town. After some weeks the little birds could fly. The children "
    "clapped, and the bus was loud again. That night, the",
]
PAGES = [
    "A small model",
    "What is a token? A token is",
    "Q: How does a model learn a page of text? A: It reads the page again and again, and guesses the next",
]


MARGIN = 2e-5


def kept_ids(model, tokens, top=24, stride=4) -> list[int]:
    kept = set(range(0, model.config.vocab_size, stride))
    for ids in tokens:
        kept.update(act.run(model, ids).logits.topk(min(top, model.config.vocab_size)).indices.tolist())
    return sorted(kept)


def calibrations(name: str, model) -> list[dict]:
    cases = head_set_cases(model.config.num_hidden_layers, model.config.num_attention_heads)
    for case in cases:
        # Saturated heads have scores of exactly 1 / 10 and 3 / 20: keep the thresholds off such fractions.
        if "tau" in case["options"]:
            case["options"]["tau"] += 0.0013
        if "alpha" in case["options"]:
            case["options"]["alpha"] += 0.013
    if name == "stories-xs-llama":
        # Rows without any recipient: NaN in the authors' code, nothing to agree with.
        cases = [case for case in cases if case["options"].get("compatibility") != "authors"]
    return cases


def clear_prompt(model, encode, text: str, cases, kept) -> dict:
    """The golden entry of the text, cut at a word until no decision is within MARGIN of flipping."""
    words = text.split(" ")
    for length in range(len(words), 1, -1):
        cut = " ".join(words[:length])
        entry, margin = act.golden_prompt(model, encode(cut), cases, keep=kept)
        if margin > MARGIN:
            return {"text": cut, **entry, "margin": float(f"{min(margin, 1e9):.3g}")}
    raise RuntimeError(f"no beginning of {text[:30]!r}... is clear of every threshold by {MARGIN}")


def main():
    shared = pathlib.Path(sys.argv[1])
    for name in ("stories260K-llama", "stories-xs-llama", "slm4096-gpt2"):
        folder = shared / name
        model = load(folder)
        if name.endswith("gpt2"):
            vocabulary = json.loads((folder / "char_vocab.json").read_text(encoding="utf-8"))
            texts, encode = PAGES, lambda text: [vocabulary[c] for c in text]
        else:
            processor = sentencepiece.SentencePieceProcessor(model_file=str(folder / "tokenizer.model"))
            texts, encode = STORIES, lambda text: [processor.bos_id()] + processor.encode(text)
        cases = calibrations(name, model)
        # The context of stories-xs-llama is 256 tokens.
        texts = [text for text in texts if len(encode(text)) <= model.config.max_position_embeddings]
        kept = kept_ids(model, [encode(text) for text in texts])
        act.check_plain(model, encode(texts[-1]))
        prompts = [clear_prompt(model, encode, text, cases, kept) for text in texts]
        document = {"model": name, "versions": act.versions(), "cases": cases, "kept": kept, "prompts": prompts}
        act.write_json(HERE / f"{name}.json", document)
        report(name, prompts)


if __name__ == "__main__":
    main()
