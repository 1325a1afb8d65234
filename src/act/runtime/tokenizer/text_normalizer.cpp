#include <act/error.hpp>
#include <act/io/utf8.hpp>
#include <act/runtime/tokenizer/byte_alphabet.hpp>
#include <act/runtime/tokenizer/regular_expression.hpp>
#include <act/runtime/tokenizer/text_growth.hpp>
#include <act/runtime/tokenizer/text_normalizer.hpp>
#include <act/runtime/tokenizer/white_space.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace act::runtime {
namespace {

struct applied_step {
  text_normalizer::result& to;

  void operator()(const unicode_normalizer& form) const {
    if (to.lead > 0) to.lead = form(std::string_view(to.text).substr(0, to.lead)).size();
    to.text = form(to.text);
  }
  void operator()(const prepended_text& prefix) const {
    if (to.text.empty()) return;
    to.text.insert(0, prefix.text);
    if (to.lead > 0) to.lead += prefix.text.size();
  }
  void operator()(const replaced_text& replacement) const {
    std::string made;
    replacement.apply(to.text, made, to.lead);
    to.text = std::move(made);
  }
  void operator()(const stripped_spaces& sides) const {
    std::string_view text = to.text;
    if (sides.left) {
      const std::size_t blank = white_space_at_start(text);
      to.lead -= std::min(to.lead, blank);
      text.remove_prefix(blank);
    }
    if (sides.right) text.remove_suffix(white_space_at_end(text));
    to.text = std::string(text);
  }
  void operator()(const spelled_bytes&) const {
    to.lead = spelled_in_bytes(std::string_view(to.text).substr(0, to.lead)).size();
    to.text = spelled_in_bytes(to.text);
  }
};

}  // namespace

void replaced_text::apply(std::string_view text, std::string& out, std::size_t& lead) const {
  std::size_t done = 0;
  std::size_t led = 0;
  bool leading = lead > 0;
  const auto keep = [&](std::size_t end) {
    out += text.substr(done, end - done);
    if (leading && done < lead) led += std::min(end, lead) - done;
    leading = leading && end <= lead;
  };
  const auto replace = [&](std::size_t begin, std::size_t end) {
    keep(begin);
    out += by;
    // What is put there comes from the last character that goes.
    if (leading && end <= lead) led += by.size();
    leading = leading && (end <= lead || by.empty());
    done = end;
    check_growth(text.size(), out.size());
  };
  if (pattern) {
    each_match(*pattern, text, [&](const regular_expression::match& m) {
      if (m.begin == m.end)
        throw error(error_code::unsupported, "tokenizer.json",
                    "the pattern of a Replace matches an empty place, which act doesn't replace");
      replace(m.begin, m.end);
    });
  } else {
    for (std::size_t at = text.find(plain); at != std::string_view::npos; at = text.find(plain, done))
      replace(at, at + plain.size());
  }
  keep(text.size());
  lead = led;
}

text_normalizer::result text_normalizer::operator()(std::string_view text) const {
  result made{std::string(text), text.empty() ? 0 : io::utf8_length(text, 0)};
  for (const step& next : steps_) {
    std::visit(applied_step{made}, next);
    check_growth(text.size(), made.text.size());
  }
  return made;
}

}  // namespace act::runtime
