#include "runtime/token_lists.hpp"

#include <act/error.hpp>
#include <act/io/printable.hpp>
#include <act/io/text_file.hpp>

#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>
#include <sstream>
#include <string_view>
#include <system_error>

namespace act_bench {

namespace {

// Plain prose with names, numbers and a quotation, so that heads find what they look for; long enough that a
// prompt of 256 tokens holds nothing twice.
constexpr std::string_view page =
    "The harbour town of Lindholm has had a lighthouse since 1782, though the tower that stands there now "
    "was "
    "built much later, after a storm in the winter of 1861 had taken the first one. Ships that came from the "
    "north were to keep it on their right until they saw the church, and then to turn; most of them did. The "
    "keeper, a man called Anders Holt, wrote down every ship that passed, with its flag, its cargo and what "
    "he thought of its captain. \"A careful man,\" he says of one, and of another: \"He will be on the rocks "
    "before Easter.\" His books, forty-three of them, were found in 1954 in the cellar of the school, dry "
    "and "
    "nearly complete. Historians have used them ever since to learn how trade in the region grew: how much "
    "timber went south, how much salt and iron came back, and in which years there was hardly any of either. "
    "A film was made of his life, and critics disagreed about it. Some found it slow, beautiful and true, "
    "with a wonderful performance by its leading actor; others called it a dull, overlong mess that wastes a "
    "good story and leaves its audience cold. Both have a point. In its best scenes nothing happens at all: "
    "rain falls, a lamp is cleaned, somebody laughs in another room. Whoever wants more than that should "
    "look elsewhere, and whoever has ever waited for a ship will know what is meant. ";

[[noreturn]] void refuse(const std::string& where, std::string_view what, const std::string& mend) {
  throw act::error(act::error_code::invalid_input, where, "'" + act::io::printable(what) + "' " + mend);
}

std::optional<std::int32_t> number(std::string_view text) {
  std::int32_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

}  // namespace

std::vector<std::size_t> parse_counts(const std::string& text, const std::string& option) {
  std::vector<std::size_t> counts;
  std::istringstream parts(text);
  for (std::string part; std::getline(parts, part, ',');) {
    const auto count = number(part);
    if (!count || *count == 0) {
      throw act::error(act::error_code::invalid_option, option,
                       "'" + act::io::printable(text) + "' isn't a list of counts; give some like 64,256");
    }
    counts.push_back(static_cast<std::size_t>(*count));
  }
  return counts;
}

std::vector<token_list> read_token_lists(const std::string& path) {
  const act::io::text_file file = act::io::read_text_file(path);
  std::vector<token_list> lists;
  std::istringstream lines(file.text);
  std::size_t number_of_line = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number_of_line;
    std::istringstream words(line);
    token_list list;
    for (std::string word; words >> word;) {
      const auto id = number(word);
      if (!id)
        refuse(path + ": line " + std::to_string(number_of_line), word,
               "isn't a token id; write whole numbers with spaces between");
      list.push_back(*id);
    }
    if (!list.empty()) lists.push_back(std::move(list));
  }
  if (lists.empty())
    throw act::error(act::error_code::invalid_input, path, "holds no token ids; write a list a line");
  return lists;
}

token_list built_in_text(const act::runtime::tokenizer& by, std::size_t count) {
  return stretched(by.encode(page), count);
}

std::vector<token_list> short_prompts(const token_list& text, std::size_t count) {
  constexpr std::size_t shortest = 45, spread = 29;
  std::vector<token_list> prompts;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t length = shortest + i * 11 % spread;
    token_list prompt;
    for (std::size_t at = 0; at < length; ++at)
      prompt.push_back(text[(begin + at) % text.size()]);
    prompts.push_back(std::move(prompt));
    begin += 37;  // not a length: prompts begin in the middle of others
  }
  return prompts;
}

token_list stretched(const token_list& text, std::size_t count) {
  token_list longer;
  longer.reserve(count);
  for (std::size_t at = 0; at < count; ++at)
    longer.push_back(text[at % text.size()]);
  return longer;
}

}  // namespace act_bench
