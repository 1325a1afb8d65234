#include <act/error.hpp>
#include <act/io/json_file.hpp>
#include <act/io/json_value.hpp>
#include <act/io/printable.hpp>
#include <act/runtime/tokenizer/byte_level_bpe.hpp>
#include <act/runtime/tokenizer/pre_tokenizer.hpp>
#include <act/runtime/tokenizer/special_tokens.hpp>
#include <act/runtime/tokenizer/tokenizer_json.hpp>
#include <act/runtime/tokenizer/unicode_normalizer.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace act::runtime {
namespace {

/// Reads one tokenizer.json; `parts` is what comes of it.
class tokenizer_json_reader {
 public:
  tokenizer_json_reader(io::json_value root, std::string file) : root_(root), file_(std::move(file)) {}

  byte_level_bpe_parts read() {
    if (!root_.is_object()) fail("", "isn't a JSON object");
    parts_.source = file_;
    read_model(member(root_, "model", "model"));
    read_added_tokens();
    if (const auto normalizer = root_.find("normalizer")) read_normalizer(*normalizer);
    if (const auto pre = root_.find("pre_tokenizer")) read_pre_tokenizer(*pre);
    if (!byte_level_) refuse("pre_tokenizer", "has no ByteLevel step; act reads byte-level BPE");
    if (const auto post = root_.find("post_processor")) read_post_processor(*post);
    return std::move(parts_);
  }

 private:
  [[noreturn]] void fail(std::string_view place, std::string_view what) const {
    throw error(error_code::invalid_input, place.empty() ? file_ : file_ + ": '" + std::string(place) + "'",
                std::string(what) + "; the file is damaged, fetch it again");
  }
  [[noreturn]] void refuse(std::string_view place, std::string_view what) const {
    throw error(error_code::unsupported, file_ + ": '" + std::string(place) + "'", what);
  }

  io::json_value member(io::json_value object, const std::string& key, std::string_view place) const {
    const auto found = object.find(key);
    if (!found) fail(place, "has no '" + io::printable(key) + "'");
    return *found;
  }
  const std::string& text(io::json_value object, const char* key, std::string_view place) const {
    const io::json_value value = member(object, key, place);
    if (value.text() == nullptr) fail(place, std::string("has a '") + key + "' that isn't a text");
    return *value.text();
  }
  bool flag(io::json_value object, const char* key, bool fallback, std::string_view place) const {
    const auto value = object.find(key);
    if (!value) return fallback;
    if (!value->truth()) fail(place, std::string("has a '") + key + "' that isn't true or false");
    return *value->truth();
  }
  io::json_value list(io::json_value object, const std::string& key, std::string_view place) const {
    const io::json_value value = member(object, key, place);
    if (!value.is_array()) fail(place, std::string("has a '") + key + "' that isn't a list");
    return value;
  }
  token_id id_of(io::json_value value, std::string_view place) const {
    const std::optional<std::uint64_t> id = value.count();
    if (!id || *id > std::numeric_limits<token_id>::max())
      fail(place, "has a token id that isn't a whole number");
    return static_cast<token_id>(*id);
  }

  void read_model(io::json_value model) {
    if (const auto type = model.find("type"); type && !type->is_text("BPE"))
      refuse("model", "isn't a BPE model; act reads byte-level BPE");
    if (const auto dropout = model.find("dropout"); dropout && dropout->number() != 0.0)
      refuse("dropout", "makes ids random, which act doesn't support; set it to null");
    for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"})
      if (const auto affix = model.find(key); affix && !affix->is_text(""))
        refuse(key, "is set, which act doesn't support");
    if (flag(model, "byte_fallback", false, "model"))
      refuse("byte_fallback", "is set; act reads byte-level BPE");
    parts_.fuse_unknown = flag(model, "fuse_unk", false, "model");
    parts_.whole_pieces = flag(model, "ignore_merges", false, "model");

    const io::json_value vocabulary = member(model, "vocab", "model");
    if (!vocabulary.is_object()) fail("vocab", "isn't an object");
    parts_.tokens.reserve(vocabulary.size());
    for (const auto& [token, id] : vocabulary.members())
      parts_.tokens.emplace_back(token, id_of(id, "vocab"));
    if (const auto unknown = model.find("unk_token")) {
      const auto found = unknown->text() != nullptr ? vocabulary.member(*unknown->text()) : std::nullopt;
      if (!found) fail("unk_token", "isn't in the vocabulary");
      parts_.unknown = id_of(*found, "vocab");
    }

    for (const io::json_value merge : list(model, "merges", "model").items()) {
      if (merge.is_array() && merge.size() == 2 && merge[0].text() != nullptr && merge[1].text() != nullptr) {
        parts_.merges.emplace_back(*merge[0].text(), *merge[1].text());
        continue;
      }
      const std::string pair = merge.text() != nullptr ? *merge.text() : std::string();
      const std::size_t space = pair.find(' ');
      if (space == std::string::npos || space == 0 || space + 1 == pair.size())
        fail("merges", "entry " + std::to_string(parts_.merges.size()) + " isn't two tokens");
      parts_.merges.emplace_back(pair.substr(0, space), pair.substr(space + 1));
    }
  }

  void read_added_tokens() {
    const auto added = root_.find("added_tokens");
    if (!added) return;
    if (!added->is_array()) fail("added_tokens", "isn't a list");
    for (const io::json_value fields : added->items()) {
      special_token token;
      token.text = text(fields, "content", "added_tokens");
      token.id = id_of(member(fields, "id", "added_tokens"), "added_tokens");
      token.control = flag(fields, "special", false, "added_tokens");
      token.normalized = flag(fields, "normalized", !token.control, "added_tokens");
      token.single_word = flag(fields, "single_word", false, "added_tokens");
      token.lstrip = flag(fields, "lstrip", false, "added_tokens");
      token.rstrip = flag(fields, "rstrip", false, "added_tokens");
      parts_.special.push_back(std::move(token));
    }
  }

  void read_normalizer(io::json_value normalizer) {
    const std::string& type = text(normalizer, "type", "normalizer");
    const std::string place = file_ + ": 'normalizer'";
    if (type == "Sequence") {
      for (const io::json_value step : list(normalizer, "normalizers", "normalizer").items())
        read_normalizer(step);
    } else if (type == "NFC") {
      parts_.normalize.add(unicode_form::nfc, place);
    } else if (type == "NFD") {
      parts_.normalize.add(unicode_form::nfd, place);
    } else if (type == "NFKC") {
      parts_.normalize.add(unicode_form::nfkc, place);
    } else if (type == "NFKD") {
      parts_.normalize.add(unicode_form::nfkd, place);
    } else {
      refuse("normalizer",
             "is '" + io::printable(type) + "', which act doesn't have; it has NFC, NFD, NFKC and NFKD");
    }
  }

  void read_pre_tokenizer(io::json_value pre) {
    const std::string& type = text(pre, "type", "pre_tokenizer");
    if (byte_level_) refuse("pre_tokenizer", "has a step behind ByteLevel, which act doesn't support");
    if (type == "Sequence") {
      for (const io::json_value step : list(pre, "pretokenizers", "pre_tokenizer").items())
        read_pre_tokenizer(step);
    } else if (type == "Digits") {
      parts_.pre.add_digits(flag(pre, "individual_digits", false, "pre_tokenizer"));
      split_before_ = true;
    } else if (type == "Split") {
      read_split(pre);
      split_before_ = true;
    } else if (type == "ByteLevel") {
      byte_level_ = true;
      parts_.prefix_space = flag(pre, "add_prefix_space", true, "pre_tokenizer");
      parts_.other_steps = split_before_;
      if (parts_.prefix_space && split_before_)
        refuse("pre_tokenizer", "adds a space to every piece of an earlier step, which act doesn't support");
      if (flag(pre, "use_regex", true, "pre_tokenizer"))
        parts_.pre.add(gpt2_pattern, split_behaviour::isolated, "the GPT-2 pattern");
    } else {
      refuse("pre_tokenizer", "has a step '" + io::printable(type) +
                                  "', which act doesn't have; it has ByteLevel, Digits and Split");
    }
  }

  void read_split(io::json_value split) {
    const io::json_value pattern = member(split, "pattern", "pre_tokenizer");
    std::string expression;
    if (pattern.member("Regex")) {
      expression = text(pattern, "Regex", "pre_tokenizer");
    } else {
      // A plain text: quoted, so that nothing in it means anything.
      for (const char c : text(pattern, "String", "pre_tokenizer")) {
        const auto byte = static_cast<unsigned char>(c);
        const bool plain =
            byte >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (byte == 0) fail("pre_tokenizer", "has a pattern with a zero byte");
        expression += plain ? std::string(1, c) : std::string("\\") + c;
      }
    }
    if (expression.size() > 10'000) refuse("pre_tokenizer", "has a pattern of more than 10,000 bytes");
    const std::string& behaviour = text(split, "behavior", "pre_tokenizer");
    const bool invert = flag(split, "invert", false, "pre_tokenizer");
    const std::string where = file_ + ": 'pre_tokenizer'";
    // Inverted, the matches are what is kept and what lies between them is the separator; isolated, both are
    // pieces anyway.
    if (behaviour == "Isolated") {
      parts_.pre.add(expression, split_behaviour::isolated, where);
    } else if (behaviour == "Removed" && invert) {
      parts_.pre.add(expression, split_behaviour::kept, where);
    } else if (behaviour == "Removed") {
      parts_.pre.add(expression, split_behaviour::removed, where);
    } else if (behaviour == "MergedWithPrevious" && !invert) {
      parts_.pre.add(expression, split_behaviour::merged_with_previous, where);
    } else if (behaviour == "MergedWithNext" && !invert) {
      parts_.pre.add(expression, split_behaviour::merged_with_next, where);
    } else {
      refuse("pre_tokenizer", "splits with behavior '" + io::printable(behaviour) + "'" +
                                  (invert ? " inverted" : "") + ", which act doesn't have");
    }
  }

  void read_post_processor(io::json_value post) {
    const std::string& type = text(post, "type", "post_processor");
    if (type == "Sequence") {
      for (const io::json_value step : list(post, "processors", "post_processor").items())
        read_post_processor(step);
    } else if (type == "TemplateProcessing") {
      read_template(post);
    } else if (type == "RobertaProcessing" || type == "BertProcessing") {
      const auto around = [&](const char* key) {
        const io::json_value pair = list(post, key, "post_processor");
        if (pair.size() != 2)
          fail("post_processor", std::string("has a '") + key + "' that isn't a token and its id");
        return id_of(pair[1], "post_processor");
      };
      parts_.before.push_back(around("cls"));
      parts_.after.push_back(around("sep"));
    } else if (type != "ByteLevel") {  // that one changes offsets, not ids
      refuse("post_processor", "is '" + io::printable(type) + "', which act doesn't have");
    }
  }

  void read_template(io::json_value post) {
    bool behind = false;
    for (const io::json_value piece : list(post, "single", "post_processor").items()) {
      if (piece.member("Sequence")) {
        if (behind) refuse("post_processor", "has the text twice in its template");
        behind = true;
        continue;
      }
      const std::string& name = text(member(piece, "SpecialToken", "post_processor"), "id", "post_processor");
      const io::json_value known = member(post, "special_tokens", "post_processor");
      for (const io::json_value id :
           list(member(known, name, "post_processor"), "ids", "post_processor").items())
        (behind ? parts_.after : parts_.before).push_back(id_of(id, "post_processor"));
    }
    if (!behind) fail("post_processor", "has a template without the text");
  }

  io::json_value root_;
  std::string file_;
  byte_level_bpe_parts parts_;
  bool byte_level_ = false, split_before_ = false;
};

}  // namespace

byte_level_bpe_parts read_tokenizer_json(const std::string& file) {
  const io::json_tree tree = io::read_json(file);
  return tokenizer_json_reader(tree.root(), file).read();
}

}  // namespace act::runtime
