"""act.transformers: prompts and generation before the definitions, on small random models; and, where they are at hand,
SmolLM2 and Gemma 3 before act-generate (ACT_GENERATE names the program, ACT_MODELS the folder of models)."""
import json
import os
import pathlib
import subprocess

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

import act
import act.transformers
from transformers import AttentionInterface
from transformers.masking_utils import AttentionMaskInterface, eager_mask

ALPHA = 1.5  # random models have few keys over 5 / N
CHOSEN = {0: [0, 3], 1: [1, 2], 2: [0, 1, 2, 3]}


@pytest.fixture
def heads(tmp_path):
    def write(extra=None, **members):
        path = tmp_path / "heads.json"
        listed = [[layer, head] for layer, of in CHOSEN.items() for head in of]
        members["options"] = {"alpha": ALPHA, **members.get("options", {})}
        path.write_text(json.dumps({"format": "act-heads", "version": 1, "heads": listed + (extra or []), **members}))
        return path

    return write


def small_model(kind):
    torch.manual_seed(7)
    usual = dict(vocab_size=60, hidden_size=64, intermediate_size=96, num_hidden_layers=3, num_attention_heads=4,
                 num_key_value_heads=2, head_dim=16, max_position_embeddings=256)
    if kind == "llama":
        model = transformers.LlamaForCausalLM(transformers.LlamaConfig(**usual))
    elif kind == "gemma2":
        model = transformers.Gemma2ForCausalLM(transformers.Gemma2Config(
            **usual, sliding_window=12, query_pre_attn_scalar=16, attn_logit_softcapping=8.0))
    else:
        model = transformers.Gemma3ForCausalLM(transformers.Gemma3TextConfig(
            **usual, sliding_window=12, query_pre_attn_scalar=16))
    model = model.eval()
    with torch.no_grad():  # uneven attention
        for name, weight in model.named_parameters():
            if "q_proj" in name or "k_proj" in name:
                weight.mul_(3.5)
    return model


class ByDefinition:
    """Attention with whole maps in double, calibrated by the definitions; raw rows so far are kept while decoding."""

    def __init__(self, beta=0.4):
        self.beta, self.raw, self.moved = beta, {}, 0

    def __call__(self, module, query, key, value, attention_mask, scaling=None, dropout=0.0, softcap=None, **kwargs):
        batches, heads, rows, _ = query.shape
        q, k, v = (each.double() for each in (query, key, value))
        k, v = (each.repeat_interleave(heads // each.shape[1], 1) for each in (k, v))
        scores = q @ k.transpose(-1, -2) * scaling
        if softcap:
            scores = torch.tanh(scores / softcap) * softcap
        seen = attention_mask[:, :, :, : k.shape[2]] == 0
        weights = torch.where(seen, scores, -torch.inf).softmax(-1).nan_to_num(0.0)
        seen = seen.expand(batches, heads, rows, k.shape[2])
        out = weights.clone()
        for b in range(batches):
            for head in CHOSEN[module.layer_idx]:
                rows_so_far = self.raw.setdefault((module.layer_idx, b, head), [])
                for i in range(rows):
                    if seen[b, head, i, k.shape[2] - rows + i]:  # padding doesn't see its own key
                        rows_so_far.append((weights[b, head, i], seen[b, head, i]))
                self.calibrate(out[b, head], rows_so_far, rows)
        return (out @ v).to(query.dtype).transpose(1, 2).contiguous(), None

    def calibrate(self, rows, so_far, count):
        keys = max(len(row) for row, _ in so_far)
        pad = lambda each: torch.cat([each, torch.zeros(keys - len(each), dtype=each.dtype)])
        weights = torch.stack([pad(row) for row, _ in so_far])
        seen = torch.stack([pad(mask) for _, mask in so_far])
        number = seen.sum(0)
        scores = weights.sum(0) / number.clamp(min=1)
        first, last = int(number.nonzero()[0, 0]), int(number.nonzero()[-1, 0])
        sinks = [j for j in range(first + 1, last + 1) if scores[j] > ALPHA / (last + 1 - first)]
        for i in range(count):
            row = rows[i]
            on = row[sinks].sum()
            if on == 0 or row.sum() - on < row.sum() / 2**20:  # nothing can receive: docs/core.md
                continue
            self.moved += 1
            kept = row[sinks] * self.beta
            row *= 1 + (1 - self.beta) * on / (row.sum() - on)
            row[sinks] = kept


def run_by_definition(model, run, **how):
    attention = ByDefinition(**how)
    AttentionInterface.register("by_definition", attention)
    AttentionMaskInterface.register("by_definition", eager_mask)
    before = model.config._attn_implementation
    model.set_attn_implementation("by_definition")
    try:
        with torch.no_grad():
            return run(), attention.moved
    finally:
        model.set_attn_implementation(before)


@pytest.mark.parametrize("kind", ["llama", "gemma2", "gemma3"])
@pytest.mark.parametrize("padding", ["none", "left", "right"])
def test_whole_prompts(kind, padding, heads):
    model = small_model(kind)
    ids = torch.randint(0, 60, (2, 40), generator=torch.Generator().manual_seed(3))
    mask = torch.ones_like(ids)
    if padding == "left":
        mask[1, :9] = 0
    if padding == "right":
        mask[1, -9:] = 0
    run = lambda: model(ids, attention_mask=mask, use_cache=False).logits[mask.bool()]
    expected, moved = run_by_definition(model, run)
    with torch.no_grad():
        plain = run()
        with act.transformers.calibrated(model, heads()) as running:
            got = run()
            assert any(of for listed in running.sinks().values() for of in listed)
        assert (run() == plain).all()  # the model is what it was
    assert moved > 50
    assert (got - expected).abs().max() < 2e-5
    assert (plain - expected).abs().max() > 1e-3


@pytest.mark.parametrize("kind", ["llama", "gemma2"])
def test_generation_with_a_cache(kind, heads):
    model = small_model(kind)
    ids = torch.randint(0, 60, (1, 10), generator=torch.Generator().manual_seed(4))

    def run():
        logits, past, now = [], None, ids
        for _ in range(20 if kind == "llama" else 2):
            done = model(now, past_key_values=past, use_cache=True)
            past, now = done.past_key_values, done.logits[:, -1:].argmax(-1)
            logits.append(done.logits[:, -1])
        return torch.cat(logits)

    expected, moved = run_by_definition(model, run)
    with torch.no_grad(), act.transformers.calibrated(model, heads()):
        got = run()
    assert moved > 30
    assert (got - expected).abs().max() < 2e-5


@pytest.mark.parametrize("kind", ["llama", "gemma3"])
def test_generate_follows_batches_and_beams(kind, heads):
    model = small_model(kind)
    ids = torch.randint(1, 60, (2, 14), generator=torch.Generator().manual_seed(5))
    mask = torch.ones_like(ids)
    mask[0, :5] = 0  # a shorter prompt
    usual = dict(max_new_tokens=30, min_new_tokens=30, do_sample=False, pad_token_id=0)
    with torch.no_grad(), act.transformers.calibrated(model, heads()):
        together = model.generate(ids, attention_mask=mask, **usual)
        for b in range(2):
            alone = model.generate(ids[b : b + 1, 5 if b == 0 else 0 :], **usual)
            assert together[b, 14:].tolist() == alone[0, -30:].tolist()
        beams = model.generate(ids[1:], num_beams=3, **usual)
    assert beams.shape == (1, 44)


def test_strengths_and_rules_of_a_heads_file(heads):
    model = small_model("llama")
    ids = torch.arange(40)[None]
    run = lambda: model(ids, use_cache=False).logits
    expected, _ = run_by_definition(model, run, beta=0.1)
    listed = [[layer, head, 0.1] for layer, of in CHOSEN.items() for head in of]
    with torch.no_grad():
        with act.transformers.calibrated(model, heads(options={"beta": 0.1})):
            assert (run() - expected).abs().max() < 2e-5
        path = heads()
        path.write_text(json.dumps({"format": "act-heads", "version": 1, "options": {"alpha": ALPHA}, "heads": listed}))
        with act.transformers.calibrated(model, path):
            assert (run() - expected).abs().max() < 2e-5


def test_what_is_refused(heads, tmp_path):
    model = small_model("llama")
    ids = torch.arange(20)[None]
    with pytest.raises(act.Error, match="head 0 of layer 9 isn't one of this model"):
        act.transformers.calibrated(model, heads(extra=[[9, 0]]))
    with pytest.raises(act.Error, match='"options.subset"'):
        act.transformers.calibrated(model, heads(options={"subset": "question"}))
    other = tmp_path / "other.json"
    other.write_text("[1]")
    with pytest.raises(act.Error, match="must be a JSON object"):
        act.read_heads(other)
    with act.transformers.calibrated(model, heads()):
        with pytest.raises(act.Error, match="gradients"):
            model(ids)
        with torch.no_grad():
            packed = torch.zeros(1, 1, 20, 20, dtype=torch.bool)
            packed[0, 0, :10, :10] = packed[0, 0, 10:, 10:] = torch.ones(10, 10).tril().bool()
            with pytest.raises(act.Error, match="attention_mask: isn't causal"):
                model(ids, attention_mask=packed)
            past = model(ids, use_cache=True).past_key_values
            past.crop(-8)
            with pytest.raises(act.Error, match="past_key_values"):
                model(ids[:, :1], past_key_values=past)
        with pytest.raises(act.Error, match="calibrated already"):
            act.transformers.calibrated(model, heads())


# --- before act-generate

PROGRAM = os.environ.get("ACT_GENERATE", "")
ROOT = pathlib.Path(__file__).resolve().parents[2]
MODELS = pathlib.Path(os.environ.get("ACT_MODELS", ROOT / "models"))
PAIRS = [("SmolLM2-135M-Instruct.Q4_1.gguf", "heads-table.json"), ("gemma-3-270m-q4_k_m.gguf", "heads-gemma3.json")]


@pytest.mark.parametrize("file,listed", PAIRS)
def test_it_agrees_with_act_generate(file, listed, tmp_path):
    if not PROGRAM or not (MODELS / file).exists():
        pytest.skip("ACT_GENERATE isn't set, or third_party/fetch_model.sh hasn't fetched " + file)
    pytest.importorskip("gguf")
    model = transformers.AutoModelForCausalLM.from_pretrained(MODELS, gguf_file=file, dtype=torch.float32).eval()
    ids = torch.randint(5, 20000, (1, 120), generator=torch.Generator().manual_seed(1))
    ids[0, 0] = model.config.get_text_config().bos_token_id or 1
    heads = ROOT / "docs" / listed
    subprocess.run([PROGRAM, "--model", MODELS / file, "--quiet", "--heads", heads, "--logits", tmp_path / "logits.json",
                    "--tokens", " ".join(map(str, ids[0].tolist()))], check=True)
    theirs = json.loads((tmp_path / "logits.json").read_text())
    with torch.no_grad():
        plain = model(ids).logits[0, -1]
        with act.transformers.calibrated(model, heads) as running:
            calibrated = model(ids).logits[0, -1]
            sinks = sum(len(of) for each in running.sinks().values() for of in each)
    size = plain.abs().max()
    baseline, changed = (torch.tensor(theirs[name]) for name in ("baseline", "calibrated"))
    print(f"{file}: largest difference of a logit, relative to the largest: plain {(plain - baseline).abs().max() / size:.1e}, "
          f"calibrated {(calibrated - changed).abs().max() / size:.1e}; calibration moved logits by up to "
          f"{(changed - baseline).abs().max() / size:.1e}, {sinks} sinks")
    assert (plain - baseline).abs().max() < 2e-4 * size
    assert (calibrated - changed).abs().max() < 2e-4 * size
    assert (changed - baseline).abs().max() > 20 * (calibrated - changed).abs().max()

    # Generation with a cache, each step calibrated by what was seen so far.
    prompt = ("The museum opened in 1887 in a former mill by the river. It holds four thousand paintings, most of them by "
              "painters of the region, and a library that may be visited on Mondays. A guide who has worked there for "
              "twenty years says that what visitors ask first is")
    done = json.loads(subprocess.run([PROGRAM, "--model", MODELS / file, "--quiet", "--heads", heads, "--prompt", prompt,
                                      "--max-new-tokens", "24", "--json", "-"], check=True, capture_output=True).stdout)
    given = torch.tensor([done["prompt_tokens"]])
    with torch.no_grad(), act.transformers.calibrated(model, heads) as running:
        written = model.generate(given, attention_mask=torch.ones_like(given), max_new_tokens=24, do_sample=False)
        decoded = sum(len(of) for each in running.sinks().values() for of in each)
    assert decoded > 0
    assert written[0, given.shape[1] :].tolist()[: len(done["tokens"])] == done["tokens"]
