"""What llama.cpp itself computes with the GGUF files of families/, as a check of gguf_families.py.

    python check_gguf_with_llama_cpp.py [ARCHITECTURE[/SWITCH]]...

Needs the package `cyllama` (0.2.18 was used), which has llama.cpp built in. It multiplies in half precision where weights are of
half types, so copies with float32 weights are compared, with a float32 cache: 1e-6 of the largest logit is usual, and some
1e-4 where a GELU is in it, which llama.cpp looks up in a table of half precision.
"""

from __future__ import annotations

import json
import os
import pathlib
import sys
import tempfile

import gguf_families
from tiny_families import FAMILIES

HERE = pathlib.Path(__file__).resolve().parent
CONTEXT = 64
F32 = 0  # its number among ggml's types


def last_logits(path: pathlib.Path, tokens, vocabulary: int) -> list[float]:
    import cyllama.llama.llama_cpp as llama_cpp

    class Model(llama_cpp.LlamaModel):
        n_vocab = vocabulary  # what get_logits_ith asks for

    model = Model(str(path), llama_cpp.LlamaModelParams(), verbose=False)
    settings = llama_cpp.LlamaContextParams()
    settings.n_ctx = CONTEXT
    settings.type_k = settings.type_v = F32
    settings.flash_attn_type = 0
    settings.n_threads = settings.n_threads_batch = 1
    context = llama_cpp.LlamaContext(model, settings, verbose=False)
    batch = llama_cpp.LlamaBatch(n_tokens=CONTEXT, embd=0, n_seq_max=1)
    batch.set_batch(list(tokens), 0, False)
    context.decode(batch)
    return list(context.get_logits_ith(len(tokens) - 1))[:vocabulary]


def main() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # llama.cpp's own talk
    gguf_families.put = lambda writer, name, value: writer.add_tensor(name, value.contiguous().float().numpy())
    wanted = sys.argv[1:]
    with tempfile.TemporaryDirectory() as temporary:
        for family, spec in FAMILIES.items():
            for switch, settings in spec["switches"].items():
                name = f"{family}/{switch}"
                if not settings.get("gguf") or (wanted and family not in wanted and name not in wanted):
                    continue
                folder, path = HERE / "families" / family / switch, pathlib.Path(temporary) / "model.gguf"
                gguf_families.write(folder, path, **(settings["gguf"] if isinstance(settings["gguf"], dict) else {}))
                golden = json.loads((folder / "golden.json").read_text(encoding="utf-8"))
                found = []
                for prompt in golden["prompts"]:
                    expected = prompt["plain"]["logits"]
                    logits = last_logits(path, prompt["tokens"], len(expected))
                    worst = max(abs(a - b) for a, b in zip(expected, logits))
                    found.append(f"{worst / prompt['plain']['max_abs_logit']:.1e} ({len(prompt['tokens'])} tokens)")
                print(f"{name}: {', '.join(found)}", flush=True)


if __name__ == "__main__":
    main()
