#include <act/error.hpp>
#include <act/io/json_file.hpp>
#include <act/io/printable.hpp>
#include <act/runtime/tokenizer/byte_level_bpe.hpp>
#include <act/runtime/tokenizer/pre_tokenizer.hpp>
#include <act/runtime/tokenizer/special_tokens.hpp>
#include <act/runtime/tokenizer/tokenizer_json.hpp>
#include <act/runtime/tokenizer/unicode_normalizer.hpp>

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

namespace act::runtime {
namespace {

/// Reads one tokenizer.json; `parts` is what comes of it.
class tokenizer_json_reader {
 public:
  tokenizer_json_reader(const io::json& root, std::string file) : root_(root), file_(std::move(file)) {}

  byte_level_bpe_parts read() {
    if (!root_.is_object()) fail("", "isn't a JSON object");
    parts_.source = file_;
    read_model(member(root_, "model", "model"));
    read_added_tokens();
    if (const io::json* normalizer = optional(root_, "normalizer")) read_normalizer(*normalizer);
    if (const io::json* pre = optional(root_, "pre_tokenizer")) read_pre_tokenizer(*pre);
    if (!byte_level_) refuse("pre_tokenizer", "has no ByteLevel step; act reads byte-level BPE");
    if (const io::json* post = optional(root_, "post_processor")) read_post_processor(*post);
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

  // A member that isn't null, or nullptr.
  static const io::json* optional(const io::json& object, const std::string& key) {
    const auto at = object.find(key);
    return at == object.end() || at->is_null() ? nullptr : &*at;
  }
  const io::json& member(const io::json& object, const std::string& key, std::string_view place) const {
    const io::json* found = object.is_object() ? optional(object, key) : nullptr;
    if (found == nullptr) fail(place, "has no '" + io::printable(key) + "'");
    return *found;
  }
  const std::string& text(const io::json& object, const char* key, std::string_view place) const {
    const io::json& value = member(object, key, place);
    if (!value.is_string()) fail(place, std::string("has a '") + key + "' that isn't a text");
    return value.get_ref<const std::string&>();
  }
  bool flag(const io::json& object, const char* key, bool fallback, std::string_view place) const {
    const io::json* value = optional(object, key);
    if (value == nullptr) return fallback;
    if (!value->is_boolean()) fail(place, std::string("has a '") + key + "' that isn't true or false");
    return value->get<bool>();
  }
  const io::json& list(const io::json& object, const std::string& key, std::string_view place) const {
    const io::json& value = member(object, key, place);
    if (!value.is_array()) fail(place, std::string("has a '") + key + "' that isn't a list");
    return value;
  }
  token_id id_of(const io::json& value, std::string_view place) const {
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() > std::numeric_limits<token_id>::max())
      fail(place, "has a token id that isn't a whole number");
    return static_cast<token_id>(value.get<std::uint64_t>());
  }

  void read_model(const io::json& model) {
    if (const io::json* type = optional(model, "type"); type != nullptr && *type != "BPE")
      refuse("model", "isn't a BPE model; act reads byte-level BPE");
    if (const io::json* dropout = optional(model, "dropout"); dropout != nullptr && *dropout != 0)
      refuse("dropout", "makes ids random, which act doesn't support; set it to null");
    for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"})
      if (const io::json* affix = optional(model, key); affix != nullptr && *affix != "")
        refuse(key, "is set, which act doesn't support");
    if (flag(model, "byte_fallback", false, "model"))
      refuse("byte_fallback", "is set; act reads byte-level BPE");
    parts_.fuse_unknown = flag(model, "fuse_unk", false, "model");
    parts_.whole_pieces = flag(model, "ignore_merges", false, "model");

    const io::json& vocabulary = member(model, "vocab", "model");
    if (!vocabulary.is_object()) fail("vocab", "isn't an object");
    parts_.tokens.reserve(vocabulary.size());
    for (const auto& [token, id] : vocabulary.items())
      parts_.tokens.emplace_back(token, id_of(id, "vocab"));
    if (const io::json* unknown = optional(model, "unk_token")) {
      const auto found =
          unknown->is_string() ? vocabulary.find(unknown->get<std::string>()) : vocabulary.end();
      if (found == vocabulary.end()) fail("unk_token", "isn't in the vocabulary");
      parts_.unknown = id_of(*found, "vocab");
    }

    for (const io::json& merge : list(model, "merges", "model")) {
      if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
        parts_.merges.emplace_back(merge[0].get<std::string>(), merge[1].get<std::string>());
        continue;
      }
      const std::string pair = merge.is_string() ? merge.get<std::string>() : std::string();
      const std::size_t space = pair.find(' ');
      if (space == std::string::npos || space == 0 || space + 1 == pair.size())
        fail("merges", "entry " + std::to_string(parts_.merges.size()) + " isn't two tokens");
      parts_.merges.emplace_back(pair.substr(0, space), pair.substr(space + 1));
    }
  }

  void read_added_tokens() {
    const io::json* added = optional(root_, "added_tokens");
    if (added == nullptr) return;
    if (!added->is_array()) fail("added_tokens", "isn't a list");
    for (const io::json& fields : *added) {
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

  void read_normalizer(const io::json& normalizer) {
    const std::string& type = text(normalizer, "type", "normalizer");
    const std::string place = file_ + ": 'normalizer'";
    if (type == "Sequence") {
      for (const io::json& step : list(normalizer, "normalizers", "normalizer"))
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

  void read_pre_tokenizer(const io::json& pre) {
    const std::string& type = text(pre, "type", "pre_tokenizer");
    if (byte_level_) refuse("pre_tokenizer", "has a step behind ByteLevel, which act doesn't support");
    if (type == "Sequence") {
      for (const io::json& step : list(pre, "pretokenizers", "pre_tokenizer"))
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
      if (parts_.prefix_space && split_before_)
        refuse("pre_tokenizer", "adds a space to every piece of an earlier step, which act doesn't support");
      if (flag(pre, "use_regex", true, "pre_tokenizer"))
        parts_.pre.add(gpt2_pattern, split_behaviour::isolated, "the GPT-2 pattern");
    } else {
      refuse("pre_tokenizer", "has a step '" + io::printable(type) +
                                  "', which act doesn't have; it has ByteLevel, Digits and Split");
    }
  }

  void read_split(const io::json& split) {
    const io::json& pattern = member(split, "pattern", "pre_tokenizer");
    std::string expression;
    if (pattern.is_object() && pattern.contains("Regex")) {
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

  void read_post_processor(const io::json& post) {
    const std::string& type = text(post, "type", "post_processor");
    if (type == "Sequence") {
      for (const io::json& step : list(post, "processors", "post_processor"))
        read_post_processor(step);
    } else if (type == "TemplateProcessing") {
      read_template(post);
    } else if (type == "RobertaProcessing" || type == "BertProcessing") {
      const auto around = [&](const char* key) {
        const io::json& pair = list(post, key, "post_processor");
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

  void read_template(const io::json& post) {
    bool behind = false;
    for (const io::json& piece : list(post, "single", "post_processor")) {
      if (piece.is_object() && piece.contains("Sequence")) {
        if (behind) refuse("post_processor", "has the text twice in its template");
        behind = true;
        continue;
      }
      const std::string& name = text(member(piece, "SpecialToken", "post_processor"), "id", "post_processor");
      const io::json& known = member(post, "special_tokens", "post_processor");
      for (const io::json& id : list(member(known, name, "post_processor"), "ids", "post_processor"))
        (behind ? parts_.after : parts_.before).push_back(id_of(id, "post_processor"));
    }
    if (!behind) fail("post_processor", "has a template without the text");
  }

  const io::json& root_;
  std::string file_;
  byte_level_bpe_parts parts_;
  bool byte_level_ = false, split_before_ = false;
};

}  // namespace

byte_level_bpe_parts read_tokenizer_json(const std::filesystem::path& file) {
  const io::json root = io::read_json(file);
  return tokenizer_json_reader(root, file.string()).read();
}

}  // namespace act::runtime
