"""What the rivals of ACT make of a model's last logits, in plain PyTorch, each by its paper's own arithmetic.

    python make_rivals.py [PATH/SmolLM2-135M-Instruct.Q4_1.gguf]

writes tiny.json beside this script, and smollm2.json where the real checkpoint is given. Needs torch, transformers 5.x
and, for the latter, gguf. `transformers` runs the model with an attention function of ours; nothing here is shared with
the C++ library, and no rival's code is used:

  zerotuning   (arXiv:2505.11739) a softmaxed row's first weight times gamma, then the row divided by its sum
  pasta        (arXiv:2311.02262) ln(alpha) is added to the scores of every key outside of the span, before the softmax
  instaboost   (arXiv:2506.13734) a softmaxed row's weights in the span times M, then the row divided by its sum
  mask         the head's output is 0, whatever its weights are
"""

from __future__ import annotations

import json
import math
import pathlib
import sys

import torch
from transformers import AttentionInterface, AttentionMaskInterface, AutoModelForCausalLM
from transformers.masking_utils import eager_mask

HERE = pathlib.Path(__file__).resolve().parent
PARITY = HERE.parent / "parity"

current = {"case": None, "span": []}


def attend(module, query, key, value, attention_mask, scaling=None, **_):
    groups = query.shape[1] // key.shape[1]
    key = key.repeat_interleave(groups, dim=1)
    value = value.repeat_interleave(groups, dim=1)
    scaling = query.shape[-1] ** -0.5 if scaling is None else scaling
    scores = query @ key.transpose(2, 3) * scaling
    n = scores.shape[-1]
    future = torch.full((n, n), -torch.inf).triu(1)
    scores = scores + future
    case, span = current["case"], current["span"]
    weights = torch.softmax(scores, dim=-1)
    outputs = weights @ value
    for layer, head in case["heads"] if case else []:
        if layer != module.layer_idx:
            continue
        w = weights[:, head].clone()
        if case["method"] == "mask":
            outputs[:, head] = 0
            continue
        if case["method"] == "zerotuning":
            w[..., 0] *= case["strength"]
            w = w / w.sum(-1, keepdim=True)
        if case["method"] == "instaboost":
            w[..., span] *= case["strength"]
            w = w / w.sum(-1, keepdim=True)
        if case["method"] == "pasta":
            outside = torch.ones(n, dtype=torch.bool)
            outside[span] = False
            steered = scores[:, head].clone()
            steered[..., outside] += math.log(case["strength"])
            w = torch.softmax(steered, dim=-1)
        outputs[:, head] = w @ value[:, head]
    return outputs.transpose(1, 2).contiguous(), weights


AttentionInterface.register("rivals", attend)
AttentionMaskInterface.register("rivals", eager_mask)


def last_logits(model, tokens, case, span):
    current.update(case=case, span=span)
    with torch.no_grad():
        return model(torch.tensor([tokens])).logits[0, -1].float()


def cases_for(layers, heads):
    some = [[layer, head] for layer in range(layers) for head in range(heads) if (layer * 5 + head * 3) % 4 == 1]
    every = [[layer, head] for layer in range(layers) for head in range(heads)]
    return [
        {"method": "zerotuning", "strength": 0.5, "heads": some},
        {"method": "zerotuning", "strength": 2, "heads": every},
        {"method": "pasta", "strength": 0.01, "heads": some},
        {"method": "instaboost", "strength": 6, "heads": every},
        {"method": "mask", "strength": 0, "heads": some[::3]},
    ]


def measured(model, name, tokens_lists, cases, keep=None):
    prompts = []
    for tokens in tokens_lists:
        n = len(tokens)
        span = sorted({n // 5, n // 5 + 1, n // 2, n // 2 + 1, n // 2 + 2} & set(range(n))) or [0]
        plain = last_logits(model, tokens, None, span)
        ids = list(range(len(plain))) if keep is None else keep
        shown = lambda logits: [float(f"{float(logits[i]):.7g}") for i in ids]
        prompts.append({
            "tokens": tokens,
            "span": span,
            "plain": shown(plain),
            "rivals": [shown(last_logits(model, tokens, case, span)) for case in cases],
        })
    made = {"model": name, "cases": cases, "prompts": prompts}
    if keep is not None:
        made["kept"] = keep
    return made


def write(name, models):
    text = json.dumps({"models": models}, separators=(",", ":"))
    (HERE / name).write_text(text.replace('{"model"', '\n{"model"').replace('{"tokens"', '\n {"tokens"') + "\n")


def main():
    torch.manual_seed(1)
    models = []
    for folder in ("families/llama/base", "families/qwen2/base", "tiny-opt-prenorm"):
        model = AutoModelForCausalLM.from_pretrained(PARITY / folder, dtype=torch.float32, attn_implementation="rivals")
        model.eval()
        config = model.config
        lists = [torch.randint(1, config.vocab_size, (n,)).tolist() for n in (1, 7, 33)]
        models.append(measured(model, folder, lists, cases_for(config.num_hidden_layers, config.num_attention_heads)))
    write("tiny.json", models)
    if len(sys.argv) < 2:
        return
    sys.path.insert(0, str(PARITY))
    import gguf_llama
    import make_smollm2

    model, reader = gguf_llama.load(pathlib.Path(sys.argv[1]))
    model.config._attn_implementation = "rivals"
    tokenizer = gguf_llama.smollm_tokenizer(reader)
    tokens = [tokenizer.encode(text, add_special_tokens=False).ids for text in make_smollm2.PROMPTS[3:6]]
    keep = list(range(0, model.config.vocab_size, 700))
    cases = cases_for(model.config.num_hidden_layers, model.config.num_attention_heads)
    write("smollm2.json", [measured(model, pathlib.Path(sys.argv[1]).name, tokens, cases, keep)])


if __name__ == "__main__":
    main()
