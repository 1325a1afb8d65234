// Guide: "I decode with a cache". The prompt's column sums start a tracker for each chosen head; each step
// calibrates its own row.
#include <act/calibrated_attention.hpp>
#include <act/sink_tracker.hpp>

#include "engine.hpp"

namespace {

// [guide]
// One layer's state beside its cache. Copy it to fork a beam.
class layer_decoder {
 public:
  explicit layer_decoder(act::layer_heads chosen) : chosen_(std::move(chosen)) {}

  // The prompt: calibrated attention, which also says what each key got. No batch: one of these a sequence.
  void prompt(const act::head_tensor<const float>& q, const act::head_tensor<const float>& k,
              const act::head_tensor<const float>& v, const act::head_tensor<float>& out) {
    std::vector<double> sums(q.heads * k.tokens, 0.0);  // raw column sums come back in here
    act::calibrated_attention(q, k, v, out, chosen_, {}, {}, sums);
    trackers_.resize(q.heads);
    for (std::size_t h = 0; h < q.heads; ++h) {
      if (chosen_.contains(h))
        trackers_[h].start(std::span(sums).subspan(h * k.tokens, k.tokens), {}, 0, k.tokens);
    }
  }

  // A step: one head's softmaxed weights over the whole cache, the new key's last, before the product with V.
  void step(std::size_t head, std::span<float> row) {
    if (chosen_.contains(head)) trackers_[head].calibrate_row(row);
  }

 private:
  act::layer_heads chosen_;
  std::vector<act::sink_tracker> trackers_;
};
// [/guide]

}  // namespace

int main() {
  using engine::heads, engine::tokens, engine::head_size;
  engine::layer_inputs x = engine::example_inputs();
  constexpr std::size_t prompt = 30;
  const auto first = [](std::vector<float>& numbers) {
    auto view = engine::tensor(numbers);
    view.tokens = prompt;
    return view;
  };
  std::vector<float> out(x.q.size());
  layer_decoder decoder({1, 3});
  decoder.prompt(first(x.q), first(x.k), first(x.v), first(out));
  for (std::size_t i = prompt; i < tokens; ++i) {
    for (std::size_t h = 0; h < heads; ++h) {
      std::vector<float> row = engine::scores(x, h, i);
      engine::softmax(row);
      decoder.step(h, row);
      engine::mix(row, x, h, out.data() + (h * tokens + i) * head_size);
    }
  }
  // The sequence's last row knows of all the rows before it: it is the last row of the whole sequence,
  // calibrated.
  const std::vector<float> whole = engine::calibrated_by_map(x, {1, 3});
  int failed = 0;
  for (std::size_t h = 0; h < heads; ++h) {
    const std::size_t at = (h * tokens + tokens - 1) * head_size;
    failed |= engine::compare("the last row of a decoded sequence", std::span(out).subspan(at, head_size),
                              std::span(whole).subspan(at, head_size));
  }
  return failed;
}
