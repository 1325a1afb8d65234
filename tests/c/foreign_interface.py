"""libact through Python's foreign interface: structures by hand, as any language without a C compiler has them.

python3 foreign_interface.py LIBRARY
"""
import ctypes
import sys

library = ctypes.CDLL(sys.argv[1])
size_t, pointer = ctypes.c_size_t, ctypes.c_void_p


class Map(ctypes.Structure):
    _fields_ = [("size", size_t), ("data", pointer), ("type", ctypes.c_int32)] + [
        (name, size_t) for name in ("batches", "heads", "queries", "keys", "batch_stride", "head_stride", "query_stride")
    ] + [("visible", pointer)]


library.act_last_message.restype = library.act_instruction_set.restype = ctypes.c_char_p
library.act_heads_create_all.argtypes = [ctypes.POINTER(pointer)]
library.act_calibrate.argtypes = [ctypes.POINTER(Map), pointer, pointer, pointer, pointer]
library.act_heads_destroy.argtypes = [pointer]

tokens = 20
weights = (ctypes.c_float * (tokens * tokens))()
for i in range(tokens):
    for j in range(i + 1):
        strong = j == 4 and i > 4
        weights[i * tokens + j] = 0.5 if strong else (0.5 if i > 4 else 1) / (i if i > 4 else i + 1)
heads = pointer()
assert library.act_heads_create_all(ctypes.byref(heads)) == 0
one = Map(ctypes.sizeof(Map), ctypes.addressof(weights), 0, 1, 1, tokens, tokens, tokens * tokens, tokens * tokens, tokens)
assert library.act_calibrate(ctypes.byref(one), heads, None, None, None) == 0, library.act_last_message()
assert abs(weights[19 * tokens + 4] - 0.2) < 1e-6, weights[19 * tokens + 4]
assert abs(sum(weights[19 * tokens : 20 * tokens]) - 1) < 1e-6
one.query_stride = 3
assert library.act_calibrate(ctypes.byref(one), heads, None, None, None) == 1
assert library.act_last_message().startswith(b"query_stride: "), library.act_last_message()
library.act_heads_destroy(heads)
print(f"calibrated from Python, {library.act_instruction_set().decode()}")
