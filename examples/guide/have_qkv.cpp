// Guide: "I have Q, K, V". Attention with calibration in it, over interleaved heads and grouped keys and
// values.
#include <act/calibrated_attention.hpp>

#include "engine.hpp"

namespace {

// [guide]
// A view of [token, head, channel], as a linear layer leaves it; packed() describes [head, token, channel].
template <class T>
act::head_tensor<T> interleaved(T* data, std::size_t heads, std::size_t tokens, std::size_t channels) {
  auto view = act::head_tensor<T>::packed(data, 1, heads, tokens, channels);
  view.token_stride = heads * channels;
  view.head_stride = channels;
  return view;
}

// Several query heads to a key head; heads that aren't in `chosen` are plain attention from the same kernel.
void attention_layer(const float* q, const float* k, const float* v, float* out, std::size_t heads,
                     std::size_t kv_heads, std::size_t tokens, std::size_t channels,
                     const act::layer_heads& chosen) {
  act::calibrated_attention(
      interleaved(q, heads, tokens, channels), interleaved(k, kv_heads, tokens, channels),
      interleaved(v, kv_heads, tokens, channels), interleaved(out, heads, tokens, channels), chosen);
}
// [/guide]

/// [head, token, channel] to [token, head, channel] (or back, with heads and tokens exchanged), `heads` of
/// them.
std::vector<float> exchange(const std::vector<float>& from, std::size_t heads, std::size_t tokens) {
  std::vector<float> to(heads * tokens * engine::head_size);
  for (std::size_t h = 0; h < heads; ++h) {
    for (std::size_t i = 0; i < tokens; ++i) {
      std::copy_n(from.data() + (h * tokens + i) * engine::head_size, engine::head_size,
                  to.data() + (i * heads + h) * engine::head_size);
    }
  }
  return to;
}

}  // namespace

int main() {
  using engine::heads, engine::tokens, engine::head_size;
  engine::layer_inputs x = engine::example_inputs();
  // Query heads 0 and 1 share the keys and values of head 1, 2 and 3 those of head 3.
  constexpr auto one = static_cast<std::ptrdiff_t>(tokens * head_size);
  std::vector<float> k, v;
  for (std::vector<float>* each : {&x.k, &x.v}) {
    std::copy_n(each->begin() + one, one, each->begin());
    std::copy_n(each->begin() + 3 * one, one, each->begin() + 2 * one);
    std::vector<float>& grouped = each == &x.k ? k : v;
    grouped.assign(each->begin(), each->begin() + one);
    grouped.insert(grouped.end(), each->begin() + 2 * one, each->begin() + 3 * one);
  }
  const std::vector<float> q = exchange(x.q, heads, tokens);
  k = exchange(k, 2, tokens);
  v = exchange(v, 2, tokens);
  std::vector<float> out(q.size());
  attention_layer(q.data(), k.data(), v.data(), out.data(), heads, 2, tokens, head_size, {0, 3});
  return engine::compare("from Q, K and V", exchange(out, tokens, heads),
                         engine::calibrated_by_map(x, {0, 3}));
}
