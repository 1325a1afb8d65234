// Scaling of rotary frequencies: what each formula keeps and what it divides. The formulas' numbers are held
// against transformers by the parity goldens.
#include <act/runtime/architecture/rotary_scaling.hpp>
#include <act/runtime/layers/rotary.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <numbers>
#include <vector>

namespace {

constexpr std::size_t dims = 64;

}  // namespace

TEST_CASE("Llama 3's scaling keeps fast frequencies and divides slow ones") {
  const std::vector<float> plain = act::runtime::rotary_frequencies(500000, dims);
  std::vector<float> scaled = plain;
  act::runtime::scale_llama3(
      scaled, {.factor = 8, .low_frequency_factor = 1, .high_frequency_factor = 4, .original_context = 8192});
  std::size_t kept = 0, divided = 0, between = 0;
  for (std::size_t i = 0; i < plain.size(); ++i) {
    const double wave = 2 * std::numbers::pi / static_cast<double>(plain[i]);
    if (wave < 8192.0 / 4) {
      CHECK(scaled[i] == plain[i]);
      ++kept;
    } else if (wave > 8192.0) {
      CHECK(scaled[i] == doctest::Approx(plain[i] / 8));
      ++divided;
    } else {
      CHECK(scaled[i] < plain[i]);
      CHECK(scaled[i] > plain[i] / 8);
      ++between;
    }
  }
  CHECK(kept > 0);
  CHECK(divided > 0);
  CHECK(between > 0);
}

TEST_CASE("YaRN keeps what turns often, divides what turns seldom, and mixes between") {
  const std::vector<float> plain = act::runtime::rotary_frequencies(10000, dims);
  std::vector<float> scaled = plain;
  act::runtime::scale_yarn(
      scaled, 10000,
      {.factor = 4, .original_context = 2048, .beta_fast = 32, .beta_slow = 1, .truncate = true});
  CHECK(scaled.front() == plain.front());
  CHECK(scaled.back() == doctest::Approx(plain.back() / 4));
  for (std::size_t i = 1; i < plain.size(); ++i)
    CHECK(plain[i] / scaled[i] >= doctest::Approx(plain[i - 1] / scaled[i - 1]));
  CHECK(act::runtime::yarn_magnitude(4) == doctest::Approx(1 + 0.1 * std::log(4.0)));
  CHECK(act::runtime::yarn_magnitude(0.5) == 1);
}

TEST_CASE("a factor of 1 changes no frequency") {
  const std::vector<float> plain = act::runtime::rotary_frequencies(10000, dims);
  std::vector<float> scaled = plain;
  act::runtime::scale_linear(scaled, 1);
  act::runtime::scale_llama3(scaled, {.factor = 1});
  act::runtime::scale_yarn(scaled, 10000, {.factor = 1});
  for (std::size_t i = 0; i < plain.size(); ++i)
    CHECK(scaled[i] == doctest::Approx(plain[i]));
  CHECK(act::runtime::longrope_magnitude(1, 4096) == 1);
}
