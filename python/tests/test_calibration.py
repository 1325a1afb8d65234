"""act's calls on arrays, before the definitions in NumPy."""
import numpy as np
import pytest

import act

try:
    import torch
except ImportError:
    torch = None
needs_torch = pytest.mark.skipif(torch is None, reason="PyTorch isn't installed")


def softmaxed(batches=2, heads=3, queries=50, keys=50, seed=1, dtype=np.float64):
    """A causal map in which a few keys draw attention."""
    random = np.random.default_rng(seed)
    scores = random.normal(size=(batches, heads, queries, keys)) + 5 * (random.random((batches, heads, 1, keys)) < 0.1)
    position = np.arange(queries)[:, None] + keys - queries
    scores = np.where(np.arange(keys) <= position, scores, -np.inf)
    weights = np.exp(scores)
    return (weights / weights.sum(-1, keepdims=True)).astype(dtype)


def by_definition(head, options=act.Options(), rows_before=0.0, rows=None, limit=None):
    """One head [query, key], from the paper's section 3 and 4. Returns what it becomes, and its sinks."""
    queries, keys = head.shape
    position = np.arange(queries) + keys - queries
    seen = np.arange(keys) <= position[:, None]
    scores = head.sum(0) / np.maximum(seen.sum(0), 1)
    sinks = [j for j in range(1, keys if limit is None else limit) if scores[j] > options.alpha / keys]
    after = head.copy()
    on = head[:, sinks].sum(1, keepdims=True)
    other = head.sum(1, keepdims=True) - on
    after *= np.where(on > 0, 1 + (1 - options.beta) * on / other, 1)
    after[:, sinks] = head[:, sinks] * options.beta
    return after, sinks


def test_keys_behind_a_limit_are_no_sinks():
    weights = softmaxed()
    expected, sinks = by_definition(weights[0, 0].copy(), act.Options(alpha=2.0), limit=30)
    report = act.calibrate(weights, [0], options=act.Options(alpha=2.0, position_limit=30))
    assert sinks and [sink.position for sink in report[0].sinks] == sinks
    assert np.abs(weights[0, 0] - expected).max() <= 1e-13


def attention(q, k, v):
    scores = q @ np.swapaxes(k, -1, -2) / np.sqrt(q.shape[-1])
    position = np.arange(q.shape[-2])[:, None] + k.shape[-2] - q.shape[-2]
    scores = np.where(np.arange(k.shape[-2]) <= position, scores, -np.inf)
    largest = scores.max(-1, keepdims=True)
    weights = np.exp(scores - largest)
    total = weights.sum(-1, keepdims=True)
    return weights / total, (np.log(total) + largest)[..., 0]


@pytest.mark.parametrize("dtype,tolerance", [(np.float64, 1e-13), (np.float32, 1e-6), (np.float16, 2e-3)])
def test_a_map_is_calibrated_in_place(dtype, tolerance):
    weights = softmaxed(dtype=dtype)
    before = weights.astype(np.float64)
    report = act.calibrate(weights, [0, 2])
    assert [(each.batch, each.head) for each in report] == [(0, 0), (0, 2), (1, 0), (1, 2)]
    for each in report:
        expected, sinks = by_definition(before[each.batch, each.head])
        assert [sink.position for sink in each.sinks] == sinks
        assert np.abs(weights[each.batch, each.head] - expected).max() <= tolerance
        assert each.moved_mass > 0
    assert (weights[:, 1] == before[:, 1]).all()
    assert sum(len(each.sinks) for each in report) > 3


def test_views_are_not_copied():
    whole = np.full((2, 50, 3, 60), -7.0)
    view = whole.transpose(0, 2, 1, 3)[..., :50]
    view[...] = softmaxed()
    before = view.copy()
    act.calibrate(view)
    for b in range(2):
        for h in range(3):
            assert np.abs(view[b, h] - by_definition(before[b, h])[0]).max() < 1e-13
    assert (whole[..., 50:] == -7).all()


def test_options_and_reports():
    weights = softmaxed()
    assert act.calibrate(weights.copy(), [0], act.Options(alpha=1000))[0].sinks == []
    same = weights.copy()
    act.calibrate(same, [0], act.Options(beta=1))
    assert (same == weights).all()
    with pytest.raises(act.Error, match="^beta: must be between 0 and 1"):
        act.calibrate(weights, [0], act.Options(beta=2))
    with pytest.raises(act.Error, match="^rule: must be one of relative"):
        act.calibrate(weights, [0], act.Options(rule="other"))
    with pytest.raises(act.Error, match="^heads: name a head"):
        act.calibrate(weights, [3])


def test_what_isnt_an_array_of_numbers_in_memory_is_refused_by_name():
    weights = softmaxed()
    with pytest.raises(act.Error, match="^map: must be an array"):
        act.calibrate([[1.0]])
    with pytest.raises(act.Error, match="^map: must hold float32"):
        act.calibrate(np.ones((4, 4), dtype=np.int32))
    with pytest.raises(act.Error, match="^map: needs contiguous elements in its last axis"):
        act.calibrate(weights[..., ::2], visible=act.Visibility(query_offset=0))
    with pytest.raises(act.Error, match="^map: needs two to four axes"):
        act.calibrate(np.ones(4))
    weights.flags.writeable = False
    with pytest.raises(act.Error, match="^map: is read-only"):
        act.calibrate(weights)


@pytest.mark.parametrize("size", [1, 7, 16, 50])
def test_sums_are_carried_from_chunk_to_chunk(size):
    raw = softmaxed(1, 1)
    weights, sums = raw.copy(), np.zeros((1, 1, 50))
    for begin in range(0, 50, size):
        end = min(50, begin + size)
        report = act.calibrate(weights[:, :, begin:end], visible=act.Visibility(query_offset=begin), carried_sums=sums)
        expected, sinks = by_definition(raw[0, 0, :end, :end])
        assert [sink.position for sink in report[0].sinks] == sinks
        assert np.abs(weights[0, 0, begin:end, :end] - expected[begin:]).max() < 1e-13
    assert np.abs(sums[0, 0] - raw[0, 0].sum(0)).max() < 1e-12


def test_ragged_batches_are_each_entry_alone():
    weights = softmaxed(2, 2)
    together = weights.copy()
    act.calibrate(together, visible=act.Visibility(query_offsets=[0, 0], query_counts=[50, 20]))
    alone = weights[1:, :, :20, :20].copy()
    act.calibrate(alone)
    assert (together[1, :, :20, :20] == alone[0]).all()
    assert (together[1, :, 20:] == weights[1, :, 20:]).all()


def test_rows_of_an_encoder_see_all_keys():
    random = np.random.default_rng(5)
    weights = random.random((1, 1, 30, 45)) + 0.1
    weights[..., 7] *= 60
    weights[..., 40:] = 0
    weights /= weights.sum(-1, keepdims=True)
    raw = weights[0, 0].copy()
    report = act.calibrate(weights, visible=act.Visibility(all_keys=40))
    sinks = [j for j in range(1, 40) if raw[:, j].mean() > 5 / 40]
    assert sinks == [7] == [sink.position for sink in report[0].sinks]
    expected = raw.copy()
    moved = 0.6 * raw[:, 7]
    expected[:, :40] *= (1 + moved / (1 - raw[:, 7]))[:, None]
    expected[:, 7] = 0.4 * raw[:, 7]
    assert np.abs(weights[0, 0] - expected).max() < 1e-13
    with pytest.raises(act.Error, match="^visible.window: "):
        act.calibrate(weights, visible=act.Visibility(all_keys=40, window=3))
    with pytest.raises(act.Error, match="^visible: needs whole numbers from 0"):
        act.calibrate(weights, visible=act.Visibility(all_keys=-1))


def inputs(seed=3, batches=2, heads=4, groups=2, queries=40, keys=40, channels=16):
    random = np.random.default_rng(seed)
    q, k, v = (random.normal(size=(batches, n, t, channels)).astype(np.float32)
               for n, t in ((heads, queries), (groups, keys), (groups, keys)))
    q[..., 0] = 1
    k[..., 0] = 14 * (random.random(k.shape[:-1]) < 0.08)
    return q, k, v


def test_attention_from_queries_keys_and_values():
    q, k, v = inputs()
    plain, report = np.empty_like(q), []
    out = act.calibrated_attention(q, k, v, [0, 3], plain=plain, report=report)
    assert isinstance(out, np.ndarray) and out.dtype == np.float32
    weights, log_sum_exp = attention(q.astype(float), np.repeat(k, 2, 1).astype(float), None)
    wide = np.repeat(v, 2, 1).astype(float)
    assert np.abs(plain - weights @ wide).max() < 1e-5
    for h in range(4):
        for b in range(2):
            expected = by_definition(weights[b, h])[0] if h in (0, 3) else weights[b, h]
            assert np.abs(out[b, h] - expected @ wide[b, h]).max() < 1e-5
    assert sum(len(each.sinks) for each in report) > 3
    corrected = plain.copy()
    again = act.correct_output(corrected, log_sum_exp.astype(np.float32), q, k, v, [0, 3])
    assert np.abs(corrected - out).max() < 1e-5
    assert [[s.position for s in each.sinks] for each in again] == [[s.position for s in each.sinks] for each in report]


def test_float_queries_over_a_cache_of_halves():
    q, k, v = inputs()
    k, v = k.astype(np.float16), v.astype(np.float16)
    report, expected_report = [], []
    out = act.calibrated_attention(q, k, v, [0, 3], report=report)
    expected = act.calibrated_attention(q, k.astype(np.float32), v.astype(np.float32), [0, 3], report=expected_report)
    assert out.dtype == np.float32 and np.abs(out - expected).max() < 1e-6
    assert [e.sinks for e in report] == [e.sinks for e in expected_report] and sum(len(e.sinks) for e in report) > 3
    with pytest.raises(act.Error, match="^type: must be one"):
        act.calibrated_attention(q.astype(np.float64), k, v)


def test_decoding_with_a_tracker():
    raw = softmaxed(1, 1)[0, 0]
    tracker = act.Tracker()
    tracker.start(raw[:30, :30].sum(0))
    assert tracker.keys == 30
    for i in range(30, 50):
        fork = tracker.copy()
        row = raw[i, : i + 1].copy()
        moved = tracker.calibrate_row(row)
        expected, sinks = by_definition(raw[: i + 1, : i + 1])
        assert [sink.position for sink in tracker.sinks] == sinks
        assert np.abs(row - expected[i]).max() < 1e-13
        assert moved >= 0
        assert fork.keys == i
    state = tracker.save()
    tracker.retract(raw[49])
    assert tracker.keys == 49
    tracker.load(state)
    assert tracker.keys == 50
    tracker.evict(3, 8)
    assert tracker.keys == 45
    with pytest.raises(act.Error):
        tracker.load(state[:-1])
    with pytest.raises(act.Error):
        tracker.evict(3, 800)
    with pytest.raises(act.Error, match="^row: "):
        tracker.calibrate_row(raw[0, :3].copy())


@needs_torch
def test_torch_tensors_are_the_same_numbers():
    weights = softmaxed(dtype=np.float32)
    tensor = torch.from_numpy(weights.copy())
    act.calibrate(weights, [1])
    act.calibrate(tensor, [1])
    assert (tensor.numpy() == weights).all()
    q, k, v = map(torch.from_numpy, inputs())
    out = act.calibrated_attention(q, k, v, [0])
    assert isinstance(out, torch.Tensor)
    assert (out.numpy() == act.calibrated_attention(q.numpy(), k.numpy(), v.numpy(), [0])).all()
    half = act.calibrated_attention(q.bfloat16(), k.bfloat16(), v.bfloat16(), [0])
    assert half.dtype == torch.bfloat16
    assert (half.float() - out).abs().max() < 0.1
    with pytest.raises(act.Error, match="^q: requires gradients"):
        act.calibrated_attention(q.requires_grad_(), k, v, [0])


def test_it_says_what_it_is():
    assert act.__version__.count(".") == 2
    assert act.instruction_set() in ("baseline", "avx2", "avx512")
