"""ACT in llama-cpp-python, without a fork: calibrates the heads of a heads file in a llama_cpp.Llama.

    from llama_cpp import Llama
    import act_llama

    llama = act_llama.attach(Llama("M.gguf", n_ctx=2048), "heads.json")
    print(llama("Once upon a time", max_tokens=50)["choices"][0]["text"])

Needs the shared library that is built beside it (docs/llama_cpp.md), for the llama.cpp that llama_cpp loads.
"""

import contextlib
import ctypes
import json
import os
from pathlib import Path

import llama_cpp  # before the library: both then share one ggml
from llama_cpp import _internals

_RULES = {"relative": 0, "absolute": 1, "baseline-corrected": 2}
_OPTIONS = {"rule": "relative", "alpha": 5.0, "tau": 0.1, "min_visible_rows": 1, "beta": 0.4, "redistribution": "proportional",
            "factor": 1.0}
# What decoding doesn't know, unless it is this.
_ONLY = {"compatibility": "none", "columns": "sinks", "mask": False}


class CalibrationError(RuntimeError):
    """Nothing was calibrated, or something else than was asked for."""


class _Head(ctypes.Structure):
    _fields_ = [("layer", ctypes.c_size_t), ("head", ctypes.c_size_t), ("rule", ctypes.c_int), ("alpha", ctypes.c_double),
                ("tau", ctypes.c_double), ("min_visible_rows", ctypes.c_size_t), ("renormalises", ctypes.c_int),
                ("beta", ctypes.c_double), ("factor", ctypes.c_double)]


def _library(path):
    name = path or os.environ.get("ACT_LLAMA_LIBRARY") or Path(__file__).resolve().parent / "libact_llama.so"
    try:
        library = ctypes.CDLL(str(name))
    except OSError as problem:
        raise CalibrationError(f"{name}: {problem}; build target act_llama, or name it with ACT_LLAMA_LIBRARY") from None
    size, text, hook = ctypes.c_size_t, ctypes.c_char_p, ctypes.c_void_p
    for function, result, arguments in [
            ("new", hook, [ctypes.POINTER(_Head), size, text, size]), ("delete", None, [hook]), ("forget", None, [hook]),
            ("check", ctypes.c_int, [hook, text, size]), ("sinks", size, [hook, ctypes.POINTER(size), size]),
            ("joined", size, [hook]), ("taken_back", size, [hook])]:
        entry = getattr(library, "act_llama_" + function)
        entry.restype, entry.argtypes = result, arguments
    return library


def read_heads(heads):
    """The heads of a heads file (its path, or what is in it as a dict) as a list of (layer, head, options)."""
    document = heads if isinstance(heads, dict) else json.loads(Path(heads).read_text(encoding="utf-8"))
    if not isinstance(document.get("heads"), list):
        raise CalibrationError("heads: isn't a heads file: it has no list of heads")
    given = document.get("options") or {}
    for name in given:
        if name not in _OPTIONS and name not in _ONLY and name not in ("theta", "subset"):
            raise CalibrationError(f"heads: {name} isn't an option of a heads file")
    for name, only in _ONLY.items():
        if given.get(name, only) != only:
            raise CalibrationError(f"heads: option {name} is {given[name]!r}, which decoding in llama.cpp doesn't know")
    options = {name: given.get(name, default) for name, default in _OPTIONS.items()}
    if options["rule"] not in _RULES:
        raise CalibrationError(f"heads: {options['rule']!r} isn't a rule; there are {', '.join(_RULES)}")
    if options["redistribution"] not in ("proportional", "renormalised"):
        raise CalibrationError(f"heads: decoding in llama.cpp doesn't know redistribution {options['redistribution']!r}")
    chosen = []
    for layer, head, *strength in document["heads"]:
        of_head = dict(options)
        if strength:
            of_head["factor" if options["redistribution"] == "renormalised" else "beta"] = strength[0]
        chosen.append((layer, head, of_head))
    return chosen


class Hook:
    """Calibrates the heads in one context."""

    def __init__(self, heads, library=None):
        self._library = _library(library)
        chosen = read_heads(heads)
        if not chosen:
            raise CalibrationError("heads: there are none")
        array = (_Head * len(chosen))(*[
            _Head(layer, head, _RULES[of["rule"]], of["alpha"], of["tau"], of["min_visible_rows"],
                  of["redistribution"] == "renormalised", of["beta"], of["factor"]) for layer, head, of in chosen])
        error = ctypes.create_string_buffer(512)
        self._hook = self._library.act_llama_new(array, len(chosen), error, len(error))
        if not self._hook:
            raise CalibrationError(error.value.decode())

    def into(self, params):
        """Sets what a llama_context_params needs."""
        params.cb_eval = ctypes.cast(self._library.act_llama_evaluate, llama_cpp.ggml_backend_sched_eval_callback)
        params.cb_eval_user_data = self._hook
        params.flash_attn_type = llama_cpp.LLAMA_FLASH_ATTN_TYPE_DISABLED

    def check(self):
        """After each decode: raises CalibrationError unless every chosen layer was calibrated."""
        error = ctypes.create_string_buffer(512)
        if self._library.act_llama_check(self._hook, error, len(error)) != 0:
            raise CalibrationError(error.value.decode())

    def forget(self):
        """The cache was filled by something else than decoding."""
        self._library.act_llama_forget(self._hook)

    def sinks(self):
        """The sinks that the last decode's sequences have: {(layer, head): [token, ...]} for each sequence."""
        size = self._library.act_llama_sinks(self._hook, None, 0)
        numbers = (ctypes.c_size_t * size)()
        self._library.act_llama_sinks(self._hook, numbers, size)
        found, at = {}, 0
        while at < size:
            stream, sequence, layer, head, count = numbers[at:at + 5]
            found.setdefault((stream, sequence), {})[layer, head] = list(numbers[at + 5:at + 5 + count])
            at += 5 + count
        return list(found.values())

    @property
    def joined(self):
        """How many sequences were taken on without their earlier rows."""
        return self._library.act_llama_joined(self._hook)

    @property
    def taken_back(self):
        """How many tokens were taken back, whose rows stay in the sums."""
        return self._library.act_llama_taken_back(self._hook)

    def close(self):
        hook, self._hook = self._hook, None
        if hook:
            self._library.act_llama_delete(hook)


def attach(llama, heads, *, whole_prompts=True, reuse_prefix=False, library=None):
    """Calibrates `heads` (a heads file's path, or a dict) in `llama`, whose context is made anew, and returns it.

    whole_prompts: a prompt is computed at once, as the paper's ACT wants it; n_batch and n_ubatch become n_ctx, which takes
        memory for n_ctx rows of activations and of one layer's maps.
    reuse_prefix: llama-cpp-python keeps the cache of what two prompts begin with alike. Those tokens were calibrated by the
        prompt before, so that an answer depends on it: it is computed again unless this is true.
    The hook is llama.act; every decode is checked and raises CalibrationError when it was without effect.
    """
    if getattr(llama, "act", None) is not None:
        raise CalibrationError("heads are attached to this Llama already")
    if llama.lora_path:
        raise CalibrationError("a Llama with a LoRA adapter can't be attached to: its context is made anew")
    hook = Hook(heads, library)
    params = llama.context_params
    if whole_prompts:
        llama.n_batch = params.n_batch = params.n_ubatch = llama.n_ctx()
    hook.into(params)
    llama._ctx.close()
    llama._stack.callback(hook.close)  # after the context is gone
    llama._ctx = llama._stack.enter_context(
        contextlib.closing(_internals.LlamaContext(model=llama._model, params=params, verbose=llama.verbose)))
    llama._batch = llama._stack.enter_context(
        contextlib.closing(_internals.LlamaBatch(n_tokens=llama.n_batch, embd=0, n_seq_max=params.n_ctx, verbose=llama.verbose)))
    llama.reset()
    llama.act = hook

    decode, generate, load_state = llama._ctx.decode, llama.generate, llama.load_state

    def checked_decode(batch):
        decode(batch)
        hook.check()

    def generate_anew(tokens, *arguments, **named):
        if named.get("reset", True) and not reuse_prefix:
            llama.reset()
        return generate(tokens, *arguments, **named)

    def load_and_forget(state):
        load_state(state)
        hook.forget()

    llama._ctx.decode, llama.generate, llama.load_state = checked_decode, generate_anew, load_and_forget
    return llama
