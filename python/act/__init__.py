"""Attention calibration (ACT) on tensors.

>>> import act
>>> act.calibrate(weights, heads=[0, 3, 7])                      # a softmaxed map [batch, head, query, key], in place
>>> out = act.calibrated_attention(q, k, v, heads=[0, 3, 7])     # causal attention with calibration built in

Arrays are anything with the buffer or DLPack protocol in CPU memory (NumPy, PyTorch, ...): float32, float64, float16 or
bfloat16, any strides but of the last axis. Nothing is copied. ``act.transformers`` runs whole models.
"""
from act._core import Error, instruction_set, set_thread_count
from act._core import version as __version__
from act.calibration import calibrate, calibrated_attention, correct_output
from act.heads_file import HeadsFile, read_heads
from act.options import Attention, Options, Visibility
from act.report import HeadReport, Sink
from act.tracker import Tracker

__all__ = [
    "Attention",
    "Error",
    "HeadReport",
    "HeadsFile",
    "Options",
    "Sink",
    "Tracker",
    "Visibility",
    "calibrate",
    "calibrated_attention",
    "correct_output",
    "instruction_set",
    "read_heads",
    "set_thread_count",
]
