#include <act/runtime/tokenizer/byte_alphabet.hpp>
#include <act/runtime/tokenizer/pre_tokenizer.hpp>
#include <act/runtime/tokenizer/quoted_pattern.hpp>
#include <act/runtime/tokenizer/regular_expression.hpp>
#include <act/runtime/tokenizer/split_rule.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace act::runtime {
namespace {

// One step over all pieces.
struct applied_step {
  text_pieces& to;
  pre_tokenizer::workspace& scratch;

  void operator()(const split_rule& rule) const { cut(rule); }

  void operator()(const byte_level_step& step) const {
    if (step.prefix_space)
      respell([](std::string_view piece, bool, std::string& out) {
        if (!piece.starts_with(' ')) out += ' ';
        out += piece;
      });
    if (step.splits) cut(*step.splits);
    respell([](std::string_view piece, bool, std::string& out) { append_spelled_in_bytes(out, piece); });
  }

  void operator()(const metaspace_step& step) const {
    respell([&](std::string_view piece, bool first, std::string& out) {
      const bool wanted = step.put_before == metaspace_step::prefix::always ||
                          (step.put_before == metaspace_step::prefix::first && first);
      if (wanted && !piece.starts_with(' ') && !piece.starts_with(step.mark)) out += step.mark;
      for (const char c : piece) {
        if (c == ' ')
          out += step.mark;
        else
          out += c;
      }
    });
    if (step.splits) cut(*step.splits);
  }

 private:
  void cut(const split_rule& rule) const {
    scratch.pieces.clear();
    regular_expression::matcher matcher(rule.pattern());
    for (const text_pieces::piece& piece : to.pieces) {
      scratch.cut.clear();
      rule.split(std::string_view(to.text).substr(piece.begin, piece.end - piece.begin), matcher,
                 scratch.cut);
      for (const split_rule::range& part : scratch.cut)
        scratch.pieces.push_back(
            {piece.begin + part.begin, piece.begin + part.end, piece.first && part.begin == 0});
    }
    std::swap(to.pieces, scratch.pieces);
  }

  // Writes every piece anew: write(piece, whether it is the first, the new text).
  template <class Write>
  void respell(Write write) const {
    scratch.text.clear();
    for (text_pieces::piece& piece : to.pieces) {
      const std::size_t begin = scratch.text.size();
      write(std::string_view(to.text).substr(piece.begin, piece.end - piece.begin), piece.first,
            scratch.text);
      piece = {begin, scratch.text.size(), piece.first};
    }
    std::swap(to.text, scratch.text);
  }
};

split_rule gpt2_split() {
  return {regular_expression(gpt2_pattern, "the GPT-2 pattern"), split_behaviour::isolated};
}

}  // namespace

pre_tokenizer pre_tokenizer::gpt2() {
  pre_tokenizer made;
  made.add_byte_level(false, true);
  return made;
}

void pre_tokenizer::add_split(std::string_view pattern, split_behaviour behaviour, std::string_view where,
                              bool inverted) {
  add(split_rule(regular_expression(pattern, where), behaviour, inverted));
}

void pre_tokenizer::add_digits(bool individual) {
  add_split(digit_pattern, individual ? split_behaviour::isolated : split_behaviour::contiguous,
            "the digit rule");
}

void pre_tokenizer::add_byte_level(bool prefix_space, bool by_pattern) {
  byte_level_step made;
  made.prefix_space = prefix_space;
  if (by_pattern) made.splits = gpt2_split();
  add(std::move(made));
}

void pre_tokenizer::add_metaspace(std::string_view mark, metaspace_step::prefix put_before, bool split) {
  metaspace_step made;
  made.mark = mark;
  made.put_before = put_before;
  if (split)
    made.splits = split_rule(regular_expression(quoted_pattern(mark), "the mark of spaces"),
                             split_behaviour::merged_with_next);
  add(std::move(made));
}

bool pre_tokenizer::has_byte_level() const {
  return std::any_of(steps_.begin(), steps_.end(),
                     [](const step& s) { return std::holds_alternative<byte_level_step>(s); });
}

bool pre_tokenizer::has_other_steps() const {
  return !std::all_of(steps_.begin(), steps_.end(),
                      [](const step& s) { return std::holds_alternative<byte_level_step>(s); });
}

bool pre_tokenizer::prefix_space() const {
  return std::any_of(steps_.begin(), steps_.end(), [](const step& s) {
    const auto* const byte_level = std::get_if<byte_level_step>(&s);
    return byte_level != nullptr && byte_level->prefix_space;
  });
}

void pre_tokenizer::set_prefix_space(bool wanted) {
  for (step& s : steps_)
    if (auto* const byte_level = std::get_if<byte_level_step>(&s)) byte_level->prefix_space = wanted;
}

void pre_tokenizer::split(text_pieces& made, bool first, workspace& scratch) const {
  made.pieces.clear();
  if (made.text.empty()) return;
  made.pieces.push_back({0, made.text.size(), first});
  for (const step& next : steps_)
    std::visit(applied_step{made, scratch}, next);
}

}  // namespace act::runtime
