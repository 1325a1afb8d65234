#include <act/error.hpp>
#include <act/io/printable.hpp>
#include <act/runtime/tokenizer/added_tokens.hpp>
#include <act/runtime/tokenizer/special_tokens.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>
#include <act/runtime/tokenizer/tokenizer_settings.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace act::runtime {

added_tokens add_tokens(std::vector<special_token> own, const tokenizer_settings& settings,
                        const known_vocabulary& vocabulary, std::vector<std::string>& notices) {
  added_tokens result{.special = std::move(own), .bos = {}, .eos = {}};
  const auto quoted = [](std::string_view text) { return "'" + io::printable(text) + "'"; };
  const auto contradiction = [&](const std::string& what) {
    return error(error_code::mismatch, settings.source, what + "; the files don't belong together");
  };
  std::unordered_map<std::string, std::size_t> places;  // in result.special
  for (std::size_t i = 0; i < result.special.size(); ++i)
    places.insert_or_assign(result.special[i].text, i);
  const auto find = [&](const std::string& text) -> std::optional<token_id> {
    const auto place = places.find(text);
    if (place != places.end()) return result.special[place->second].id;
    return vocabulary.find(text);
  };

  std::size_t size = vocabulary.size;
  std::unordered_set<token_id> taken;
  for (const special_token& token : settings.added) {
    if (!taken.insert(token.id).second)
      throw contradiction("two added tokens have the id " + std::to_string(token.id));
    const std::optional<token_id> known = find(token.text);
    const auto id = static_cast<std::size_t>(token.id);
    if (known && *known != token.id)
      throw contradiction("the added token " + quoted(token.text) + " has the id " +
                          std::to_string(token.id) + ", but " + std::to_string(*known) + " in " +
                          vocabulary.source);
    if (!known && id < vocabulary.size && !vocabulary.renames)
      throw contradiction("the added token " + quoted(token.text) + " has the id " +
                          std::to_string(token.id) + ", which is another token's in " + vocabulary.source);
    if (id > size)
      throw contradiction("the added token " + quoted(token.text) + " has the id " +
                          std::to_string(token.id) + ", but the ids before it end at " +
                          std::to_string(size) + " in " + vocabulary.source);
    if (id == size) ++size;
    const auto [place, fresh] = places.emplace(token.text, result.special.size());
    if (fresh) {
      result.special.push_back(token);
    } else {
      special_token& before = result.special[place->second];
      const bool control = before.control || token.control;
      before = token;
      before.control = control;
    }
  }

  for (const special_token& role : settings.roles) {
    const auto place = places.find(role.text);
    if (place != places.end()) {
      result.special[place->second].control = true;
      continue;
    }
    if (const std::optional<token_id> id = vocabulary.find(role.text)) {
      places.emplace(role.text, result.special.size());
      result.special.push_back(role);
      result.special.back().id = *id;
    } else if (role.text == settings.bos || role.text == settings.eos) {
      throw contradiction("the token " + quoted(role.text) + ", which texts begin or end with, isn't in " +
                          vocabulary.source);
    } else {
      notices.push_back(settings.source + ": the special token " + quoted(role.text) + " isn't in " +
                        vocabulary.source + " and has no id, so it stays text");
    }
  }
  if (!settings.bos.empty()) result.bos = find(settings.bos);
  if (!settings.eos.empty()) result.eos = find(settings.eos);
  return result;
}

}  // namespace act::runtime
