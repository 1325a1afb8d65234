"""The engines that models.py compares with act's runtime, behind one interface. Each is imported only when it is asked for.

An engine has
  prefill(ids)        runs a prompt and returns its last position's logits, or None where the engine doesn't show them
  decode(ids, steps)  seconds of `steps` greedy tokens behind a prompt, and those tokens; where an engine only generates as a
                      whole, the difference between generating that many more and one: noise may make it negative
  score(prompts, labels)  label words' logits of each prompt, None where the engine doesn't show them
Each is written as the engine's own documentation has the fastest way found that gives these answers and no others.
"""
import copy
import ctypes
import json
import time
from pathlib import Path

import numpy as np


def timed(call):
    begin = time.perf_counter()
    result = call()
    return time.perf_counter() - begin, result


class transformers_sdpa:
    """PyTorch's scaled_dot_product_attention in float32; last positions' logits alone."""

    batch = 16  # prompts sorted by length, padded on the left

    def __init__(self, path, threads, longest, **_):
        import torch
        from transformers import AutoModelForCausalLM
        torch.set_num_threads(threads)
        torch.set_grad_enabled(False)
        self.torch = torch
        self.model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32, attn_implementation="sdpa").eval()

    def run(self, ids, **more):
        return self.model(self.torch.tensor([ids]), use_cache=True, logits_to_keep=1, **more)

    def prefill(self, ids):
        return self.run(ids).logits[0, -1].numpy()

    def decode(self, ids, steps):
        done = self.run(ids)
        past, token, made = copy.deepcopy(done.past_key_values), int(done.logits[0, -1].argmax()), []
        begin = time.perf_counter()
        for _ in range(steps):
            made.append(token)
            done = self.run([token], past_key_values=past)
            past, token = done.past_key_values, int(done.logits[0, -1].argmax())
        return time.perf_counter() - begin, made

    def score(self, prompts, labels):
        torch, rows = self.torch, [None] * len(prompts)
        order = sorted(range(len(prompts)), key=lambda i: len(prompts[i]))
        for first in range(0, len(order), self.batch):
            batch = order[first:first + self.batch]
            width = max(len(prompts[i]) for i in batch)
            ids, mask = torch.zeros(len(batch), width, dtype=torch.long), torch.zeros(len(batch), width, dtype=torch.long)
            for row, i in enumerate(batch):
                ids[row, width - len(prompts[i]):] = torch.tensor(prompts[i])
                mask[row, width - len(prompts[i]):] = 1
            positions = (mask.cumsum(-1) - 1).clamp_min(0)
            logits = self.model(ids, attention_mask=mask, position_ids=positions, use_cache=False, logits_to_keep=1).logits
            for row, i in enumerate(batch):
                rows[i] = logits[row, -1, labels].tolist()
        return rows


class ctranslate2:
    """CTranslate2's Generator in the type that the model was converted to."""

    batch = 16

    def __init__(self, path, threads, longest, **_):
        import ctranslate2 as library
        self.library = library
        kind = Path(path).name.rsplit("-", 1)[-1]
        self.model = library.Generator(str(path), device="cpu", compute_type=kind, intra_threads=threads, inter_threads=1)
        self.words = json.loads((Path(path) / "vocabulary.json").read_text())
        self.one_pass = {}  # of each length, whether all positions' logits at once are faster than a prompt and a step

    def generate(self, prompts, steps, **more):
        tokens = [[self.words[i] for i in ids] for ids in prompts]
        return self.model.generate_batch(tokens, max_length=steps, min_length=steps, sampling_topk=1,
                                         include_prompt_in_result=False, **more)

    def forward(self, prompts):
        """Every position's logits, prompts padded on the right."""
        lengths = np.array([len(ids) for ids in prompts], np.int32)
        padded = np.zeros((len(prompts), max(lengths)), np.int32)
        for row, ids in zip(padded, prompts):
            row[:len(ids)] = ids
        view = self.library.StorageView.from_array
        return np.asarray(self.model.forward_batch(view(padded), view(lengths)))

    # Two ways to a next token: a forward pass, which computes every position's logits, or generation, which runs the last
    # token as a step of its own. The faster one at this length counts.
    def prefill(self, ids):
        if len(ids) not in self.one_pass:
            self.forward([ids]), self.generate([ids], 1)
            forward, generate = (min(timed(call)[0] for _ in range(2))
                                 for call in (lambda: self.forward([ids]), lambda: self.generate([ids], 1)))
            self.one_pass[len(ids)] = forward <= generate
        if self.one_pass[len(ids)]:
            return self.forward([ids])[0, -1]
        return np.asarray(self.generate([ids], 1, return_logits_vocab=True)[0].logits[0]).reshape(-1)

    def decode(self, ids, steps):
        with_steps, done = timed(lambda: self.generate([ids], steps + 1))
        without, _ = timed(lambda: self.generate([ids], 1))
        return with_steps - without, done[0].sequences_ids[0][:steps]

    def score(self, prompts, labels):
        # Generation would run what is longer than a batch's shortest prompt step by step.
        rows = [None] * len(prompts)
        order = sorted(range(len(prompts)), key=lambda i: len(prompts[i]))
        for first in range(0, len(order), self.batch):
            batch = order[first:first + self.batch]
            logits = self.forward([prompts[i] for i in batch])
            for row, i in enumerate(batch):
                rows[i] = logits[row, len(prompts[i]) - 1, labels].tolist()
        return rows


class llama_cpp:
    """llama.cpp by its C interface, flash attention on, the cache in float16 as it is by default; prompts one by one."""

    def __init__(self, path, threads, longest, **_):
        import llama_cpp as library
        self.library = library
        self.log = library.llama_log_callback(lambda *_: None)  # kept: the library calls it later
        library.llama_log_set(self.log, ctypes.c_void_p(0))
        library.llama_backend_init()
        self.model = library.llama_model_load_from_file(str(path).encode(), library.llama_model_default_params())
        if not self.model:
            raise SystemExit(f"{path}: llama.cpp can't load it")
        options = library.llama_context_default_params()
        options.n_ctx, options.n_batch = longest, longest
        options.n_threads = options.n_threads_batch = threads
        options.flash_attn_type = 1
        self.context = library.llama_init_from_model(self.model, options)
        self.size = library.llama_vocab_n_tokens(library.llama_model_get_vocab(self.model))

    def run(self, ids):
        tokens = (ctypes.c_int32 * len(ids))(*ids)
        if self.library.llama_decode(self.context, self.library.llama_batch_get_one(tokens, len(ids))) != 0:
            raise SystemExit("llama.cpp refuses to decode")
        logits = self.library.llama_get_logits_ith(self.context, -1)
        return np.ctypeslib.as_array(ctypes.cast(logits, ctypes.POINTER(ctypes.c_float)), (self.size,))

    def prefill(self, ids):
        self.library.llama_memory_clear(self.library.llama_get_memory(self.context), False)
        return self.run(ids)

    def decode(self, ids, steps):
        token, made = int(self.prefill(ids).argmax()), []
        begin = time.perf_counter()
        for _ in range(steps):
            made.append(token)
            token = int(self.run([token]).argmax())
        return time.perf_counter() - begin, made

    def score(self, prompts, labels):
        return [self.prefill(ids)[labels].tolist() for ids in prompts]


class onnxruntime_genai:
    """onnxruntime-genai on the folder that its model builder made."""

    def __init__(self, path, threads, longest, **_):
        import onnxruntime_genai as library
        self.library, self.longest = library, longest
        config = library.Config(str(path))
        config.overlay(json.dumps({"model": {"decoder": {"session_options": {"intra_op_num_threads": threads}}}}))
        self.model = library.Model(config)

    def start(self):
        options = self.library.GeneratorParams(self.model)
        options.set_search_options(max_length=self.longest, min_length=self.longest, do_sample=False)
        return self.library.Generator(self.model, options)

    def prefill(self, ids):
        generator = self.start()
        generator.append_tokens(np.array(ids, np.int32))
        logits = np.asarray(generator.get_logits())
        return logits.reshape(-1, logits.shape[-1])[-1]

    def decode(self, ids, steps):
        generator = self.start()
        generator.append_tokens(np.array(ids, np.int32))
        generator.generate_next_token()  # chooses from the prompt's logits: nothing is computed yet
        made = [int(generator.get_next_tokens()[0])]
        begin = time.perf_counter()
        for _ in range(steps):
            generator.generate_next_token()
            made.append(int(generator.get_next_tokens()[0]))
        return time.perf_counter() - begin, made[:steps]

    def score(self, prompts, labels):
        return [self.prefill(ids)[labels].tolist() for ids in prompts]


class openvino_genai:
    """OpenVINO GenAI's LLMPipeline on a GGUF file. It shows tokens and no logits."""

    def __init__(self, path, threads, longest, **_):
        import openvino
        import openvino_genai as library
        self.tensor = openvino.Tensor
        scheduler = library.SchedulerConfig()
        scheduler.enable_prefix_caching = False  # a prompt that was run before is to be run again
        self.pipeline = library.LLMPipeline(str(path), "CPU", scheduler_config=scheduler, INFERENCE_NUM_THREADS=threads,
                                            INFERENCE_PRECISION_HINT="f32")

    def generate(self, ids, steps):
        return self.pipeline.generate(self.tensor(np.array([ids], np.int64)), max_new_tokens=steps, min_new_tokens=steps,
                                      ignore_eos=True, do_sample=False).tokens[0]

    def prefill(self, ids):
        self.generate(ids, 1)

    def decode(self, ids, steps):
        with_steps, done = timed(lambda: self.generate(ids, steps + 1))
        without, _ = timed(lambda: self.generate(ids, 1))
        return with_steps - without, [int(each) for each in done[:steps]]

    def score(self, prompts, labels):
        for ids in prompts:
            self.generate(ids, 1)


ENGINES = {each.__name__: each for each in
           (transformers_sdpa, ctranslate2, llama_cpp, onnxruntime_genai, openvino_genai)}
