// A tokenizer of as many tokens as a test lists, hostile ones included.
#pragma once

#include <act/error.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace act_test {

/// Token i stands for the i-th text. With `drops_first_space` the space that a text begins with isn't
/// decoded.
class listed_tokenizer final : public act::runtime::tokenizer {
 public:
  explicit listed_tokenizer(std::vector<std::string> texts, bool drops_first_space = false,
                            std::vector<act::runtime::token_id> ends = {})
      : texts_(std::move(texts)), drops_first_space_(drops_first_space) {
    end_with({}, std::move(ends));
  }

  [[nodiscard]] std::vector<act::runtime::token_id> encode(std::string_view,
                                                           act::runtime::special_tokens_in_text,
                                                           bool) const override {
    return {};
  }
  [[nodiscard]] std::string decode(std::span<const act::runtime::token_id> ids, bool) const override {
    std::string text;
    for (const act::runtime::token_id id : ids)
      text += texts_.at(static_cast<std::size_t>(id));
    if (drops_first_space_ && text.starts_with(' ')) text.erase(0, 1);
    return text;
  }
  [[nodiscard]] std::size_t vocabulary_size() const noexcept override { return texts_.size(); }
  [[nodiscard]] std::optional<act::runtime::token_id> find(std::string_view) const override { return {}; }
  [[nodiscard]] std::optional<act::runtime::token_id> bos() const noexcept override { return {}; }
  [[nodiscard]] std::optional<act::runtime::token_id> eos() const noexcept override { return {}; }

 private:
  std::vector<std::string> texts_;
  bool drops_first_space_;
};

}  // namespace act_test
