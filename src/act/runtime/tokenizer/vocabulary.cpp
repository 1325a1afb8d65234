#include <act/error.hpp>
#include <act/io/printable.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>
#include <act/runtime/tokenizer/vocabulary.hpp>

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace act::runtime {

vocabulary::vocabulary(const list& tokens, const std::string& source) {
  ids_.reserve(tokens.size());
  for (const auto& [token, id] : tokens)
    if (!ids_.emplace(token, id).second)
      throw error(error_code::invalid_input, source,
                  "token '" + io::printable(token) +
                      "' is there twice; the tokenizer files are damaged or don't belong together");
}

std::array<std::optional<token_id>, 256> vocabulary::bytes() const {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::array<std::optional<token_id>, 256> ids;
  for (std::size_t byte = 0; byte < 256; ++byte)
    ids[byte] = find(std::string("<0x") + digits[byte >> 4] + digits[byte & 15] + '>');
  return ids;
}

}  // namespace act::runtime
