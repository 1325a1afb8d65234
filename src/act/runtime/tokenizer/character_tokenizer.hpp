// One token for each character: the vocabulary of small models trained from scratch on a page of text
// (char_vocab.json, a character to its id). It has no special tokens and no way to write a character it
// doesn't know, so that is an error.
#pragma once

#include <act/error.hpp>
#include <act/io/printable.hpp>
#include <act/io/utf8.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace act::runtime {

class character_tokenizer final : public tokenizer {
 public:
  /// `source` is the file, for messages. Throws `error` (invalid_input) for entries that aren't one
  /// character, and for ids that aren't 0 .. n - 1, each once.
  character_tokenizer(const std::vector<std::pair<std::string, token_id>>& characters, std::string source)
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

  /// Also throws `error` (invalid_input) for a character outside the vocabulary, naming it and its byte.
  [[nodiscard]] std::vector<token_id> encode(std::string_view text, bool = true) const override {
    std::vector<token_id> ids;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t length = io::utf8_length(text, at);
      if (length == 0)
        throw error(error_code::invalid_input, "text: at byte " + std::to_string(at),
                    "isn't valid UTF-8; convert it, for example with iconv -f latin1 -t utf-8");
      const std::optional<token_id> id = find(text.substr(at, length));
      if (!id)
        throw error(error_code::invalid_input, "text: at byte " + std::to_string(at),
                    "the model's vocabulary of " + std::to_string(characters_.size()) +
                        " characters has no '" + io::printable(text.substr(at, length)) + "'; leave it out");
      ids.push_back(*id);
      at += length;
    }
    return ids;
  }

  [[nodiscard]] std::string decode(std::span<const token_id> ids, bool = false) const override {
    std::string text;
    for (const token_id id : ids) {
      if (id < 0 || static_cast<std::size_t>(id) >= characters_.size())
        throw error(error_code::invalid_input, source_,
                    "token id " + std::to_string(id) + " is outside the vocabulary of " +
                        std::to_string(characters_.size()) + "; use ids of this model's tokenizer");
      text += characters_[static_cast<std::size_t>(id)];
    }
    return text;
  }

  [[nodiscard]] std::size_t vocabulary_size() const noexcept override { return characters_.size(); }
  [[nodiscard]] std::optional<token_id> find(std::string_view token) const override {
    const auto found = ids_.find(std::string(token));
    return found == ids_.end() ? std::nullopt : std::optional(found->second);
  }
  [[nodiscard]] std::optional<token_id> bos() const noexcept override { return std::nullopt; }
  [[nodiscard]] std::optional<token_id> eos() const noexcept override { return std::nullopt; }

 private:
  std::string source_;
  std::vector<std::string> characters_;  // by id
  std::unordered_map<std::string, token_id> ids_;
};

}  // namespace act::runtime
