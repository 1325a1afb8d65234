// Unicode normalisation of text before it is tokenised (GPT-NeoX wants NFC), through utf8proc. Builds without
// utf8proc have the type but refuse every form: ACT_HAS_UTF8PROC, set by CMake where the library is, says
// which.
#pragma once

#include <act/error.hpp>

#if defined(ACT_HAS_UTF8PROC)
#include <utf8proc.h>
#endif

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace act::runtime {

enum class unicode_form { nfc, nfd, nfkc, nfkd };

/// Applies forms one after the other; none by default, and then it costs nothing. Immutable in use.
class unicode_normalizer {
 public:
  /// Throws `error` (unsupported), naming `where`, in a build without utf8proc.
  void add(unicode_form form, std::string_view where) {
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

  [[nodiscard]] bool empty() const noexcept {
    return forms_.empty();
  }

  /// `text` (valid UTF-8) in the forms asked for. Throws `error` (invalid_input) when utf8proc refuses it.
  [[nodiscard]] std::string operator()(std::string_view text) const {
    std::string normalized(text);
    // Below U+0300 nothing composes, and below U+0080 nothing decomposes either: most text is done here.
    for (const unicode_form form : forms_)
      if (!is_ascii(normalized)) normalized = apply(form, normalized);
    return normalized;
  }

 private:
  static bool is_ascii(std::string_view text) noexcept {
    for (const char c : text)
      if (static_cast<unsigned char>(c) >= 0x80) return false;
    return true;
  }

  static std::string apply([[maybe_unused]] unicode_form form, const std::string& text) {
#if defined(ACT_HAS_UTF8PROC)
    int options = UTF8PROC_STABLE;
    options |=
        form == unicode_form::nfc || form == unicode_form::nfkc ? UTF8PROC_COMPOSE : UTF8PROC_DECOMPOSE;
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

  std::vector<unicode_form> forms_;
};

}  // namespace act::runtime
