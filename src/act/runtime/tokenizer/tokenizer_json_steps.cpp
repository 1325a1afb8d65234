#include <act/io/json_value.hpp>
#include <act/io/printable.hpp>
#include <act/runtime/tokenizer/pre_tokenizer.hpp>
#include <act/runtime/tokenizer/regular_expression.hpp>
#include <act/runtime/tokenizer/split_rule.hpp>
#include <act/runtime/tokenizer/text_normalizer.hpp>
#include <act/runtime/tokenizer/token_decoder.hpp>
#include <act/runtime/tokenizer/tokenizer.hpp>
#include <act/runtime/tokenizer/tokenizer_json_fields.hpp>
#include <act/runtime/tokenizer/tokenizer_json_steps.hpp>
#include <act/runtime/tokenizer/unicode_normalizer.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace act::runtime {
namespace {

// The same in a normaliser and in a decoder.
replaced_text read_replace(io::json_value step, const tokenizer_json_fields& fields, std::string_view place) {
  replaced_text replacement;
  replacement.by = fields.text(step, "content", place);
  const io::json_value pattern = fields.member(step, "pattern", place);
  if (!pattern.member("Regex")) replacement.plain = fields.text(pattern, "String", place);
  if (replacement.plain.empty())
    replacement.pattern.emplace(fields.pattern(step, place), fields.where(place));
  return replacement;
}

unicode_normalizer unicode_step(unicode_form form, const std::string& where) {
  unicode_normalizer step;
  step.add(form, where);
  return step;
}

// How a mark of spaces is put before pieces, in the newer words or the older ones.
metaspace_step::prefix read_prefix(io::json_value step, const tokenizer_json_fields& fields,
                                   std::string_view place) {
  const bool older = fields.flag(step, "add_prefix_space", true, place);
  const auto scheme = step.find("prepend_scheme");
  if (scheme && scheme->is_text("never")) return metaspace_step::prefix::never;
  if (!older && scheme) fields.fail(place, "has an 'add_prefix_space' that contradicts its 'prepend_scheme'");
  if (!older) return metaspace_step::prefix::never;
  if (!scheme || scheme->is_text("always")) return metaspace_step::prefix::always;
  if (!scheme->is_text("first"))
    fields.fail(place, "has a 'prepend_scheme' that isn't always, first or never");
  return metaspace_step::prefix::first;
}

void add_normalizer(io::json_value step, const tokenizer_json_fields& fields, text_normalizer& made) {
  constexpr const char* place = "normalizer";
  const std::string& type = fields.text(step, "type", place);
  const std::string where = fields.where(place);
  if (type == "NFC")
    made.add(unicode_step(unicode_form::nfc, where));
  else if (type == "NFD")
    made.add(unicode_step(unicode_form::nfd, where));
  else if (type == "NFKC")
    made.add(unicode_step(unicode_form::nfkc, where));
  else if (type == "NFKD")
    made.add(unicode_step(unicode_form::nfkd, where));
  else if (type == "Prepend")
    made.add(prepended_text{fields.text(step, "prepend", place)});
  else if (type == "Replace")
    made.add(read_replace(step, fields, place));
  else if (type == "Strip")
    made.add(stripped_spaces{fields.flag(step, "strip_left", {}, place),
                             fields.flag(step, "strip_right", {}, place)});
  else if (type == "ByteLevel")
    made.add(spelled_bytes());
  else
    fields.refuse(place, "is '" + io::printable(type) +
                             "', which act doesn't have; it has NFC, NFD, NFKC, NFKD, Prepend, Replace, "
                             "Strip, ByteLevel and Sequence");
}

split_behaviour read_behaviour(io::json_value split, const tokenizer_json_fields& fields,
                               std::string_view place) {
  const std::string& name = fields.text(split, "behavior", place);
  if (name == "Removed") return split_behaviour::removed;
  if (name == "Isolated") return split_behaviour::isolated;
  if (name == "MergedWithPrevious") return split_behaviour::merged_with_previous;
  if (name == "MergedWithNext") return split_behaviour::merged_with_next;
  if (name == "Contiguous") return split_behaviour::contiguous;
  fields.fail(place, "splits with the unknown behavior '" + io::printable(name) + "'");
}

void add_pre_tokenizer(io::json_value step, const tokenizer_json_fields& fields, pre_tokenizer& made) {
  constexpr const char* place = "pre_tokenizer";
  const std::string& type = fields.text(step, "type", place);
  if (type == "ByteLevel")
    made.add_byte_level(fields.flag(step, "add_prefix_space", {}, place),
                        fields.flag(step, "use_regex", true, place));
  else if (type == "Metaspace")
    made.add_metaspace(fields.character(step, "replacement", place), read_prefix(step, fields, place),
                       fields.flag(step, "split", true, place));
  else if (type == "Split")
    made.add_split(fields.pattern(step, place), read_behaviour(step, fields, place), fields.where(place),
                   fields.flag(step, "invert", {}, place));
  else if (type == "Digits")
    made.add_digits(fields.flag(step, "individual_digits", {}, place));
  else if (type == "WhitespaceSplit")
    made.add_split(R"(\s)", split_behaviour::removed, "white space");
  else
    fields.refuse(place, "has a step '" + io::printable(type) +
                             "', which act doesn't have; it has ByteLevel, Metaspace, Split, Digits, "
                             "WhitespaceSplit and Sequence");
}

void add_decoder(io::json_value step, const tokenizer_json_fields& fields, token_decoder& made) {
  constexpr const char* place = "decoder";
  const std::string& type = fields.text(step, "type", place);
  const auto count = [&](const char* key) {
    const std::optional<std::uint64_t> value = fields.member(step, key, place).count();
    if (!value) fields.fail(place, std::string("has a '") + key + "' that isn't a whole number");
    return static_cast<std::size_t>(*value);
  };
  if (type == "ByteLevel")
    made.add(bytes_from_alphabet());
  else if (type == "ByteFallback")
    made.add(bytes_from_names());
  else if (type == "Fuse")
    made.add(fused_tokens());
  else if (type == "Replace")
    made.add(read_replace(step, fields, place));
  else if (type == "Strip")
    made.add(stripped_character{fields.character(step, "content", place), count("start"), count("stop")});
  else if (type == "Metaspace")
    made.add(spaces_from_marks{fields.character(step, "replacement", place),
                               read_prefix(step, fields, place) != metaspace_step::prefix::never});
  else
    fields.refuse(place, "has a step '" + io::printable(type) +
                             "', which act doesn't have; it has ByteLevel, ByteFallback, Fuse, Replace, "
                             "Strip, Metaspace and Sequence");
}

// What a template puts around the text, which stands in it once.
tokens_around read_template(io::json_value step, const tokenizer_json_fields& fields) {
  constexpr const char* place = "post_processor";
  tokens_around made;
  bool behind = false;
  for (const io::json_value piece : fields.list(step, "single", place).items()) {
    if (const auto sequence = piece.member("Sequence")) {
      if (behind) fields.refuse(place, "has the text twice in its template");
      if (!fields.member(*sequence, "id", place).is_text("A"))
        fields.refuse(place, "has a second text in its template for one");
      behind = true;
      continue;
    }
    const std::string& name = fields.text(fields.member(piece, "SpecialToken", place), "id", place);
    const io::json_value known = fields.member(step, "special_tokens", place);
    for (const io::json_value id : fields.list(fields.member(known, name, place), "ids", place).items())
      (behind ? made.after : made.before).push_back(fields.id_of(id, place));
  }
  if (!behind) fields.refuse(place, "has a template without the text");
  return made;
}

// Appends what a step puts around a text. `seen`: an earlier one did; the reference can't do that twice.
void add_post_processor(io::json_value step, const tokenizer_json_fields& fields, bool& seen,
                        tokens_around& made) {
  constexpr const char* place = "post_processor";
  const std::string& type = fields.text(step, "type", place);
  if (type == "ByteLevel") return;  // changes offsets, not ids
  if (std::exchange(seen, true)) fields.refuse(place, "puts tokens around a text twice");
  if (type == "TemplateProcessing") {
    made = read_template(step, fields);
  } else if (type == "RobertaProcessing" || type == "BertProcessing") {
    const auto around = [&](const char* key) {
      const io::json_value pair = fields.list(step, key, place);
      if (pair.size() != 2)
        fields.fail(place, std::string("has a '") + key + "' that isn't a token and its id");
      return fields.id_of(pair[1], place);
    };
    made = {{around("cls")}, {around("sep")}};
  } else {
    fields.refuse(place, "is '" + io::printable(type) +
                             "', which act doesn't have; it has TemplateProcessing, RobertaProcessing, "
                             "BertProcessing, ByteLevel and Sequence");
  }
}

}  // namespace

text_normalizer read_normalizer(io::json_value given, const tokenizer_json_fields& fields) {
  text_normalizer made;
  fields.each_step(given, "normalizers", "normalizer",
                   [&](io::json_value step) { add_normalizer(step, fields, made); });
  return made;
}

pre_tokenizer read_pre_tokenizer(io::json_value given, const tokenizer_json_fields& fields) {
  pre_tokenizer made;
  fields.each_step(given, "pretokenizers", "pre_tokenizer",
                   [&](io::json_value step) { add_pre_tokenizer(step, fields, made); });
  return made;
}

token_decoder read_decoder(io::json_value given, const tokenizer_json_fields& fields) {
  token_decoder made;
  fields.each_step(given, "decoders", "decoder",
                   [&](io::json_value step) { add_decoder(step, fields, made); });
  made.add(fused_tokens());  // what any decoder leaves is put together, even if it has no step
  return made;
}

tokens_around read_post_processor(io::json_value given, const tokenizer_json_fields& fields) {
  tokens_around made;
  bool seen = false;
  fields.each_step(given, "processors", "post_processor",
                   [&](io::json_value step) { add_post_processor(step, fields, seen, made); });
  return made;
}

}  // namespace act::runtime
