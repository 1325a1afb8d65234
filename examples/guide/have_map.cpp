// Guide: "I have a map". An engine with a chunk of queries over its cache, padded rows and several batch
// entries.
#include <act/calibrate.hpp>

#include "engine.hpp"

namespace {

// [guide]
// In a layer, between the softmax and the product with V. One for each layer, kept: after its first call it
// doesn't allocate any more.
class layer_calibration {
 public:
  explicit layer_calibration(act::layer_heads heads) : heads_(std::move(heads)) {}

  // weights: [batch, head, query, key], `row` elements from one query to the next; first_key: for each batch
  // entry its first real key, where prompts are padded on the left
  const act::calibration_report& operator()(float* weights, std::size_t batches, std::size_t heads,
                                            std::size_t queries, std::size_t keys, std::size_t row,
                                            std::span<const std::size_t> first_key = {}) {
    auto map = act::attention_span<float>::packed(weights, batches, heads, queries, keys);
    map.query_stride = row;
    map.head_stride = queries * row;
    map.batch_stride = heads * queries * row;
    map.visible.query_offset = keys - queries;  // what was in the cache before these queries
    map.visible.first_key = first_key;
    act::calibrate(map, heads_, {}, workspace_, report_);
    return report_;
  }

 private:
  act::layer_heads heads_;
  act::calibration_workspace workspace_;
  act::calibration_report report_;
};
// [/guide]

}  // namespace

int main() {
  const engine::layer_inputs x = engine::example_inputs();
  const std::vector<float> map = engine::attention_map(x);
  constexpr std::size_t row = engine::tokens + 5;
  std::vector<float> padded(engine::heads * engine::tokens * row, -1.0F);
  for (std::size_t i = 0; i < engine::heads * engine::tokens; ++i)
    std::copy_n(map.data() + i * engine::tokens, engine::tokens, padded.data() + i * row);

  layer_calibration calibration({1, 3});
  for (const act::head_report& head :
       calibration(padded.data(), 1, engine::heads, engine::tokens, engine::tokens, row).heads) {
    for (const act::sink& each : head.sinks)
      std::printf("head %zu: token %zu holds %.3f of attention\n", head.head, each.position, each.score);
  }

  std::vector<float> packed(map.size());
  for (std::size_t i = 0; i < engine::heads * engine::tokens; ++i)
    std::copy_n(padded.data() + i * row, engine::tokens, packed.data() + i * engine::tokens);
  return engine::compare("a map with padded rows", engine::times_values(packed, x),
                         engine::calibrated_by_map(x, {1, 3}));
}
