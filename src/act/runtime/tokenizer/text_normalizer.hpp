// What a tokenizer does to a text before it is cut: Unicode forms, replacements, a prefix, stripping, in the
// order of its file. For pipeline_tokenizer.hpp. The reference is the Python package `tokenizers`.
#pragma once

#include <act/runtime/tokenizer/regular_expression.hpp>
#include <act/runtime/tokenizer/unicode_normalizer.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace act::runtime {

/// `Prepend`: a prefix for every text but the empty one.
struct prepended_text {
  std::string text;
};

/// `Replace`: every place of a pattern, or of a plain text, by another.
struct replaced_text {
  std::string plain;  ///< looked for unless there is a pattern; not empty then
  std::optional<regular_expression> pattern;
  std::string by;

  /// Appends `text` with the places replaced. `lead`: so many bytes of the text come from the first character
  /// of what is tokenised; afterwards, so many of the result. Throws `error` (unsupported) for an empty
  /// place: there the reference's own result depends on its bookkeeping.
  void apply(std::string_view text, std::string& out, std::size_t& lead) const;
};

/// `Strip`: white space at the edges goes.
struct stripped_spaces {
  bool left = true, right = true;
};

/// `ByteLevel`: every byte becomes its character of GPT-2's alphabet (byte_alphabet.hpp).
struct spelled_bytes {};

/// Steps, one after the other; none by default, and then it costs nothing. Immutable in use.
class text_normalizer {
 public:
  using step =
      std::variant<unicode_normalizer, prepended_text, replaced_text, stripped_spaces, spelled_bytes>;

  struct result {
    std::string text;
    std::size_t lead = 0;  ///< bytes at its beginning that come from the text's first character
  };

  void add(step next) { steps_.push_back(std::move(next)); }

  [[nodiscard]] bool empty() const noexcept { return steps_.empty(); }

  /// `text` (valid UTF-8) after all steps. Throws `error`: invalid_input when utf8proc refuses it,
  /// unsupported when a pattern backtracks beyond PCRE2's limits or the text grows more than 64-fold, which
  /// no published tokenizer asks for. Cost: linear in the text but for the patterns'.
  [[nodiscard]] result operator()(std::string_view text) const;

 private:
  std::vector<step> steps_;
};

}  // namespace act::runtime
