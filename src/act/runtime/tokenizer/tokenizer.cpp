#include <act/error.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace act::runtime {

void tokenizer::refuse_invalid_utf8(std::size_t at) {
  throw error(error_code::invalid_input, "text: at byte " + std::to_string(at),
              "isn't valid UTF-8; convert it, for example with iconv -f latin1 -t utf-8");
}

void tokenizer::refuse_token(const std::string& source, token_id id, std::size_t size) {
  throw error(error_code::invalid_input, source,
              "token id " + std::to_string(id) + " is outside the vocabulary of " + std::to_string(size) +
                  "; use ids of this model's tokenizer");
}

void tokenizer::end_with(std::optional<token_id> eos, std::vector<token_id> others) {
  ends_ = std::move(others);
  if (eos) ends_.push_back(*eos);
  std::sort(ends_.begin(), ends_.end());
  ends_.erase(std::unique(ends_.begin(), ends_.end()), ends_.end());
}

}  // namespace act::runtime
