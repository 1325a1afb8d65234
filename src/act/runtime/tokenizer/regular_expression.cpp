#ifndef PCRE2_CODE_UNIT_WIDTH
#define PCRE2_CODE_UNIT_WIDTH 8
#endif

#include <act/error.hpp>
#include <act/io/printable.hpp>
#include <act/runtime/tokenizer/onig_pattern.hpp>
#include <act/runtime/tokenizer/regular_expression.hpp>

#include <pcre2.h>

#include <cstddef>
#include <new>
#include <optional>
#include <string>
#include <string_view>

namespace act::runtime {
namespace {

std::string message_of(int code) {
  PCRE2_UCHAR text[256] = {};
  pcre2_get_error_message(code, text, sizeof text);
  return reinterpret_cast<const char*>(text);
}

}  // namespace

regular_expression::regular_expression(std::string_view pattern, std::string_view where) {
  const std::string translated = pcre2_pattern(pattern, where);
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
