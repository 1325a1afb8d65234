// The model of a tokenizer.json: its vocabulary, and merges or scores.
#pragma once

#include <act/io/json_value.hpp>
#include <act/runtime/tokenizer/bpe_model.hpp>
#include <act/runtime/tokenizer/tokenizer_json_fields.hpp>
#include <act/runtime/tokenizer/unigram_model.hpp>
#include <act/runtime/tokenizer/vocabulary.hpp>

#include <variant>

namespace act::runtime {

struct json_model {
  vocabulary::list tokens;
  std::variant<bpe_settings, unigram_settings> settings;
};

/// The value at the root's "model". Throws `error` as tokenizer_json_fields.
[[nodiscard]] json_model read_model(io::json_value given, const tokenizer_json_fields& fields);

}  // namespace act::runtime
