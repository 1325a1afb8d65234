#include <act/error.hpp>
#include <act/io/json_file.hpp>
#include <act/io/json_value.hpp>
#include <act/io/printable.hpp>
#include <act/runtime/tokenizer/pipeline_tokenizer.hpp>
#include <act/runtime/tokenizer/special_tokens.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>
#include <act/runtime/tokenizer/tokenizer_json.hpp>
#include <act/runtime/tokenizer/tokenizer_json_fields.hpp>
#include <act/runtime/tokenizer/tokenizer_json_model.hpp>
#include <act/runtime/tokenizer/tokenizer_json_steps.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace act::runtime {
namespace {

special_token read_added_token(io::json_value given, const tokenizer_json_fields& fields) {
  constexpr const char* place = "added_tokens";
  special_token token;
  token.text = fields.text(given, "content", place);
  token.id = fields.id_of(fields.member(given, "id", place), place);
  token.control = fields.flag(given, "special", false, place);
  token.normalized = fields.flag(given, "normalized", !token.control, place);
  token.single_word = fields.flag(given, "single_word", false, place);
  token.lstrip = fields.flag(given, "lstrip", false, place);
  token.rstrip = fields.flag(given, "rstrip", false, place);
  return token;
}

// The ids that `tokenizers` gives added tokens, whatever the file says: the vocabulary's, else the next one.
class added_ids {
 public:
  explicit added_ids(const vocabulary::list& tokens) : next_(static_cast<std::int64_t>(tokens.size())) {
    for (const auto& [token, id] : tokens)
      known_.emplace(token, id);
  }

  std::int64_t of(const std::string& text) {
    const auto [at, fresh] = known_.emplace(text, next_);
    if (fresh) ++next_;
    return at->second;
  }

 private:
  std::unordered_map<std::string_view, std::int64_t> known_;
  std::int64_t next_;
};

std::vector<special_token> read_added_tokens(io::json_value root, const tokenizer_json_fields& fields,
                                             const vocabulary::list& tokens) {
  std::vector<special_token> added;
  const auto given = root.find("added_tokens");
  if (!given) return added;
  if (!given->is_array()) fields.fail("added_tokens", "isn't a list");
  for (const io::json_value each : given->items()) {
    special_token token = read_added_token(each, fields);
    if (!token.text.empty()) added.push_back(std::move(token));
  }
  added_ids ids(tokens);
  for (const special_token& token : added)
    if (const std::int64_t id = ids.of(token.text); id != token.id)
      throw error(error_code::mismatch, fields.where("added_tokens"),
                  "gives '" + io::printable(token.text) + "' the id " + std::to_string(token.id) +
                      ", but with its vocabulary the token has " + std::to_string(id) +
                      "; the file is damaged, fetch it again");
  return added;
}

}  // namespace

pipeline_parts read_tokenizer_json(const std::string& file) {
  const io::json_tree tree = io::read_json(file);
  const io::json_value root = tree.root();
  const tokenizer_json_fields fields(file);
  if (!root.is_object()) fields.fail("", "isn't a JSON object");
  if (const auto version = root.find("version"); version && !version->is_text("1.0"))
    fields.refuse("version", "isn't \"1.0\", the one act knows");
  pipeline_parts parts;
  parts.source = file;
  json_model model = read_model(fields.member(root, "model", "model"), fields);
  parts.special = read_added_tokens(root, fields, model.tokens);
  parts.tokens = std::move(model.tokens);
  parts.model = std::move(model.settings);
  if (const auto given = root.find("normalizer")) parts.normalize = read_normalizer(*given, fields);
  if (const auto given = root.find("pre_tokenizer")) parts.pre = read_pre_tokenizer(*given, fields);
  if (const auto given = root.find("decoder")) parts.decode = read_decoder(*given, fields);
  if (const auto given = root.find("post_processor")) {
    tokens_around around = read_post_processor(*given, fields);
    parts.before = std::move(around.before);
    parts.after = std::move(around.after);
  }
  return parts;
}

}  // namespace act::runtime
