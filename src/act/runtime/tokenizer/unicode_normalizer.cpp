#include <act/error.hpp>
#include <act/runtime/tokenizer/unicode_normalizer.hpp>

// Set by CMake where utf8proc is.
#if defined(ACT_HAS_UTF8PROC)
#include <utf8proc.h>
#endif

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

namespace act::runtime {
namespace {

bool is_ascii(std::string_view text) noexcept {
  for (const char c : text)
    if (static_cast<unsigned char>(c) >= 0x80) return false;
  return true;
}

std::string in_form([[maybe_unused]] unicode_form form, const std::string& text) {
#if defined(ACT_HAS_UTF8PROC)
  int options = UTF8PROC_STABLE;
  options |= form == unicode_form::nfc || form == unicode_form::nfkc ? UTF8PROC_COMPOSE : UTF8PROC_DECOMPOSE;
  if (form == unicode_form::nfkc || form == unicode_form::nfkd) options |= UTF8PROC_COMPAT;
  utf8proc_uint8_t* made = nullptr;
  const utf8proc_ssize_t length = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                               static_cast<utf8proc_ssize_t>(text.size()), &made,
                                               static_cast<utf8proc_option_t>(options));
  const std::unique_ptr<utf8proc_uint8_t, void (*)(void*)> owner(made, std::free);
  if (length < 0)
    throw error(error_code::invalid_input, "text",
                std::string("can't be normalised: ") + utf8proc_errmsg(length) + "; check its encoding");
  return {reinterpret_cast<const char*>(made), static_cast<std::size_t>(length)};
#else
  return text;  // not reached: add() refused every form
#endif
}

}  // namespace

void unicode_normalizer::add(unicode_form form, std::string_view where) {
#if defined(ACT_HAS_UTF8PROC)
  (void)where;
  forms_.push_back(form);
#else
  (void)form;
  throw error(
      error_code::unsupported, where,
      "asks for Unicode normalisation, which this build lacks; install libutf8proc-dev and build again");
#endif
}

std::string unicode_normalizer::operator()(std::string_view text) const {
  std::string normalized(text);
  // Below U+0300 nothing composes, and below U+0080 nothing decomposes either: most text is done here.
  for (const unicode_form form : forms_)
    if (!is_ascii(normalized)) normalized = in_form(form, normalized);
  return normalized;
}

}  // namespace act::runtime
