#include <act/error.hpp>
#include <act/io/json_file.hpp>
#include <act/io/json_value.hpp>
#include <act/io/printable.hpp>
#include <act/runtime/tokenizer/sentencepiece.hpp>
#include <act/runtime/tokenizer/special_tokens.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>
#include <act/runtime/tokenizer/tokenizer_json_beside.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace act::runtime {
namespace {

constexpr std::string_view space_mark = "\xe2\x96\x81";

class beside_reader {
 public:
  beside_reader(io::json_value root, const std::string& file, std::span<const std::string_view> pieces)
      : root_(root), file_(file), pieces_(pieces) {}

  tokenizer_json_beside read() {
    const auto model = root_.find("model");
    const auto vocabulary = model ? model->find("vocab") : std::nullopt;
    if (!vocabulary) fail("model");
    read_added();
    compare(*vocabulary);
    read_spaces();
    if (const auto post = root_.find("post_processor")) read_template(*post);
    return std::move(found_);
  }

  [[nodiscard]] bool is_sentencepiece() const {
    const auto model = root_.find("model");
    const auto type = model ? model->find("type") : std::nullopt;
    if (type && !type->is_text("BPE") && !type->is_text("Unigram")) return false;
    return model && !steps_have("pre_tokenizer", "pretokenizers", "ByteLevel") &&
           !steps_have("normalizer", "normalizers", "ByteLevel");
  }

 private:
  [[noreturn]] void fail(const char* key) const {
    throw error(error_code::invalid_input, file_ + ": '" + key + "'",
                "isn't what it has to be; the file is damaged, fetch it again");
  }

  // One step, or the steps of a sequence.
  [[nodiscard]] std::vector<io::json_value> steps(const char* key, const char* list) const {
    const auto value = root_.find(key);
    if (!value) return {};
    const auto type = value->find("type");
    if (!type || type->text() == nullptr) fail(key);
    if (!type->is_text("Sequence")) return {*value};
    const auto items = value->find(list);
    if (!items || !items->is_array()) fail(key);
    return items->items();
  }
  [[nodiscard]] bool steps_have(const char* key, const char* list, std::string_view wanted) const {
    for (const io::json_value step : steps(key, list))
      if (const auto type = step.find("type"); type && type->is_text(wanted)) return true;
    return false;
  }

  [[nodiscard]] std::optional<token_id> id_of(io::json_value value) const {
    const std::optional<std::uint64_t> id = value.count();
    if (!id || *id > std::numeric_limits<token_id>::max()) return std::nullopt;
    return static_cast<token_id>(*id);
  }

  void read_added() {
    const auto added = root_.find("added_tokens");
    if (!added) return;
    for (const io::json_value fields : added->items()) {
      special_token token;
      const auto content = fields.find("content");
      const auto id = fields.find("id");
      if (!content || content->text() == nullptr || content->text()->empty() || !id || !id_of(*id))
        fail("added_tokens");
      token.text = *content->text();
      token.id = *id_of(*id);
      const auto flag = [&](const char* key, bool fallback) {
        const auto at = fields.find(key);
        if (at && !at->truth()) fail("added_tokens");
        return at ? *at->truth() : fallback;
      };
      token.control = flag("special", false);
      token.normalized = flag("normalized", !token.control);
      token.single_word = flag("single_word", false);
      token.lstrip = flag("lstrip", false);
      token.rstrip = flag("rstrip", false);
      added_at_.emplace(token.id, token.text);
      found_.added.push_back(std::move(token));
    }
  }

  void compare(io::json_value vocabulary) {
    std::size_t same = 0;
    const auto differs = [&](std::string_view token, std::uint64_t id) {
      const auto added = added_at_.find(static_cast<token_id>(id));
      if (added != added_at_.end() && added->second == token) {
        same += id < pieces_.size();
        return false;
      }
      if (id < pieces_.size() && pieces_[id] == token) {
        ++same;
        return false;
      }
      found_.difference = "'" + io::printable(token) + "' is " + std::to_string(id) +
                          " there, where tokenizer.model has " +
                          (id < pieces_.size() ? "'" + io::printable(pieces_[id]) + "'" : "nothing");
      return true;
    };
    if (vocabulary.is_array()) {  // Unigram: a token and its score, by id
      std::uint64_t id = 0;
      for (const io::json_value entry : vocabulary.items()) {
        if (!entry.is_array() || entry.size() != 2 || entry[0].text() == nullptr) fail("vocab");
        if (differs(*entry[0].text(), id++)) return;
      }
    } else if (vocabulary.is_object()) {
      for (const auto& [token, value] : vocabulary.members()) {
        const std::optional<token_id> id = id_of(value);
        if (!id) fail("vocab");
        if (differs(token, static_cast<std::uint64_t>(*id))) return;
      }
    } else {
      fail("vocab");
    }
    if (same < pieces_.size())
      found_.difference = "it has " + std::to_string(same) + " of the " + std::to_string(pieces_.size()) +
                          " pieces of tokenizer.model";
  }

  void read_spaces() {
    using place = space_before::place;
    found_.space = {place::nowhere, true};
    bool doubled = false;
    for (const io::json_value step : steps("normalizer", "normalizers")) {
      const auto type = step.find("type");
      const auto is = [&](const char* key, const std::string& wanted) {
        const auto value = step.find(key);
        return value && value->is_text(wanted);
      };
      const std::string mark(space_mark);
      const auto pattern = step.find("pattern");
      const auto regex = pattern ? pattern->find("Regex") : std::nullopt;
      if (type && type->is_text("Prepend") && is("prepend", mark))
        found_.space = {place::before_every_stretch, true};
      else if (type && type->is_text("Replace") && is("content", mark + mark) && regex &&
               regex->is_text("\\A" + mark))
        doubled = true;  // for the Metaspace behind it, which leaves a space that is there alone
      else if (!(type && type->is_text("Replace") && is("content", mark)))
        passed_over(type, "normalizer");
    }
    for (const io::json_value step : steps("pre_tokenizer", "pretokenizers")) {
      const auto type = step.find("type");
      if (!type || !type->is_text("Metaspace")) {
        // Gemma's splits behind spaces, of which its normalizer has left none.
        const auto pattern = step.find("pattern");
        const auto text = pattern ? pattern->find("String") : std::nullopt;
        if (!type || !type->is_text("Split") || !text || !text->is_text(" "))
          passed_over(type, "pre_tokenizer");
        continue;
      }
      const auto scheme = step.find("prepend_scheme");
      const auto older = step.find("add_prefix_space");
      const bool never = scheme ? scheme->is_text("never") : older && older->truth() == false;
      const bool first = scheme && scheme->is_text("first");
      found_.space = {never   ? place::nowhere
                      : first ? place::before_the_text
                              : place::before_every_stretch,
                      doubled};
    }
  }

  void passed_over(const std::optional<io::json_value>& type, const char* where) {
    const std::string name = type && type->text() != nullptr ? *type->text() : std::string();
    found_.unknown_steps.push_back(std::string(where) + " '" + io::printable(name) + "'");
  }

  void read_template(io::json_value post) {
    const auto type = post.find("type");
    if (type && type->is_text("Sequence")) {
      const auto list = post.find("processors");
      if (!list) fail("post_processor");
      for (const io::json_value step : list->items())
        if (!step.find("type") || !step.find("type")->is_text("Sequence")) read_template(step);
      return;
    }
    if (!type || !type->is_text("TemplateProcessing")) return;
    found_.has_template = true;
    bool behind = false;
    const auto single = post.find("single");
    if (!single) fail("post_processor");
    for (const io::json_value piece : single->items()) {
      const auto token = piece.find("SpecialToken");
      if (!token) {
        behind = true;
        continue;
      }
      const auto name = token->find("id");
      if (!name || name->text() == nullptr) fail("post_processor");
      (behind ? found_.behind : found_.before).push_back(*name->text());
    }
  }

  io::json_value root_;
  const std::string& file_;
  std::span<const std::string_view> pieces_;
  std::unordered_map<token_id, std::string> added_at_;
  tokenizer_json_beside found_;
};

}  // namespace

bool is_sentencepiece_json(const std::string& file) {
  const io::json_tree tree = io::read_json_object(file);
  return beside_reader(tree.root(), file, {}).is_sentencepiece();
}

tokenizer_json_beside read_tokenizer_json_beside(const std::string& file,
                                                 std::span<const std::string_view> pieces) {
  const io::json_tree tree = io::read_json_object(file);
  return beside_reader(tree.root(), file, pieces).read();
}

}  // namespace act::runtime
