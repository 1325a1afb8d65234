// Output correction between PyTorch's tensors (bindings.cpp, no CUDA in it) and act's CUDA header
// (correction.cu, no PyTorch in it): each compiles in seconds.
#pragma once

#include <cstddef>
#include <cstdint>

enum class element { float32, float16, bfloat16 };

struct tensor_view {
  void* data;
  std::size_t batches, heads, tokens, channels, batch_stride, head_stride, token_stride;
};

/// Pointers are to device memory.
struct correction_call {
  element type;
  tensor_view out, q, k, v;
  const float* log_sum_exp;
  const std::uint32_t* head_words;  // null: every head
  const std::int32_t* first_key;    // null: no padding
  const double* scores;             // null: found by a second pass
  std::size_t query_offset, window;
  double alpha, beta;
  std::int32_t* sink_counts;     // [batch, head]
  std::int32_t* sink_positions;  // [batch, head, keys]
  double* moved_mass;            // [batch, head]
};

std::size_t workspace_bytes(const correction_call& call);
/// Null when all went well, else what was wrong.
const char* correct(const correction_call& call, void* workspace, std::size_t bytes, void* stream);
