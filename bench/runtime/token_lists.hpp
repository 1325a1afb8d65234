// The token ids that act_runtime_bench runs on: from files, so that peers get the same, or of a text of its
// own.
#pragma once

#include <act/runtime/tokenizer/tokenizer.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace act_bench {

using token_list = std::vector<act::runtime::token_id>;

/// "64,256" to {64, 256}: numbers from 1 to 2^31 - 1. Throws act::error (invalid_option) naming `option`.
[[nodiscard]] std::vector<std::size_t> parse_counts(const std::string& text, const std::string& option);

/// A list a line, ids with spaces between; empty lines are passed over. Throws act::error (io, invalid_input
/// for what is no id below 2^31 and for a file without a list).
[[nodiscard]] std::vector<token_list> read_token_lists(const std::string& path);

/// The ids of a page of English, told again from its beginning until there are `count`.
[[nodiscard]] token_list built_in_text(const act::runtime::tokenizer& by, std::size_t count);

/// `count` prompts of 45 to 73 tokens, as SST-2's are, cut from `text` at different places. Precondition:
/// `text` isn't empty.
[[nodiscard]] std::vector<token_list> short_prompts(const token_list& text, std::size_t count);

/// The first `count` ids of `text`, from its beginning again where it ends. Precondition: it isn't empty.
[[nodiscard]] token_list stretched(const token_list& text, std::size_t count);

}  // namespace act_bench
