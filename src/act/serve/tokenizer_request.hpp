// Requests about the tokenizer, as vLLM's server has them: a client that needs ids (lm-eval, for the lengths
// of its contexts) then needs no tokenizer of its own.
#pragma once

#include <act/runtime/tokenizer/tokenizer.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace act::serve {

/// {"bos_token", "eos_token"}, spelt; null where the model has none.
[[nodiscard]] std::string tokenizer_info_body(const runtime::tokenizer& by);

/// Answers {"prompt", "add_special_tokens": true}: {"count", "max_model_len", "tokens"}; special tokens that
/// are spelt in the text are tokens. Throws `refusal`.
[[nodiscard]] std::string tokenize(std::string_view body, const runtime::tokenizer& by, std::size_t context);

/// Answers {"tokens"}: {"prompt"}, special tokens spelt, bytes that are no characters as U+FFFD. Throws
/// `refusal`.
[[nodiscard]] std::string detokenize(std::string_view body, const runtime::tokenizer& by);

}  // namespace act::serve
