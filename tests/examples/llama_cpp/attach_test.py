"""act_llama in llama-cpp-python: attach_test.py PROGRAM MODEL FLAGS... compares it with act-llama on a small model."""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import llama_cpp
import numpy as np

import act_llama

program, model = sys.argv[1:3]
folder = Path(tempfile.mkdtemp())
heads = folder / "heads.json"
heads.write_text(json.dumps({"format": "act-heads", "version": 1, "options": {"alpha": 1.2},
                             "heads": [[0, 0, 0.1], [0, 2, 0.1], [1, 1, 0.1], [1, 3, 0.3]]}))
tokens = [4 + 11 * k % 27 for k in range(30)]
written = folder / "logits.json"
subprocess.run([program, "--model", model, "--tokens", " ".join(map(str, tokens)), "--heads", heads, "--logits", written,
                "--threads", "1"], check=True)
expected = json.loads(written.read_text())


def new(**more):
    return llama_cpp.Llama(model, n_ctx=64, n_batch=16, n_threads=1, n_threads_batch=1, verbose=False, **more)


def logits(llama):
    pointer = llama._ctx.get_logits_ith(-1)
    return np.ctypeslib.as_array(pointer, shape=(llama.n_vocab(),)).copy()


def refuses(work, words):
    try:
        work()
    except act_llama.CalibrationError as problem:
        assert words in str(problem), problem
    else:
        raise AssertionError(f"not refused: {words}")


plain = new(n_ubatch=64)
plain.eval(tokens)
llama = act_llama.attach(new(), heads)
for prompt in (tokens, tokens, tokens[:20] + tokens[:10], tokens):  # what it said before doesn't matter
    made = list(zip(range(4), llama.generate(prompt, temp=0.0)))
    llama.reset()
    llama.eval(prompt)
    after = logits(llama)
assert np.abs(after - expected["calibrated"]).max() <= 1e-5 * np.abs(after).max()
assert np.abs(after - expected["baseline"]).max() > 0.05 * np.abs(after).max()
assert [[layer, head, sinks] for (layer, head), sinks in llama.act.sinks()[0].items()] == expected["sinks"]
assert llama.act.joined == 0

state = llama.save_state()
llama.load_state(state)
llama.eval([5])
assert llama.act.joined == 1

cut = act_llama.attach(new(), heads, whole_prompts=False)
cut.eval(tokens)
assert np.abs(logits(cut) - after).max() > 0  # micro-batches of 16

refuses(lambda: act_llama.attach(llama, heads), "already")
refuses(lambda: act_llama.attach(new(), {"heads": [[7, 0]]}).eval(tokens), "no attention map")
refuses(lambda: act_llama.attach(new(), {"heads": [[0, 0], [7, 0]]}).eval(tokens), "layer 7")
refuses(lambda: act_llama.attach(new(), {"heads": []}), "none")
refuses(lambda: act_llama.attach(new(), {"heads": [[0, 0]], "options": {"beta": 3}}), "beta")
refuses(lambda: act_llama.attach(new(), {"heads": [[0, 0]], "options": {"columns": "initial-token"}}), "columns")
refuses(lambda: act_llama.attach(new(), {"heads": [[0, 0]], "options": {"gamma": 1}}), "gamma")
refuses(lambda: act_llama.attach(new(), heads, library="/nowhere/lib.so"), "ACT_LLAMA_LIBRARY")
llama.close()
print("done")
