#include <act/half.hpp>
#include <act/runtime/checkpoint/tensor_view.hpp>
#include <act/runtime/random_weights.hpp>
#include <act/runtime/splitmix64.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <deque>
#include <memory>
#include <numbers>
#include <span>
#include <utility>
#include <vector>

namespace act::runtime {
namespace {

class random_numbers {
 public:
  explicit random_numbers(std::uint64_t seed) : next_(seed) {}

  // Box and Muller's pair at a time.
  void fill(std::span<float16> numbers) noexcept {
    for (std::size_t at = 0; at < numbers.size(); at += 2) {
      const auto [first, second] = pair();
      numbers[at] = float16(first);
      if (at + 1 < numbers.size()) numbers[at + 1] = float16(second);
    }
  }
  void fill(std::span<float> numbers) noexcept {
    for (float& each : numbers)
      each = pair().first;
  }

 private:
  // In (0, 1).
  [[nodiscard]] float uniform() noexcept { return (static_cast<float>(next_() >> 41) + 0.5F) * 0x1p-23F; }
  [[nodiscard]] std::pair<float, float> pair() noexcept {
    const float size = random_weight_deviation * std::sqrt(-2.0F * std::log(uniform()));
    const float angle = 2.0F * std::numbers::pi_v<float> * uniform();
    return {size * std::cos(angle), size * std::sin(angle)};
  }

  splitmix64 next_;
};

// Draws what a model consists of; its numbers live as long as the model.
class untrained {
 public:
  explicit untrained(std::uint64_t seed) : random_(seed) {}

  [[nodiscard]] stored_matrix matrix_like(const stored_matrix& like) {
    if (like.size() == 0) return like;
    std::vector<float16>& numbers = numbers_->emplace_back(like.size());
    random_.fill(std::span<float16>(numbers));
    return stored_matrix(tensor_view{.name = "random",
                                     .type = tensor_type::f16,
                                     .shape = {like.rows(), like.columns()},
                                     .bytes = std::as_bytes(std::span<const float16>(numbers))});
  }
  void redraw(linear& layer) {
    layer.weight = matrix_like(layer.weight);
    std::fill(layer.bias.begin(), layer.bias.end(), 0.0F);
  }
  void redraw(matrix& numbers) noexcept { random_.fill(std::span<float>(numbers.data(), numbers.size())); }
  [[nodiscard]] std::shared_ptr<const void> numbers() const noexcept { return numbers_; }

 private:
  random_numbers random_;
  std::shared_ptr<std::deque<std::vector<float16>>> numbers_ =
      std::make_shared<std::deque<std::vector<float16>>>();
};

void reset(norm& layer) noexcept {
  std::fill(layer.weight.begin(), layer.weight.end(), 1.0F);
  std::fill(layer.bias.begin(), layer.bias.end(), 0.0F);
}

void reset(branch_norms& norms) noexcept {
  for (norm* each : {&norms.input, &norms.output, &norms.sum})
    reset(*each);
}

}  // namespace

model with_random_weights(const model& like, std::uint64_t seed) {
  untrained drawn(seed);
  model made = like;
  made.embedding = drawn.matrix_like(like.embedding);
  reset(made.embedding_norm);
  made.output = output_matrix(made.embedding, {}, like.config.output_soft_cap, like.compute);
  drawn.redraw(made.positions);
  drawn.redraw(made.project_in);
  drawn.redraw(made.project_out);
  for (decoder_layer& layer : made.layers) {
    reset(layer.attention_norms);
    drawn.redraw(layer.query);
    drawn.redraw(layer.key_value);
    reset(layer.query_norm);
    reset(layer.key_norm);
    drawn.redraw(layer.attention_output);
    reset(layer.feed_forward_norms);
    drawn.redraw(layer.mlp.up);
    drawn.redraw(layer.mlp.down);
  }
  reset(made.final_norm);
  made.file = drawn.numbers();
  return made;
}

}  // namespace act::runtime
