// Unicode normalisation of text before it is tokenised (GPT-NeoX wants NFC), through utf8proc. Builds without
// utf8proc have the type but refuse every form.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace act::runtime {

enum class unicode_form { nfc, nfd, nfkc, nfkd };

/// Applies forms one after the other; none by default, and then it costs nothing. Immutable in use.
class unicode_normalizer {
 public:
  /// Throws `error` (unsupported), naming `where`, in a build without utf8proc.
  void add(unicode_form form, std::string_view where);

  [[nodiscard]] bool empty() const noexcept { return forms_.empty(); }

  /// `text` (valid UTF-8) in the forms asked for. Throws `error` (invalid_input) when utf8proc refuses it.
  [[nodiscard]] std::string operator()(std::string_view text) const;

 private:
  std::vector<unicode_form> forms_;
};

}  // namespace act::runtime
