#include <act/error.hpp>
#include <act/io/printable.hpp>
#include <act/io/utf8.hpp>
#include <act/runtime/tokenizer/character_tokenizer.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace act::runtime {

character_tokenizer::character_tokenizer(const std::vector<std::pair<std::string, token_id>>& characters,
                                         std::string source)
    : source_(std::move(source)), characters_(characters.size()) {
  for (const auto& [character, id] : characters) {
    if (character.empty() || io::utf8_length(character, 0) != character.size())
      throw error(error_code::invalid_input, source_,
                  "entry '" + io::printable(character) + "' isn't one character");
    if (id < 0 || static_cast<std::size_t>(id) >= characters.size() ||
        !characters_[static_cast<std::size_t>(id)].empty())
      throw error(error_code::invalid_input, source_,
                  "character '" + io::printable(character) + "' has the id " + std::to_string(id) +
                      ", which is taken or beyond the number of characters; fetch the file again");
    characters_[static_cast<std::size_t>(id)] = character;
    ids_.emplace(character, id);
  }
}

std::vector<token_id> character_tokenizer::encode(std::string_view text, special_tokens_in_text, bool) const {
  std::vector<token_id> ids;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = io::utf8_length(text, at);
    if (length == 0) refuse_invalid_utf8(at);
    const std::optional<token_id> id = find(text.substr(at, length));
    if (!id)
      throw error(error_code::invalid_input, "text: at byte " + std::to_string(at),
                  "the model's vocabulary of " + std::to_string(characters_.size()) + " characters has no '" +
                      io::printable(text.substr(at, length)) + "'; leave it out");
    ids.push_back(*id);
    at += length;
  }
  return ids;
}

std::string character_tokenizer::decode(std::span<const token_id> ids, bool) const {
  std::string text;
  for (const token_id id : ids) {
    if (id < 0 || static_cast<std::size_t>(id) >= characters_.size())
      refuse_token(source_, id, vocabulary_size());
    text += characters_[static_cast<std::size_t>(id)];
  }
  return text;
}

std::optional<token_id> character_tokenizer::find(std::string_view token) const {
  const auto found = ids_.find(std::string(token));
  return found == ids_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace act::runtime
