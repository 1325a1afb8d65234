"""UniBias's choice of heads (arXiv:2405.20612) on tiny checkpoints, in plain PyTorch and Python by the published definitions.

    python make_unibias.py

writes unibias.json beside this script. Needs torch and transformers 5.x. `transformers` runs the models; what each head adds
to the residual stream is taken from the input of its layer's output matrix, masked heads are attention modules' outputs with
zeros in it. Nothing here is shared with the C++ library, and the authors' code isn't used. What it says of the method:

  * a head's label logits are its output through its columns of the output matrix, times the label's row of the vocabulary's
    matrix: no norm, no softmax. Of several tokens that say a label the largest counts.
  * related: sum over labels of |mean over samples|, over the same of the layer's input, and above 0.2 itself;
    biased: mean over labels of |m - mean| / |m|, m the labels' mean; steady: deviation (n - 1) over mean of each label, weighted
    by its |mean|.
  * the grid: bias 0.1 .. 0.5, relatedness 0.02, 0.05, 0.1, 0.15, 0.2, variation 0.1 .. 0.25
  * of each set that comes out, and none: the labels' probabilities (softmax over the vocabulary) with it masked, as means over
    samples; the smallest mean of |log m - log p| wins among those whose sum is over 0.95 of the plain one.

Where attention's branch is normalised before it is added (Gemma 3, OLMo 2) the published method, made for Llama, says nothing:
a head's part is its output times weight and 1 / rms of the whole branch, so that the parts add up to what is added.
"""

from __future__ import annotations

import json
import math
import pathlib
import statistics

import torch
from transformers import AutoModelForCausalLM

HERE = pathlib.Path(__file__).resolve().parent
PARITY = HERE.parent / "parity"


class Seen:
    """Hooks on a model: what its layers read and what goes into their output matrices; heads to be masked."""

    def __init__(self, model, layers, output_matrix, branch_norm):
        self.model, self.layers = model.requires_grad_(False), layers
        self.branch_norm = branch_norm
        self.read, self.made, self.masked = [], [], set()
        config = model.config
        self.heads = config.num_attention_heads
        self.matrices = [output_matrix(layer) for layer in layers]
        self.width = self.matrices[0].weight.shape[1] // self.heads
        for number, layer in enumerate(layers):
            layer.register_forward_pre_hook(self.look(number), with_kwargs=True)
            self.matrices[number].register_forward_pre_hook(self.mask(number))

    def look(self, number):
        def hook(_, positional, named):
            hidden = positional[0] if positional else named["hidden_states"]
            self.read.append(hidden[0, -1].double())
        return hook

    def mask(self, number):
        def hook(_, positional):
            attention = positional[0].clone()
            for layer, head in self.masked:
                if layer == number:
                    attention[..., head * self.width:(head + 1) * self.width] = 0
            self.made.append(attention[0, -1].double())
            return (attention,)
        return hook

    def run(self, tokens, masked=()):
        self.read, self.made, self.masked = [], [], set(masked)
        with torch.no_grad():
            return self.model(torch.tensor([tokens])).logits[0, -1].double()

    def parts(self, number):
        """What each head adds, [heads, hidden]."""
        weight = self.matrices[number].weight.detach().double()
        parts = torch.stack([weight[:, h * self.width:(h + 1) * self.width]
                             @ self.made[number][h * self.width:(h + 1) * self.width] for h in range(self.heads)])
        norm = self.branch_norm(self.layers[number])
        if norm is None:
            return parts
        branch = parts.sum(0)
        scale = norm.scale / (branch.square().mean() + norm.epsilon).sqrt()
        with torch.no_grad():
            added = norm.module(branch.float()).double()
        assert torch.allclose((parts * scale).sum(0), added, rtol=1e-4, atol=1e-6)
        return parts * scale


class BranchNorm:
    def __init__(self, module, scale, epsilon):
        self.module, self.scale, self.epsilon = module, scale.detach().double(), epsilon


def largest(numbers, labels):
    return [max(float(numbers[token]) for token in label) for label in labels]


def means(samples):
    return [statistics.fmean(column) for column in zip(*samples)]


def criteria(head, read):
    mean, count = means(head), len(head[0])
    total = sum(abs(m) for m in mean)
    middle = sum(mean) / count
    spread = [statistics.stdev([sample[label] for sample in head]) for label in range(count)]
    return {
        "logits": total,
        "relatedness": total / sum(abs(m) for m in means(read)),
        "bias": sum(abs((middle - m) / middle) for m in mean) / count,
        "variation": sum(abs(m) / total * abs(s / m) for m, s in zip(mean, spread)),
    }


def unevenness(probabilities):
    middle = sum(probabilities) / len(probabilities)
    return sum(abs(math.log(middle) - math.log(p)) for p in probabilities) / len(probabilities)


def chosen(seen, vocabulary, prompts, labels, first, end):
    heads, read = {}, {}
    for tokens in prompts:
        seen.run(tokens)
        for number in range(first, end):
            read.setdefault(number, []).append(largest(vocabulary @ seen.read[number], labels))
            for head, part in enumerate(seen.parts(number)):
                heads.setdefault((number, head), []).append(largest(vocabulary @ part, labels))
    found = [dict(layer=number, head=head, **criteria(heads[number, head], read[number])) for number, head in sorted(heads)]
    sets, thresholds = [[]], [[0, 0, 0]]
    biases, relations, variations = (0.1, 0.2, 0.3, 0.4, 0.5), (0.02, 0.05, 0.1, 0.15, 0.2), (0.1, 0.15, 0.2, 0.25)
    for name, grid in (("bias", biases), ("relatedness", relations), ("variation", variations), ("logits", (0.2,))):
        assert all(abs(h[name] - each) > 1e-3 * each for h in found for each in grid), "too near a threshold for float32"
    for bias in biases:
        for related in relations:
            for variation in variations:
                biased = [[h["layer"], h["head"]] for h in found
                          if h["logits"] > 0.2 and h["relatedness"] > related and h["bias"] > bias
                          and h["variation"] < variation]
                if biased not in sets:
                    sets.append(biased)
                    thresholds.append([bias, related, variation])
    probabilities = []
    for each in sets:
        probabilities.append(means([largest(torch.softmax(seen.run(tokens, [tuple(h) for h in each]), -1), labels)
                                    for tokens in prompts]))
    kept = [i for i, p in enumerate(probabilities) if i == 0 or sum(p) > 0.95 * sum(probabilities[0])]
    best = min(kept, key=lambda i: unevenness(probabilities[i]))
    return {"heads": found, "sets": sets, "thresholds": thresholds, "probabilities": probabilities,
            "bias": [unevenness(p) for p in probabilities], "kept": kept, "chosen": best}


def prompts_of(vocabulary_size, seed, count=5):
    """Prompts that differ in some tokens only, as a task's do."""
    draw = torch.Generator().manual_seed(seed)
    token = lambda n: torch.randint(3, vocabulary_size, (n,), generator=draw).tolist()
    before, after = token(5), token(20)
    return [before + token(3 + i) + after for i in range(count)]


CASES = [  # folder, seed of the prompts, labels (each the tokens that say it); both with rejected sets and without
    ("families/llama/base", 0, [[30], [15, 27]]),
    ("families/llama/base", 12, [[18], [11, 24]]),
    ("families/gemma3/base", 51, [[10], [29]]),
    ("families/gemma3/base", 52, [[11], [4], [31, 26]]),
    ("tiny-opt-prenorm", 14, [[16], [70], [34], [37]]),
    ("tiny-opt-prenorm", 33, [[24], [32]]),
]


def main():
    made = []
    for folder, seed, labels in CASES:
        model = AutoModelForCausalLM.from_pretrained(PARITY / folder, dtype=torch.float32, attn_implementation="eager")
        model.eval()
        opt = model.config.model_type == "opt"
        decoder = model.model.decoder if opt else getattr(model.model, "language_model", model.model)
        gemma = model.config.model_type.startswith("gemma3")
        text = getattr(model.config, "text_config", model.config)
        model.config.num_attention_heads = text.num_attention_heads
        branch = lambda layer: BranchNorm(layer.post_attention_layernorm, 1 + layer.post_attention_layernorm.weight,
                                          text.rms_norm_eps) if gemma else None
        seen = Seen(model, decoder.layers, lambda layer: layer.self_attn.out_proj if opt else layer.self_attn.o_proj, branch)
        vocabulary = model.get_output_embeddings().weight.detach().double()
        prompts = prompts_of(len(vocabulary), seed)
        result = chosen(seen, vocabulary, prompts, labels, 0, len(decoder.layers))
        print(folder, len(result["sets"]), "sets", len(result["kept"]), "kept, masks", result["sets"][result["chosen"]])
        made.append({"model": folder, "labels": labels, "prompts": prompts, **result})
    text = json.dumps({"models": made}, separators=(",", ":"))
    (HERE / "unibias.json").write_text(text.replace('{"model"', '\n{"model"').replace('{"layer"', '\n {"layer"') + "\n")


if __name__ == "__main__":
    main()
