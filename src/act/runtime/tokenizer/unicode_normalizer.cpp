#include <act/error.hpp>
#include <act/io/utf8.hpp>
#include <act/runtime/tokenizer/unicode_normalizer.hpp>

// Set by CMake where utf8proc is.
#if defined(ACT_HAS_UTF8PROC)
#include <utf8proc.h>
#endif

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace act::runtime {
namespace {

bool is_ascii(std::string_view text) noexcept {
  for (const char c : text)
    if (static_cast<unsigned char>(c) >= 0x80) return false;
  return true;
}

// Characters with a decomposition or a place among marks that came to Unicode after the tables of the
// reference (and U+11930, which composes since): it leaves them where and as they are. Found by comparing all
// code points with `tokenizers` 0.23.
constexpr std::array<std::pair<char32_t, char32_t>, 47> newer{
    {{0x7fd, 0x7fd},     {0x898, 0x89f},     {0x8ca, 0x8d3},     {0x9fe, 0x9fe},     {0xc3c, 0xc3c},
     {0xd3b, 0xd3c},     {0xeba, 0xeba},     {0x1715, 0x1715},   {0x1abf, 0x1ace},   {0x1df6, 0x1dfa},
     {0x32ff, 0x32ff},   {0xa7f2, 0xa7f4},   {0xa82c, 0xa82c},   {0xab69, 0xab69},   {0x10781, 0x10785},
     {0x10787, 0x107b0}, {0x107b2, 0x107ba}, {0x10d24, 0x10d27}, {0x10eab, 0x10eac}, {0x10efd, 0x10eff},
     {0x10f46, 0x10f50}, {0x10f82, 0x10f85}, {0x11070, 0x11070}, {0x1133b, 0x1133b}, {0x1145e, 0x1145e},
     {0x11839, 0x1183a}, {0x11930, 0x11930}, {0x11938, 0x11938}, {0x1193d, 0x1193e}, {0x11943, 0x11943},
     {0x119e0, 0x119e0}, {0x11a34, 0x11a34}, {0x11a47, 0x11a47}, {0x11a99, 0x11a99}, {0x11d42, 0x11d42},
     {0x11d44, 0x11d45}, {0x11d97, 0x11d97}, {0x11f41, 0x11f42}, {0x16ff0, 0x16ff1}, {0x1e030, 0x1e06d},
     {0x1e08f, 0x1e08f}, {0x1e130, 0x1e136}, {0x1e2ae, 0x1e2ae}, {0x1e2ec, 0x1e2ef}, {0x1e4ec, 0x1e4ef},
     {0x1f16c, 0x1f16c}, {0x1fbf0, 0x1fbf9}}};

bool is_newer(char32_t c) noexcept {
  const auto* const range = std::lower_bound(newer.begin(), newer.end(), c,
                                             [](const auto& r, char32_t value) { return r.second < value; });
  return range != newer.end() && range->first <= c;
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

// The stretches between newer characters in the form.
std::string between_newer(unicode_form form, std::string_view text) {
  std::string made;
  std::size_t done = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = std::max<std::size_t>(io::utf8_length(text, at), 1);
    if (is_newer(io::utf8_code_point(text, at, length))) {
      made += in_form(form, std::string(text.substr(done, at - done)));
      made += text.substr(at, length);
      done = at + length;
    }
    at += length;
  }
  return made + in_form(form, std::string(text.substr(done)));
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
    if (!is_ascii(normalized)) normalized = between_newer(form, normalized);
  return normalized;
}

}  // namespace act::runtime
