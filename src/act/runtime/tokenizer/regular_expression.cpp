#ifndef PCRE2_CODE_UNIT_WIDTH
#define PCRE2_CODE_UNIT_WIDTH 8
#endif

#include <act/error.hpp>
#include <act/io/printable.hpp>
#include <act/runtime/tokenizer/regular_expression.hpp>

#include <pcre2.h>

#include <cstddef>
#include <new>
#include <optional>
#include <string>
#include <string_view>

namespace act::runtime {
namespace {

// What Unicode 15 and 16 added to the letters and numbers of Unicode 14, which PCRE2 10.42 has. A newer PCRE2
// matches these twice, which changes nothing. Found by comparing all code points with `tokenizers` 0.23
// (tests/golden/tokenizer).
constexpr std::string_view new_letters =
    R"(\x{1c89}-\x{1c8a}\x{a7cb}-\x{a7cd}\x{a7da}-\x{a7dc}\x{105c0}-\x{105f3}\x{10d4a}-\x{10d65}\x{10d6f}-\x{10d85})"
    R"(\x{10ec2}-\x{10ec4}\x{1123f}-\x{11240}\x{11380}-\x{11389}\x{1138b}\x{1138e}\x{11390}-\x{113b5}\x{113b7}\x{113d1})"
    R"(\x{113d3}\x{11bc0}-\x{11be0}\x{11f02}\x{11f04}-\x{11f10}\x{11f12}-\x{11f33}\x{1342f}\x{13441}-\x{13446})"
    R"(\x{13460}-\x{143fa}\x{16100}-\x{1611d}\x{16d40}-\x{16d6c}\x{18cff}\x{1b132}\x{1b155}\x{1df25}-\x{1df2a})"
    R"(\x{1e030}-\x{1e06d}\x{1e4d0}-\x{1e4eb}\x{1e5d0}-\x{1e5ed}\x{1e5f0}\x{2b739}\x{2ebf0}-\x{2ee5d}\x{31350}-\x{323af})";
constexpr std::string_view new_numbers =
    R"(\x{10d40}-\x{10d49}\x{116d0}-\x{116e3}\x{11bf0}-\x{11bf9}\x{11f50}-\x{11f59}\x{16130}-\x{16139}\x{16d70}-\x{16d79})"
    R"(\x{1ccf0}-\x{1ccf9}\x{1d2c0}-\x{1d2d3}\x{1e4f0}-\x{1e4f9}\x{1e5f1}-\x{1e5fa})";
// Unicode's White_Space. PCRE2's \s also has U+180E, which left it in Unicode 6.3.
constexpr std::string_view white_space =
    R"(\x{09}-\x{0d}\x{20}\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000})";

/// `pattern` with \p{L}, \p{N} and \s, inside classes and out, and \S outside, spelled so that PCRE2 matches
/// the reference's characters. Everything else is left to PCRE2.
std::string reference_pattern(std::string_view pattern) {
  std::string translated;
  bool in_class = false;
  const auto put = [&](std::string_view characters, bool negated = false) {
    if (!in_class) translated += negated ? "[^" : "[";
    translated += characters;
    if (!in_class) translated += ']';
  };
  for (std::size_t at = 0; at < pattern.size();) {
    const std::string_view rest = pattern.substr(at);
    if (rest.starts_with("\\p{L}")) {
      put("\\p{L}" + std::string(new_letters));
      at += 5;
    } else if (rest.starts_with("\\p{N}")) {
      put("\\p{N}" + std::string(new_numbers));
      at += 5;
    } else if (rest.starts_with("\\s")) {
      put(white_space);
      at += 2;
    } else if (rest.starts_with("\\S") && !in_class) {
      put(white_space, true);
      at += 2;
    } else if (rest.front() == '\\' && rest.size() > 1) {
      translated += rest.substr(0, 2);
      at += 2;
    } else {
      if (rest.front() == '[') in_class = true;
      if (rest.front() == ']') in_class = false;
      translated += rest.front();
      ++at;
    }
  }
  return translated;
}

std::string message_of(int code) {
  PCRE2_UCHAR text[256] = {};
  pcre2_get_error_message(code, text, sizeof text);
  return reinterpret_cast<const char*>(text);
}

}  // namespace

regular_expression::regular_expression(std::string_view pattern, std::string_view where) {
  const std::string translated = reference_pattern(pattern);
  int code = 0;
  PCRE2_SIZE offset = 0;
  code_.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(translated.data()), translated.size(),
                            PCRE2_UTF | PCRE2_UCP | PCRE2_NO_UTF_CHECK | PCRE2_NEVER_BACKSLASH_C, &code,
                            &offset, nullptr));
  if (!code_)
    throw error(error_code::invalid_input, where,
                "the pattern '" + io::printable(pattern) + "' doesn't compile: " + message_of(code) +
                    "; use one PCRE2 understands");
  pcre2_jit_compile(static_cast<pcre2_code*>(code_.get()),
                    PCRE2_JIT_COMPLETE);  // where it isn't available, matching interprets
}

void regular_expression::free_code::operator()(void* code) const noexcept {
  pcre2_code_free(static_cast<pcre2_code*>(code));
}

void regular_expression::matcher::free_data::operator()(void* data) const noexcept {
  pcre2_match_data_free(static_cast<pcre2_match_data*>(data));
}

regular_expression::matcher::matcher(const regular_expression& expression)
    : code_(expression.code_.get()),
      data_(pcre2_match_data_create_from_pattern(static_cast<const pcre2_code*>(code_), nullptr)) {
  if (!data_) throw std::bad_alloc();
}

std::optional<regular_expression::match> regular_expression::matcher::find(std::string_view text,
                                                                           std::size_t from) {
  auto* const data = static_cast<pcre2_match_data*>(data_.get());
  const int found =
      pcre2_match(static_cast<const pcre2_code*>(code_), reinterpret_cast<PCRE2_SPTR>(text.data()),
                  text.size(), from, PCRE2_NO_UTF_CHECK, data, nullptr);
  if (found == PCRE2_ERROR_NOMATCH) return std::nullopt;
  if (found < 0)
    throw error(error_code::unsupported, "pre-tokenizer",
                "the pattern can't be matched: " + message_of(found) + "; split the text into shorter ones");
  const PCRE2_SIZE* const bounds = pcre2_get_ovector_pointer(data);
  if (bounds[0] > bounds[1])  // \K inside a look-ahead, which older PCRE2 lets through
    throw error(error_code::unsupported, "pre-tokenizer", "the pattern moves a match's start behind its end");
  return match{bounds[0], bounds[1]};
}

}  // namespace act::runtime
