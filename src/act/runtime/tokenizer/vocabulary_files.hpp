// vocab.json + merges.txt, the two files of GPT-2's original layout, which OPT checkpoints have too. They
// hold neither the pre-tokenizer (it is GPT-2's) nor the special tokens: those come from
// tokenizer_config.json beside them, or, without that, from the vocabulary itself, which is GPT-2's or OPT's.
#pragma once

#include <act/runtime/tokenizer/pipeline_tokenizer.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>
#include <act/runtime/tokenizer/tokenizer_settings.hpp>

#include <string>
#include <utility>
#include <vector>

namespace act::runtime {

/// The tokens of a vocab.json, an object of ids by token. Throws `error` (io, invalid_input).
[[nodiscard]] std::vector<std::pair<std::string, token_id>> read_vocabulary_json(const std::string& path);

/// The parts of the tokenizer in `folder`, but for its special tokens: `settings` has their names, and gets
/// them from the vocabulary where no file says any. Throws `error`: io, and invalid_input that names file and
/// place.
[[nodiscard]] pipeline_parts read_vocabulary_files(const std::string& folder, tokenizer_settings& settings);

}  // namespace act::runtime
