#include <act/io/utf8.hpp>
#include <act/runtime/tokenizer/byte_alphabet.hpp>
#include <act/runtime/tokenizer/text_growth.hpp>
#include <act/runtime/tokenizer/text_normalizer.hpp>
#include <act/runtime/tokenizer/token_decoder.hpp>

#include <charconv>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace act::runtime {
namespace {

struct applied_step {
  std::vector<std::string>& tokens;

  void operator()(const bytes_from_alphabet&) const {
    for (std::string& token : tokens)
      token = bytes_of_token(token);
  }
  void operator()(const bytes_from_names&) const {
    for (std::string& token : tokens) {
      if (token.size() != 6 || !token.starts_with("<0x") || !token.ends_with('>')) continue;
      unsigned char byte = 0;
      const char* const end = token.data() + 5;
      if (const auto read = std::from_chars(token.data() + 3, end, byte, 16); read.ptr == end)
        token = std::string(1, static_cast<char>(byte));
    }
  }
  void operator()(const fused_tokens&) const { tokens = {joined()}; }
  void operator()(const replaced_text& replacement) const {
    for (std::string& token : tokens) {
      std::string made;
      std::size_t lead = 0;  // of no interest here
      replacement.apply(token, made, lead);
      token = std::move(made);
    }
  }
  void operator()(const stripped_character& stripped) const {
    const std::string_view character = stripped.character;
    for (std::string& token : tokens) {
      std::string_view left = token;
      for (std::size_t i = 0; i < stripped.start && left.starts_with(character); ++i)
        left.remove_prefix(character.size());
      for (std::size_t i = 0; i < stripped.stop && left.ends_with(character); ++i)
        left.remove_suffix(character.size());
      token = std::string(left);
    }
  }
  void operator()(const spaces_from_marks& marks) const {
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      std::string made;
      for (std::size_t at = 0; at < tokens[i].size();) {
        if (std::string_view(tokens[i]).substr(at).starts_with(marks.mark)) {
          if (i > 0 || !marks.prefix_goes) made += ' ';
          at += marks.mark.size();
        } else {
          made += tokens[i][at++];
        }
      }
      tokens[i] = std::move(made);
    }
  }

  [[nodiscard]] std::size_t size() const {
    std::size_t sum = 0;
    for (const std::string& token : tokens)
      sum += token.size();
    return sum;
  }
  [[nodiscard]] std::string joined() const {
    std::string all;
    for (const std::string& token : tokens)
      all += token;
    return all;
  }
};

}  // namespace

token_decoder token_decoder::byte_level() {
  token_decoder made;
  made.add(bytes_from_alphabet());
  return made;
}

std::string token_decoder::operator()(std::vector<std::string> tokens) const {
  if (steps_.empty()) {
    std::string text;
    for (std::size_t i = 0; i < tokens.size(); ++i)
      text += (i > 0 ? " " : "") + tokens[i];
    return text;
  }
  const applied_step apply{tokens};
  const std::size_t before = apply.size();
  for (const step& next : steps_) {
    std::visit(apply, next);
    check_growth(before, apply.size());
  }
  return apply.joined();
}

}  // namespace act::runtime
