// Guide: "My own half type". A storage type that act has never heard of, in every call.
#include <act/calibrate.hpp>
#include <act/calibrated_attention.hpp>

#include <bit>
#include <cstdint>

#include "engine.hpp"

namespace engine {

/// The upper half of a float, rounded to nearest even.
struct half {
  std::uint16_t bits = 0;
  [[nodiscard]] static half narrow(float value) noexcept {
    const auto all = std::bit_cast<std::uint32_t>(value);
    return {static_cast<std::uint16_t>((all + 0x7fffU + (all >> 16 & 1U)) >> 16)};
  }
  [[nodiscard]] float widen() const noexcept { return std::bit_cast<float>(std::uint32_t{bits} << 16); }
};

}  // namespace engine

// [guide]
// Say once how your type is read, computed in and written; every call of the core then takes it.
template <>
struct act::element_traits<engine::half> {
  using accumulator = float;  // or double: what sums and products are made in
  static float load(engine::half stored) noexcept { return stored.widen(); }
  static engine::half store(float value) noexcept { return engine::half::narrow(value); }
};

void calibrate_layer(engine::half* weights, std::size_t heads, std::size_t tokens,
                     const act::layer_heads& chosen) {
  act::calibrate(act::attention_span<engine::half>::packed(weights, 1, heads, tokens, tokens), chosen);
}
// [/guide]

int main() {
  const engine::layer_inputs x = engine::example_inputs();
  std::vector<float> map = engine::attention_map(x);
  std::vector<engine::half> halves(map.size());
  std::transform(map.begin(), map.end(), halves.begin(), engine::half::narrow);
  calibrate_layer(halves.data(), engine::heads, engine::tokens, {1, 3});

  act::calibrate(
      act::attention_span<float>::packed(map.data(), 1, engine::heads, engine::tokens, engine::tokens),
      {1, 3});
  std::vector<float> got(map.size());
  std::transform(halves.begin(), halves.end(), got.begin(), [](engine::half each) { return each.widen(); });
  return engine::compare("a map in the engine's own half type", got, map, 0x1p-8F);
}
