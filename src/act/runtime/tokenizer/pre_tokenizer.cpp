#include <act/runtime/tokenizer/pre_tokenizer.hpp>
#include <act/runtime/tokenizer/regular_expression.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace act::runtime {

pre_tokenizer pre_tokenizer::gpt2() {
  pre_tokenizer made;
  made.add(gpt2_pattern, split_behaviour::isolated, "the GPT-2 pattern");
  return made;
}

pre_tokenizer pre_tokenizer::smollm() {
  pre_tokenizer made;
  made.add_digits(true);
  made.add(gpt2_pattern, split_behaviour::isolated, "the GPT-2 pattern");
  return made;
}

pre_tokenizer pre_tokenizer::llama3() {
  pre_tokenizer made;
  made.add(llama3_pattern, split_behaviour::isolated, "the Llama 3 pattern");
  return made;
}

void pre_tokenizer::add_digits(bool individual) {
  // A few numbers of Unicode 17, which `tokenizers`' digit rule knows and its patterns don't.
  constexpr std::string_view one = R"([\p{N}\x{11de0}-\x{11de9}\x{16ff4}-\x{16ff6}])";
  add(std::string(one) + (individual ? "" : "+"), split_behaviour::isolated, "the digit rule");
}

void pre_tokenizer::split(std::string_view text, std::vector<std::string_view>& pieces) const {
  if (text.empty()) return;
  const std::size_t first = pieces.size();
  pieces.push_back(text);
  std::vector<std::string_view> cut;
  for (const rule& r : splits_) {
    cut.clear();
    regular_expression::matcher matcher(r.pattern);
    for (std::size_t i = first; i < pieces.size(); ++i)
      split_one(r, matcher, pieces[i], cut);
    pieces.resize(first);
    pieces.insert(pieces.end(), cut.begin(), cut.end());
  }
}

void pre_tokenizer::split_one(const rule& r, regular_expression::matcher& matcher, std::string_view text,
                              std::vector<std::string_view>& out) {
  std::size_t begun = 0;  // start of the piece that isn't out yet
  const auto put = [&](std::size_t begin, std::size_t end) {
    if (begin < end) out.push_back(text.substr(begin, end - begin));
  };
  for (std::size_t from = 0; from <= text.size();) {
    const std::optional<regular_expression::match> m = matcher.find(text, from);
    if (!m) break;
    if (m->begin == m->end) {  // an empty match splits nothing; go on one character later
      from = m->end + 1;
      while (from < text.size() && (static_cast<unsigned char>(text[from]) & 0xc0) == 0x80)
        ++from;
      continue;
    }
    switch (r.behaviour) {
      case split_behaviour::isolated:
        put(begun, m->begin);
        put(m->begin, m->end);
        begun = m->end;
        break;
      case split_behaviour::removed:
        put(begun, m->begin);
        begun = m->end;
        break;
      case split_behaviour::kept:
        put(m->begin, m->end);
        begun = m->end;
        break;
      case split_behaviour::merged_with_previous:
        put(begun, m->end);
        begun = m->end;
        break;
      case split_behaviour::merged_with_next:
        put(begun, m->begin);
        begun = m->begin;
        break;
    }
    from = m->end;
  }
  if (r.behaviour != split_behaviour::kept) put(begun, text.size());
}

}  // namespace act::runtime
