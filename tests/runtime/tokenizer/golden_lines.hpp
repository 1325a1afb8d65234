// The golden lines and ids of tests/golden/tokenizer, as make_golden.py there wrote them.
#pragma once

#include <act/runtime/tokenizer/tokenizer.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/checkpoint/crc32.hpp"
#include "temporary_folder.hpp"

namespace act_test {

inline const std::filesystem::path tokenizer_golden =
    std::filesystem::path(ACT_TEST_GOLDEN_DIR) / "tokenizer";

/// Numbers and strings from a golden file, one after the other.
class golden_reader {
 public:
  explicit golden_reader(const std::filesystem::path& path) : content_(read_whole_file(path)) {}
  template <class T>
  T number() {
    T value;
    std::memcpy(&value, text(sizeof value).data(), sizeof value);
    return value;
  }
  std::string_view text(std::size_t length) {
    if (content_.size() - at_ < length) throw std::runtime_error("golden file ends early");
    at_ += length;
    return std::string_view(content_).substr(at_ - length, length);
  }
  [[nodiscard]] bool at_end() const { return at_ == content_.size(); }

 private:
  std::string content_;
  std::size_t at_ = 0;
};

inline std::vector<std::string> golden_lines() {
  golden_reader reader(tokenizer_golden / "lines.bin");
  std::vector<std::string> lines;
  while (!reader.at_end())
    lines.emplace_back(reader.text(reader.number<std::uint32_t>()));
  return lines;
}

/// How many lines have other ids than the golden file says; the first few are shown.
struct comparison {
  std::size_t lines = 0, mismatches = 0;
  std::string shown;

  void add(const std::string& line, bool equal) {
    ++lines;
    if (equal) return;
    if (++mismatches <= 5) shown += "line " + std::to_string(lines - 1) + ": " + line.substr(0, 200) + "\n";
  }
};

/// Against "*.ids": all ids.
inline comparison compare_ids(const act::runtime::tokenizer& tokenizer, const std::filesystem::path& golden,
                              bool add_special = false) {
  comparison result;
  golden_reader reader(golden);
  for (const std::string& line : golden_lines()) {
    std::vector<act::runtime::token_id> expected(reader.number<std::uint16_t>());
    for (act::runtime::token_id& id : expected)
      id = reader.number<std::uint16_t>();
    result.add(line, tokenizer.encode(line, act::runtime::special_tokens_in_text::are_tokens, add_special) ==
                         expected);
  }
  return result;
}

/// Against "*.checks": the number of ids and their checksum.
inline comparison compare_checks(
    const act::runtime::tokenizer& tokenizer, const std::filesystem::path& golden, bool add_special = false,
    act::runtime::special_tokens_in_text written = act::runtime::special_tokens_in_text::are_tokens) {
  comparison result;
  golden_reader reader(golden);
  for (const std::string& line : golden_lines()) {
    const std::vector<act::runtime::token_id> ids = tokenizer.encode(line, written, add_special);
    const auto count = reader.number<std::uint32_t>();
    const auto checksum = reader.number<std::uint32_t>();
    result.add(line, ids.size() == count && crc32(std::as_bytes(std::span(ids))) == checksum);
  }
  return result;
}

/// Every line has the golden's ids.
inline void check_all(const comparison& result) {
  INFO(result.shown);
  CHECK(result.lines > 2000);
  CHECK(result.mismatches == 0);
}

}  // namespace act_test
