// Dequantised values equal those of the Python package `gguf` bit for bit (tests/golden/gguf/make_golden.py).
#include <act/runtime/checkpoint/gguf.hpp>
#include <act/runtime/checkpoint/quantization.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iomanip>
#include <limits>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include "crc32.hpp"
#include "temporary_folder.hpp"

namespace {

const std::filesystem::path golden = std::filesystem::path(ACT_TEST_GOLDEN_DIR) / "gguf";

std::vector<float> dequantized(const act::runtime::tensor_view& tensor) {
  std::vector<float> values(tensor.elements());
  act::runtime::dequantize_rows(tensor, 0, values);
  return values;
}

}  // namespace

TEST_CASE("every tensor type has gguf's values") {
  std::string name;
  SUBCASE("plain numbers and blocks of 32") {
    name = "small";
  }
  SUBCASE("K-quants and IQ4") {
    name = "k_quants";
  }
  const act::runtime::gguf_file file(golden / (name + ".gguf"));
  const std::string expected = act_test::read_whole_file(golden / (name + ".expected.bin"));
  std::size_t at = 0;
  for (const act::runtime::tensor_view& tensor : file.tensors()) {
    CAPTURE(tensor.name);
    const std::vector<float> values = dequantized(tensor);
    REQUIRE(at + values.size() * sizeof(float) <= expected.size());
    CHECK(std::memcmp(values.data(), expected.data() + at, values.size() * sizeof(float)) == 0);
    at += values.size() * sizeof(float);
  }
  CHECK(at == expected.size());
}

TEST_CASE("every half-precision number converts exactly") {
  std::vector<std::uint16_t> halves(1u << 16);
  for (std::size_t i = 0; i < halves.size(); ++i)
    halves[i] = static_cast<std::uint16_t>(i);
  std::vector<float> values(halves.size());
  act::runtime::dequantize(act::runtime::tensor_type::f16, std::as_bytes(std::span(halves)), values);
  for (std::size_t i = 0; i < halves.size(); ++i) {
    const bool should_be_nan = (i & 0x7c00) == 0x7c00 && (i & 0x3ff) != 0;
    REQUIRE(std::isnan(values[i]) == should_be_nan);
    if (should_be_nan) values[i] = 0;
  }
  std::ostringstream checksum;
  checksum << std::hex << std::setw(8) << std::setfill('0')
           << act_test::crc32(std::as_bytes(std::span(values))) << '\n';
  CHECK(checksum.str() == act_test::read_whole_file(golden / "all_halves.crc32"));
}

TEST_CASE("a range of rows at an odd address equals the same rows of the whole") {
  std::string name;
  SUBCASE("plain numbers and blocks of 32") {
    name = "small.gguf";
  }
  SUBCASE("K-quants and IQ4") {
    name = "k_quants.gguf";
  }
  const act::runtime::gguf_file file(golden / name);
  for (const act::runtime::tensor_view& tensor : file.tensors()) {
    CAPTURE(tensor.name);
    const std::vector<float> whole = dequantized(tensor);
    std::vector<std::byte> moved(tensor.bytes.size() + 1);
    std::memcpy(moved.data() + 1, tensor.bytes.data(), tensor.bytes.size());
    act::runtime::tensor_view odd = tensor;
    odd.bytes = std::span<const std::byte>(moved).subspan(1);
    std::vector<float> row(tensor.columns());
    for (std::size_t r = 0; r < tensor.rows(); ++r) {
      act::runtime::dequantize_rows(odd, r, row);
      CHECK(std::memcmp(row.data(), whole.data() + r * row.size(), row.size() * sizeof(float)) == 0);
    }
  }
}

TEST_CASE("storage sizes are whole blocks and never overflow") {
  CHECK(act::runtime::storage_bytes(act::runtime::tensor_type::q4_1, 64) == 40u);
  CHECK_FALSE(act::runtime::storage_bytes(act::runtime::tensor_type::q4_1, 63).has_value());
  CHECK_FALSE(
      act::runtime::storage_bytes(act::runtime::tensor_type::f32, std::numeric_limits<std::size_t>::max())
          .has_value());
}

TEST_CASE("blocks whose scale isn't a number have no numbers") {
  using enum act::runtime::tensor_type;
  for (const act::runtime::tensor_type type : {q2_k, q3_k, q4_k, q5_k, q6_k, iq4_nl, iq4_xs}) {
    CAPTURE(act::runtime::name_of(type));
    // As a half, 0x7c7c is NaN: wherever a block has its scale, it is one.
    std::vector<std::byte> block(act::runtime::block_bytes(type), std::byte{0x7c});
    std::vector<float> values(act::runtime::block_elements(type));
    act::runtime::dequantize(type, block, values);
    for (const float value : values)
      REQUIRE(std::isnan(value));
  }
}

namespace {

void check_model(const char* path, const char* checksums) {
  if (!std::filesystem::exists(path)) {
    MESSAGE("[skipped] no model file at " << path);
    return;
  }
  const act::runtime::gguf_file file(path);
  std::ifstream lines(golden / checksums);
  std::uint32_t expected = 0;
  std::string name;
  std::size_t compared = 0;
  while (lines >> std::hex >> expected >> name) {
    CAPTURE(name);
    const std::vector<float> values = dequantized(file.tensor(name));
    CHECK(act_test::crc32(std::as_bytes(std::span(values))) == expected);
    ++compared;
  }
  CHECK(compared == file.tensors().size());
}

}  // namespace

TEST_CASE("every tensor of SmolLM2 (Q4_1) has gguf's values") {
  check_model(ACT_TEST_MODEL, "smollm2.crc32");
}

TEST_CASE("every tensor of Gemma 3 (F32, Q5_0, Q8_0, Q4_K, Q6_K) has gguf's values") {
  check_model(ACT_TEST_GEMMA3, "gemma3.crc32");
}
