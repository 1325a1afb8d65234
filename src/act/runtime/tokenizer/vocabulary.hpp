// The tokens of a model's vocabulary by their spelling. For bpe_model.hpp and unigram_model.hpp; special and
// added tokens, which aren't the model's, are special_tokens.hpp's.
#pragma once

#include <act/runtime/tokenizer/tokenizer.hpp>

#include <array>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace act::runtime {

/// Immutable in use.
class vocabulary {
 public:
  /// Tokens and their ids, as a file lists them.
  using list = std::vector<std::pair<std::string, token_id>>;

  vocabulary() = default;
  /// Throws `error` (invalid_input), naming `source`, for a token that is there twice.
  vocabulary(const list& tokens, const std::string& source);

  [[nodiscard]] std::optional<token_id> find(std::string_view token) const {
    const auto found = ids_.find(token);
    return found == ids_.end() ? std::nullopt : std::optional(found->second);
  }

  /// The ids of the tokens "<0x00>" .. "<0xFF>" that stand for single bytes, where they are.
  [[nodiscard]] std::array<std::optional<token_id>, 256> bytes() const;

 private:
  struct spelling_hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>()(text);
    }
  };

  std::unordered_map<std::string, token_id, spelling_hash, std::equal_to<>> ids_;
};

}  // namespace act::runtime
