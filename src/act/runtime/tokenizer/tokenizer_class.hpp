// Which tokenizer class `transformers` makes for a model folder: classes treat the space before a text
// differently, so the same vocabulary gives other ids. For the readers of tokenizer files in a folder.
#pragma once

#include <string_view>

namespace act::runtime {

/// What act has to tell apart.
enum class tokenizer_class {
  general,     ///< TokenizersBackend: the tokenizer files say it all
  llama,       ///< LlamaTokenizer: `legacy` and `add_prefix_space` of tokenizer_config.json count
  code_llama,  ///< CodeLlamaTokenizer: as if `legacy` were false
  byte_level,  ///< GPT2Tokenizer and others that make their own ByteLevel step: `add_prefix_space` counts
};

/// The class that AutoTokenizer of `transformers` 5.24 makes: `named` is `tokenizer_class` of
/// tokenizer_config.json, or else of config.json ("": neither says), without a closing "Fast"; `model_type`
/// is config.json's.
[[nodiscard]] tokenizer_class class_of(std::string_view named, std::string_view model_type);

}  // namespace act::runtime
