// The tokenizer of a Hugging Face model folder, from whichever of its files is there.
#pragma once

#include <act/runtime/tokenizer/tokenizer.hpp>

#include <memory>
#include <string>
#include <vector>

namespace act::runtime {

/// Looks for tokenizer.json, then vocab.json + merges.txt, then tokenizer.model, then char_vocab.json; of a
/// tokenizer.json of SentencePiece's kind and a tokenizer.model the latter is read. The settings files beside
/// them count as they do in `transformers`, and the lists of `eos_token_id` in config.json and
/// generation_config.json are what ends() says. docs/tokenizers.md tells it all. Where files contradict each
/// other and one is passed over, `notices` gets a line that says which. Throws `error`: io when the folder
/// has none of them, mismatch for files that can't belong together, otherwise what their readers throw.
[[nodiscard]] std::unique_ptr<tokenizer> load_tokenizer(const std::string& folder,
                                                        std::vector<std::string>& notices);

/// The same for who doesn't ask for notices.
[[nodiscard]] std::unique_ptr<tokenizer> load_tokenizer(const std::string& folder);

}  // namespace act::runtime
