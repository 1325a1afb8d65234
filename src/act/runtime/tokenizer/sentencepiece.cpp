#include <act/error.hpp>
#include <act/io/mapped_file.hpp>
#include <act/io/printable.hpp>
#include <act/io/utf8.hpp>
#include <act/runtime/checkpoint/gguf.hpp>
#include <act/runtime/tokenizer/sentencepiece.hpp>
#include <act/runtime/tokenizer/sentencepiece_model.hpp>
#include <act/runtime/tokenizer/special_tokens.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>

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
#include <utility>
#include <vector>

namespace act::runtime {

#if defined(ACT_HAS_SENTENCEPIECE)

namespace {

class sentencepiece_tokenizer final : public tokenizer {
 public:
  explicit sentencepiece_tokenizer(sentencepiece_parts parts) : source_(std::move(parts.source)) {
    const sentencepiece_facts facts =
        read_sentencepiece_facts(std::as_bytes(std::span(parts.model)), source_);
    if (facts.character_map)
      throw error(
          error_code::unsupported, source_,
          "rewrites characters by a compiled table, which act doesn't support; use a model without one");
    dummy_prefix_ = facts.dummy_prefix;
    processor_ = std::make_unique<sentencepiece::SentencePieceProcessor>();
    if (const auto status = processor_->LoadFromSerializedProto(parts.model); !status.ok())
      throw error(
          error_code::invalid_input, source_,
          "isn't a SentencePiece model: " + io::printable(status.error_message()) + "; fetch it again");
    std::vector<special_token> special;
    for (token_id id = 0; id < processor_->GetPieceSize(); ++id) {
      if (!processor_->IsControl(id) && !processor_->IsUnknown(id)) continue;
      special_token token;
      token.text = processor_->IdToPiece(id);
      token.id = id;
      special.push_back(std::move(token));
    }
    special_ = special_tokens(std::move(special));
    const auto role = [&](const std::optional<token_id>& given, int own) -> std::optional<token_id> {
      if (given) check_id(*given);
      if (given || own < 0) return given;
      return own;
    };
    bos_ = role(parts.bos, processor_->bos_id());
    eos_ = role(parts.eos, processor_->eos_id());
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
    std::vector<special_tokens::part> parts;
    special_.split(text, written, parts);
    std::vector<int> made;
    for (const special_tokens::part& part : parts) {
      if (part.token != nullptr) {
        ids.push_back(part.token->id);
        continue;
      }
      made.clear();
      if (const auto status = processor_->Encode({part.text.data(), part.text.size()}, &made); !status.ok())
        throw error(error_code::invalid_input, source_,
                    "can't tokenise the text: " + io::printable(status.error_message()));
      ids.insert(ids.end(), made.begin(), made.end());
    }
    if (add_special && add_eos_) ids.push_back(*eos_);
    return ids;
  }

  [[nodiscard]] std::string decode(std::span<const token_id> ids, bool skip_special = false) const override {
    std::string text;
    bool at_start = dummy_prefix_;  // the space that encode put before a stretch goes again
    for (const token_id id : ids) {
      check_id(id);
      const std::string& piece = processor_->IdToPiece(id);
      if (processor_->IsControl(id) || processor_->IsUnknown(id)) {
        if (!skip_special) text += piece;
        at_start = dummy_prefix_;
      } else if (processor_->IsByte(id)) {
        text += static_cast<char>(std::stoi(piece.substr(1 + 2, 2), nullptr, 16));  // "<0xNN>"
        at_start = false;
      } else {
        std::string shown = with_spaces(piece);
        if (at_start && shown.starts_with(' ')) shown.erase(0, 1);
        text += shown;
        at_start = false;
      }
    }
    return text;
  }

  [[nodiscard]] std::size_t vocabulary_size() const noexcept override {
    return static_cast<std::size_t>(processor_->GetPieceSize());
  }
  [[nodiscard]] std::optional<token_id> find(std::string_view token) const override {
    const int id = processor_->PieceToId({token.data(), token.size()});
    return processor_->IdToPiece(id) == token ? std::optional<token_id>(id) : std::nullopt;
  }
  [[nodiscard]] std::optional<token_id> bos() const noexcept override { return bos_; }
  [[nodiscard]] std::optional<token_id> eos() const noexcept override { return eos_; }

 private:
  void check_id(token_id id) const {
    if (id < 0 || id >= processor_->GetPieceSize()) refuse_token(source_, id, vocabulary_size());
  }

  // SentencePiece writes a space as U+2581.
  static std::string with_spaces(const std::string& piece) {
    constexpr std::string_view mark = "\xe2\x96\x81";
    std::string text;
    for (std::size_t at = 0; at < piece.size();) {
      const bool space = std::string_view(piece).substr(at).starts_with(mark);
      text += space ? ' ' : piece[at];
      at += space ? mark.size() : 1;
    }
    return text;
  }

  std::string source_;
  std::unique_ptr<sentencepiece::SentencePieceProcessor> processor_;  // const use is safe from many threads
  special_tokens special_;
  std::optional<token_id> bos_, eos_;
  bool dummy_prefix_ = true, add_bos_ = false, add_eos_ = false;
};

}  // namespace

#endif

std::unique_ptr<tokenizer> make_sentencepiece(sentencepiece_parts parts) {
#if defined(ACT_HAS_SENTENCEPIECE)
  return std::make_unique<sentencepiece_tokenizer>(std::move(parts));
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
  constexpr std::int32_t byte_kind = 6;
  sentencepiece_parts parts;
  parts.source = file.path();
  const auto fail = [&](const std::string& what) {
    return error(error_code::invalid_input, parts.source, what + "; convert the model again");
  };
  const auto tokens = file.get<std::vector<std::string_view>>("tokenizer.ggml.tokens");
  const auto scores = file.get<std::vector<float>>("tokenizer.ggml.scores");
  const auto kinds = file.get<std::vector<std::int32_t>>("tokenizer.ggml.token_type");
  if (scores.size() != tokens.size() || kinds.size() != tokens.size())
    throw fail("has " + std::to_string(tokens.size()) + " tokens, " + std::to_string(scores.size()) +
               " scores and " + std::to_string(kinds.size()) + " token types");
  if (file.has("tokenizer.ggml.precompiled_charsmap"))
    throw error(error_code::unsupported, parts.source,
                "metadata 'tokenizer.ggml.precompiled_charsmap' rewrites characters by a compiled table, "
                "which act doesn't "
                "support; use a model without one");
  sentencepiece_writer writer;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (!std::isfinite(scores[i]))
      throw fail("token " + std::to_string(i) + " has a score that isn't a number");
    if (kinds[i] < 1 || kinds[i] > byte_kind)
      throw fail("token " + std::to_string(i) + " has the impossible type " + std::to_string(kinds[i]));
    writer.piece(tokens[i], scores[i], static_cast<std::uint64_t>(kinds[i]));
  }
  parts.model = writer.model(std::find(kinds.begin(), kinds.end(), byte_kind) != kinds.end(),
                             file.find<bool>("tokenizer.ggml.add_space_prefix").value_or(true),
                             file.find<bool>("tokenizer.ggml.remove_extra_whitespaces").value_or(false));
  const auto role = [&](const char* key) -> std::optional<token_id> {
    const auto id = file.find<std::int64_t>(key);
    if (id && (*id < 0 || static_cast<std::uint64_t>(*id) >= tokens.size()))
      throw fail("metadata '" + std::string(key) + "' is " + std::to_string(*id) +
                 ", outside the vocabulary of " + std::to_string(tokens.size()));
    return id ? std::optional(static_cast<token_id>(*id)) : std::nullopt;
  };
  parts.bos = role("tokenizer.ggml.bos_token_id");
  parts.eos = role("tokenizer.ggml.eos_token_id");
  parts.add_bos = file.find<bool>("tokenizer.ggml.add_bos_token").value_or(true);
  parts.add_eos = file.find<bool>("tokenizer.ggml.add_eos_token").value_or(false);
  return parts;
}

}  // namespace act::runtime
