// The steps of a tokenizer.json: what normalises, cuts and decodes. Every step that act doesn't have is
// refused by name: passing one over would give other ids or other text without a word.
#pragma once

#include <act/io/json_value.hpp>
#include <act/runtime/tokenizer/pre_tokenizer.hpp>
#include <act/runtime/tokenizer/text_normalizer.hpp>
#include <act/runtime/tokenizer/token_decoder.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>
#include <act/runtime/tokenizer/tokenizer_json_fields.hpp>

#include <vector>

namespace act::runtime {

/// What a post-processor puts around a text.
struct tokens_around {
  std::vector<token_id> before, after;
};

/// The values at the root's "normalizer", "pre_tokenizer", "decoder" and "post_processor"; null ones aren't
/// passed here. Throw `error` as tokenizer_json_fields, and as the steps themselves.
[[nodiscard]] text_normalizer read_normalizer(io::json_value given, const tokenizer_json_fields& fields);
[[nodiscard]] pre_tokenizer read_pre_tokenizer(io::json_value given, const tokenizer_json_fields& fields);
[[nodiscard]] token_decoder read_decoder(io::json_value given, const tokenizer_json_fields& fields);
[[nodiscard]] tokens_around read_post_processor(io::json_value given, const tokenizer_json_fields& fields);

}  // namespace act::runtime
