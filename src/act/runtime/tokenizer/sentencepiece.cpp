#include <act/error.hpp>
#include <act/io/mapped_file.hpp>
#include <act/io/printable.hpp>
#include <act/io/utf8.hpp>
#include <act/runtime/checkpoint/gguf.hpp>
#include <act/runtime/tokenizer/added_tokens.hpp>
#include <act/runtime/tokenizer/sentencepiece.hpp>
#include <act/runtime/tokenizer/sentencepiece_model.hpp>
#include <act/runtime/tokenizer/special_tokens.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>
#include <act/runtime/tokenizer/tokenizer_settings.hpp>

// Set by CMake where libsentencepiece is.
#if defined(ACT_HAS_SENTENCEPIECE)
#include <sentencepiece_processor.h>
#endif

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace act::runtime {
namespace {

constexpr std::string_view space_mark = "\xe2\x96\x81";  // U+2581, how SentencePiece writes a space

std::string with_marks(std::string_view text) {
  std::string marked;
  for (const char c : text)
    c == ' ' ? marked += space_mark : marked += c;
  return marked;
}

}  // namespace

#if defined(ACT_HAS_SENTENCEPIECE)

namespace {

class sentencepiece_tokenizer final : public tokenizer {
 public:
  sentencepiece_tokenizer(sentencepiece_parts parts, std::vector<std::string>& notices)
      : source_(std::move(parts.source)) {
    const sentencepiece_facts facts =
        read_sentencepiece_facts(std::as_bytes(std::span(parts.model)), source_);
    check(facts);
    using place = space_before::place;
    space_ = parts.space.value_or(
        space_before{facts.dummy_prefix ? place::before_every_stretch : place::nowhere, true});
    removes_spaces_ = facts.remove_extra_spaces && !parts.keeps_spaces;
    // The space before a text is put there by `encode`, which knows where the text begins.
    parts.model += overruling_spaces(false, removes_spaces_);
    processor_ = std::make_unique<sentencepiece::SentencePieceProcessor>();
    if (const auto status = processor_->LoadFromSerializedProto(parts.model); !status.ok())
      throw error(
          error_code::invalid_input, source_,
          "isn't a SentencePiece model: " + io::printable(status.error_message()) + "; fetch it again");
    const std::vector<std::size_t> no_pieces;
    known_vocabulary vocabulary;
    vocabulary.source = source_;
    vocabulary.size = static_cast<std::size_t>(processor_->GetPieceSize());
    vocabulary.find = [&](std::string_view text) { return find_piece(text); };
    vocabulary.renames = true;
    added_tokens added =
        add_tokens(marked_pieces(parts.user_defined_are_added ? facts.user_defined : no_pieces),
                   parts.settings, vocabulary, notices);
    take_special(std::move(added.special));

    const auto role = [&](const std::optional<token_id>& given, const std::optional<token_id>& named,
                          bool without, int own) -> std::optional<token_id> {
      if (given) check_id(*given);
      if (given || named || without) return given ? given : named;
      return own < 0 ? std::nullopt : std::optional<token_id>(own);
    };
    bos_ = role(parts.bos, added.bos, parts.settings.without_bos, processor_->bos_id());
    eos_ = role(parts.eos, added.eos, parts.settings.without_eos, processor_->eos_id());
    end_with(eos_, std::move(parts.ends));
    add_bos_ = parts.add_bos && bos_;
    add_eos_ = parts.add_eos && eos_;
  }

  [[nodiscard]] std::vector<token_id> encode(
      std::string_view text, special_tokens_in_text written = special_tokens_in_text::are_text,
      bool add_special = true) const override {
    if (const std::size_t bad = io::find_invalid_utf8(text); bad != std::string_view::npos)
      refuse_invalid_utf8(bad);
    std::vector<token_id> ids;
    if (add_special && add_bos_) ids.push_back(*bos_);
    std::vector<special_tokens::part> parts, within;
    special_.split(text, written, parts);
    encode_buffers buffers;
    for (const special_tokens::part& part : parts) {
      if (part.token != nullptr) {
        ids.push_back(part.token->id);
        continue;
      }
      within.clear();
      normalized_special_.split(part.text, written, within);
      for (const special_tokens::part& stretch : within) {
        if (stretch.token != nullptr)
          ids.push_back(stretch.token->id);
        else
          encode_stretch(stretch.text, stretch.text.data() == text.data(), buffers, ids);
      }
    }
    if (add_special && add_eos_) ids.push_back(*eos_);
    return ids;
  }

  [[nodiscard]] std::string decode(std::span<const token_id> ids, bool skip_special = false) const override {
    using place = space_before::place;
    std::string text;
    bool at_start = space_.where != place::nowhere;  // the space that encode put before a stretch goes again
    for (const token_id id : ids) {
      check_id(id);
      if (const auto found = special_by_id_.find(id); found != special_by_id_.end()) {
        const bool shown = !(skip_special && found->second.control);
        if (shown) text += found->second.text;
        if (space_.where == place::before_every_stretch)
          at_start = true;
        else if (shown)
          at_start = false;
        continue;
      }
      const std::string& piece = processor_->IdToPiece(id);
      if (processor_->IsByte(id)) {
        text += static_cast<char>(std::stoi(piece.substr(1 + 2, 2), nullptr, 16));  // "<0xNN>"
      } else {
        std::string plain = with_spaces(piece);
        if (at_start && plain.starts_with(' ')) plain.erase(0, 1);
        text += plain;
      }
      at_start = false;
    }
    return text;
  }

  [[nodiscard]] std::size_t vocabulary_size() const noexcept override { return size_; }
  [[nodiscard]] std::optional<token_id> find(std::string_view token) const override {
    const auto found = special_ids_.find(std::string(token));
    return found == special_ids_.end() ? find_piece(token) : std::optional(found->second);
  }
  [[nodiscard]] std::optional<token_id> bos() const noexcept override { return bos_; }
  [[nodiscard]] std::optional<token_id> eos() const noexcept override { return eos_; }

 private:
  struct shown_token {
    std::string text;  // with spaces for U+2581, as all pieces are shown
    bool control;
  };
  /// Scratch memory of one call.
  struct encode_buffers {
    std::string spaced;
    std::vector<int> ids;
  };

  void check(const sentencepiece_facts& facts) const {
    const auto refuse = [&](const char* why) { throw error(error_code::unsupported, source_, why); };
    if (facts.character_map)
      refuse("rewrites characters by a compiled table, which act doesn't support; use a model without one");
    if (facts.kind != 1 && facts.kind != 2)
      refuse("is neither a unigram nor a BPE model, which are the kinds act has; use another model");
    if (facts.space_behind)
      refuse("has 'treat_whitespace_as_suffix' set, which act doesn't support; use a model without it");
    // The library ends the process over a zero byte in a piece that it puts into its trie: all of a unigram
    // model's, the user-defined ones of others.
    const auto refuse_zero = [&](std::size_t id) {
      if (facts.pieces[id].find('\0') != std::string_view::npos)
        throw error(error_code::invalid_input, source_,
                    "piece " + std::to_string(id) + " has a zero byte; the model is damaged, fetch it again");
    };
    for (std::size_t id = 0; facts.kind == 1 && id < facts.pieces.size(); ++id)
      refuse_zero(id);
    for (const std::size_t id : facts.user_defined)
      refuse_zero(id);
    if (!facts.escapes_spaces)
      refuse("has 'escape_whitespaces' not set, which act doesn't support; use a model that has it");
  }

  // The model's control tokens, what unknown characters become, and `more`.
  [[nodiscard]] std::vector<special_token> marked_pieces(const std::vector<std::size_t>& more) const {
    std::vector<special_token> marked;
    const auto mark = [&](token_id id, bool control) {
      special_token token;
      token.text = processor_->IdToPiece(id);
      token.id = id;
      token.control = control;
      marked.push_back(std::move(token));
    };
    for (token_id id = 0; id < processor_->GetPieceSize(); ++id)
      if (processor_->IsControl(id) || processor_->IsUnknown(id)) mark(id, true);
    for (const std::size_t id : more)
      mark(static_cast<token_id>(id), false);
    return marked;
  }

  void take_special(std::vector<special_token> all) {
    size_ = static_cast<std::size_t>(processor_->GetPieceSize());
    std::vector<special_token> raw, normalized;
    for (special_token& token : all) {
      size_ = std::max(size_, static_cast<std::size_t>(token.id) + 1);
      special_ids_.insert_or_assign(token.text, token.id);
      special_by_id_.insert_or_assign(token.id, shown_token{with_spaces(token.text), token.control});
      (token.normalized ? normalized : raw).push_back(std::move(token));
    }
    special_ = special_tokens(std::move(raw));
    normalized_special_ = special_tokens(std::move(normalized));
  }

  void encode_stretch(std::string_view stretch, bool begins_the_text, encode_buffers& buffers,
                      std::vector<token_id>& ids) const {
    using place = space_before::place;
    // What the library does where it puts the space itself: extra spaces go first, and nothing gets none.
    if (removes_spaces_) stretch.remove_prefix(std::min(stretch.find_first_not_of(' '), stretch.size()));
    if (stretch.empty()) return;
    const bool there = stretch.front() == ' ' || stretch.starts_with(space_mark);
    if ((space_.where == place::before_every_stretch ||
         (space_.where == place::before_the_text && begins_the_text)) &&
        (space_.another || !there)) {
      buffers.spaced = space_mark;
      buffers.spaced += stretch;
      stretch = buffers.spaced;
    }
    buffers.ids.clear();
    if (const auto status = processor_->Encode({stretch.data(), stretch.size()}, &buffers.ids); !status.ok())
      throw error(error_code::invalid_input, source_,
                  "can't tokenise the text: " + io::printable(status.error_message()));
    ids.insert(ids.end(), buffers.ids.begin(), buffers.ids.end());
  }

  [[nodiscard]] std::optional<token_id> find_piece(std::string_view token) const {
    const int id = processor_->PieceToId({token.data(), token.size()});
    return processor_->IdToPiece(id) == token ? std::optional<token_id>(id) : std::nullopt;
  }

  void check_id(token_id id) const {
    if (id < 0 || static_cast<std::size_t>(id) >= size_) refuse_token(source_, id, size_);
  }

  static std::string with_spaces(const std::string& piece) {
    std::string text;
    for (std::size_t at = 0; at < piece.size();) {
      const bool space = std::string_view(piece).substr(at).starts_with(space_mark);
      text += space ? ' ' : piece[at];
      at += space ? space_mark.size() : 1;
    }
    return text;
  }

  std::string source_;
  std::unique_ptr<sentencepiece::SentencePieceProcessor> processor_;  // const use is safe from many threads
  space_before space_;
  bool removes_spaces_ = false;
  std::size_t size_ = 0;
  special_tokens special_, normalized_special_;  // looked for in the text, and in what the first leave of it
  std::unordered_map<token_id, shown_token> special_by_id_;
  std::unordered_map<std::string, token_id> special_ids_;
  std::optional<token_id> bos_, eos_;
  bool add_bos_ = false, add_eos_ = false;
};

}  // namespace

#endif

std::unique_ptr<tokenizer> make_sentencepiece(sentencepiece_parts parts,
                                              [[maybe_unused]] std::vector<std::string>& notices) {
#if defined(ACT_HAS_SENTENCEPIECE)
  return std::make_unique<sentencepiece_tokenizer>(std::move(parts), notices);
#else
  throw error(
      error_code::unsupported, parts.source,
      "is a SentencePiece tokenizer, which this build lacks; install libsentencepiece-dev and build again");
#endif
}

sentencepiece_parts read_sentencepiece(const std::string& path) {
  sentencepiece_parts parts;
  parts.source = path;
  parts.model = std::string(io::mapped_file(path).text());
  return parts;
}

sentencepiece_parts read_sentencepiece(const gguf_file& file) {
  constexpr std::int32_t unknown_kind = 2, user_defined = 4, byte_kind = 6;
  sentencepiece_parts parts;
  parts.source = file.path();
  const auto fail = [&](const std::string& what) {
    return error(error_code::invalid_input, parts.source, what + "; convert the model again");
  };
  const auto tokens = file.get<std::vector<std::string_view>>("tokenizer.ggml.tokens");
  const auto scores = file.get<std::vector<float>>("tokenizer.ggml.scores");
  auto kinds = file.get<std::vector<std::int32_t>>("tokenizer.ggml.token_type");
  if (scores.size() != tokens.size() || kinds.size() != tokens.size())
    throw fail("has " + std::to_string(tokens.size()) + " tokens, " + std::to_string(scores.size()) +
               " scores and " + std::to_string(kinds.size()) + " token types");
  if (file.has("tokenizer.ggml.precompiled_charsmap"))
    throw error(error_code::unsupported, parts.source,
                "metadata 'tokenizer.ggml.precompiled_charsmap' rewrites characters by a compiled table, "
                "which act doesn't support; use a model without one");
  const auto role = [&](const char* key) -> std::optional<token_id> {
    const auto id = file.find<std::int64_t>(key);
    if (id && (*id < 0 || static_cast<std::uint64_t>(*id) >= tokens.size()))
      throw fail("metadata '" + std::string(key) + "' is " + std::to_string(*id) +
                 ", outside the vocabulary of " + std::to_string(tokens.size()));
    return id ? std::optional(static_cast<token_id>(*id)) : std::nullopt;
  };
  // Gemma's files name the token for unknown characters by its id alone.
  const std::optional<token_id> unknown = role("tokenizer.ggml.unknown_token_id");
  if (unknown && std::find(kinds.begin(), kinds.end(), unknown_kind) == kinds.end())
    kinds[static_cast<std::size_t>(*unknown)] = unknown_kind;
  sentencepiece_writer writer;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (!std::isfinite(scores[i]))
      throw fail("token " + std::to_string(i) + " has a score that isn't a number");
    if (kinds[i] < 1 || kinds[i] > byte_kind)
      throw fail("token " + std::to_string(i) + " has the impossible type " + std::to_string(kinds[i]));
    // User-defined tokens are listed as text, with spaces.
    if (kinds[i] == user_defined && tokens[i].find(' ') != std::string_view::npos)
      writer.piece(with_marks(tokens[i]), scores[i], user_defined);
    else
      writer.piece(tokens[i], scores[i], static_cast<std::uint64_t>(kinds[i]));
  }
  parts.model = writer.model(std::find(kinds.begin(), kinds.end(), byte_kind) != kinds.end(),
                             file.find<bool>("tokenizer.ggml.add_space_prefix").value_or(true),
                             file.find<bool>("tokenizer.ggml.remove_extra_whitespaces").value_or(false));
  parts.bos = role("tokenizer.ggml.bos_token_id");
  parts.eos = role("tokenizer.ggml.eos_token_id");
  for (const char* key : {"tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"})
    if (const std::optional<token_id> id = role(key)) parts.ends.push_back(*id);
  parts.add_bos = file.find<bool>("tokenizer.ggml.add_bos_token").value_or(true);
  parts.add_eos = file.find<bool>("tokenizer.ggml.add_eos_token").value_or(false);
  return parts;
}

}  // namespace act::runtime
