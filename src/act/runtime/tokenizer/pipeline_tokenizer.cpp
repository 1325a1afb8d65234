#include <act/error.hpp>
#include <act/io/printable.hpp>
#include <act/io/utf8.hpp>
#include <act/runtime/tokenizer/bpe_model.hpp>
#include <act/runtime/tokenizer/pipeline_tokenizer.hpp>
#include <act/runtime/tokenizer/pre_tokenizer.hpp>
#include <act/runtime/tokenizer/special_tokens.hpp>
#include <act/runtime/tokenizer/text_normalizer.hpp>
#include <act/runtime/tokenizer/token_decoder.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>
#include <act/runtime/tokenizer/unigram_model.hpp>
#include <act/runtime/tokenizer/vocabulary.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

namespace act::runtime {

pipeline_tokenizer::pipeline_tokenizer(pipeline_parts parts)
    : source_(parts.source),
      model_(make_model(parts)),
      normalize_(std::move(parts.normalize)),
      pre_(std::move(parts.pre)),
      decode_(std::move(parts.decode)),
      bos_(parts.bos),
      eos_(parts.eos),
      before_(std::move(parts.before)),
      after_(std::move(parts.after)) {
  add_special(std::move(parts.special), parts.special_decoded);
  end_with(eos_, std::move(parts.ends));
  for (const std::optional<token_id>& id : {bos_, eos_})
    if (id) check_id(*id);
  for (const auto* list : {&before_, &after_})
    for (const token_id id : *list)
      check_id(id);
}

pipeline_tokenizer::token_model pipeline_tokenizer::make_model(const pipeline_parts& parts) {
  add_tokens(parts.tokens);
  std::unordered_set<token_id> control;
  for (const special_token& token : parts.special)
    if (token.control) control.insert(token.id);
  if (const auto* const bpe = std::get_if<bpe_settings>(&parts.model))
    return bpe_model(parts.tokens, *bpe, parts.source, std::move(control));
  return unigram_model(parts.tokens, std::get<unigram_settings>(parts.model), parts.source, control);
}

std::vector<token_id> pipeline_tokenizer::encode(std::string_view text, special_tokens_in_text written,
                                                 bool add_special) const {
  if (const std::size_t bad = io::find_invalid_utf8(text); bad != std::string_view::npos)
    refuse_invalid_utf8(bad);
  std::vector<token_id> ids;
  if (add_special) ids = before_;
  std::vector<special_tokens::part> raw, parts;
  special_.split(text, written, raw);
  piece_buffers buffers;
  text_normalizer::result normal;
  for (const special_tokens::part& stretch : raw) {
    if (stretch.token != nullptr) {
      ids.push_back(stretch.token->id);
      continue;
    }
    std::string_view plain = stretch.text;
    bool first = stretch.text.data() == text.data();
    if (!normalize_.empty()) {
      normal = normalize_(plain);
      plain = normal.text;
      first = first && normal.lead > 0;
    }
    parts.clear();
    normalized_special_.split(plain, written, parts);
    for (const special_tokens::part& part : parts) {
      if (part.token != nullptr)
        ids.push_back(part.token->id);
      else
        encode_stretch(part.text, first && part.text.data() == plain.data(), buffers, ids);
    }
  }
  if (add_special) ids.insert(ids.end(), after_.begin(), after_.end());
  return ids;
}

std::string pipeline_tokenizer::decode(std::span<const token_id> ids, bool skip_special) const {
  // Literal tokens end a run of those that the decoder takes together.
  std::string text;
  std::vector<std::string> run;
  for (const token_id id : ids) {
    check_id(id);
    const entry& e = entries_[static_cast<std::size_t>(id)];
    if (!e.present || (skip_special && e.control)) continue;
    if (!e.literal) {
      run.push_back(e.spelling);
      continue;
    }
    text += decode_(std::exchange(run, {})) + e.spelling;
  }
  return text + decode_(std::move(run));
}

std::optional<token_id> pipeline_tokenizer::find(std::string_view token) const {
  if (const auto found = special_ids_.find(std::string(token)); found != special_ids_.end())
    return found->second;
  return std::visit([&](const auto& model) { return model.find(token); }, model_);
}

void pipeline_tokenizer::fail(std::string_view what) const {
  throw error(error_code::invalid_input, source_,
              std::string(what) + "; the tokenizer files are damaged or don't belong together");
}

void pipeline_tokenizer::check_id(token_id id) const {
  if (id < 0 || static_cast<std::size_t>(id) >= entries_.size()) refuse_token(source_, id, vocabulary_size());
}

pipeline_tokenizer::entry& pipeline_tokenizer::entry_at(token_id id, std::string_view token) {
  if (id < 0 || id > largest_id)
    fail("token '" + io::printable(token) + "' has the impossible id " + std::to_string(id));
  const auto index = static_cast<std::size_t>(id);
  if (index >= entries_.size()) entries_.resize(index + 1);
  return entries_[index];
}

void pipeline_tokenizer::add_tokens(const vocabulary::list& tokens) {
  entries_.reserve(tokens.size());
  for (const auto& [token, id] : tokens) {
    entry& e = entry_at(id, token);
    if (e.present)
      fail("token id " + std::to_string(id) + " is there twice, once as '" + io::printable(token) + "'");
    e = {token, true, false, false};
  }
}

void pipeline_tokenizer::add_special(std::vector<special_token> special, bool decoded) {
  for (const special_token& token : special) {
    // The decoder takes back what the normaliser does: it gets a token as that left it.
    const bool respelled = token.normalized && !normalize_.empty();
    entry_at(token.id, token.text) = {respelled ? normalize_(token.text).text : token.text, true,
                                      token.control, !decoded};
    special_ids_.insert_or_assign(token.text, token.id);
  }
  // Both kinds in the order of the file. Without a normaliser the second kind could join the first but for
  // one thing: it is looked for only where the first left text.
  std::vector<special_token> raw, normalized;
  for (special_token& token : special) {
    if (token.normalized) {
      if (!normalize_.empty()) token.text = normalize_(token.text).text;
      normalized.push_back(std::move(token));
    } else {
      raw.push_back(std::move(token));
    }
  }
  special_ = special_tokens(std::move(raw));
  normalized_special_ = special_tokens(std::move(normalized));
}

void pipeline_tokenizer::encode_stretch(std::string_view stretch, bool first, piece_buffers& buffers,
                                        std::vector<token_id>& ids) const {
  text_pieces& pieces = buffers.pieces;
  pieces.text = stretch;
  pre_.split(pieces, first, buffers.cutting);
  for (std::size_t i = 0; i < pieces.pieces.size(); ++i) {
    if (const auto* const bpe = std::get_if<bpe_model>(&model_))
      bpe->encode(pieces[i], buffers.merging, ids);
    else
      std::get<unigram_model>(model_).encode(pieces[i], buffers.choosing, ids);
  }
}

}  // namespace act::runtime
