#include <act/runtime/tokenizer/regular_expression.hpp>
#include <act/runtime/tokenizer/split_rule.hpp>

#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

namespace act::runtime {
namespace {

// Takes the separators and what lies between them from left to right and puts pieces together.
class piece_maker {
 public:
  piece_maker(split_behaviour behaviour, std::vector<split_rule::range>& pieces)
      : behaviour_(behaviour), pieces_(pieces) {}

  void take(std::size_t begin, std::size_t end, bool separator) {
    switch (behaviour_) {
      case split_behaviour::removed:
        if (!separator) put(begin, end);
        break;
      case split_behaviour::isolated:
        put(begin, end);
        break;
      case split_behaviour::merged_with_previous:
        if (separator && taken_ && !after_separator_)
          held_.end = end;
        else
          hold(begin, end);
        break;
      case split_behaviour::merged_with_next:
        // A separator waits for what comes next; another separator lets it go.
        if (!separator && taken_ && after_separator_)
          held_.end = end;
        else
          hold(begin, end);
        break;
      case split_behaviour::contiguous:
        if (taken_ && separator == after_separator_)
          held_.end = end;
        else
          hold(begin, end);
        break;
    }
    taken_ = true;
    after_separator_ = separator;
  }

  void finish() { put(held_.begin, held_.end); }

 private:
  void put(std::size_t begin, std::size_t end) {
    if (begin < end) pieces_.push_back({begin, end});
  }
  void hold(std::size_t begin, std::size_t end) {
    finish();
    held_ = {begin, end};
  }

  split_behaviour behaviour_;
  std::vector<split_rule::range>& pieces_;
  split_rule::range held_{0, 0};  // not a piece yet: what follows may join it
  bool taken_ = false, after_separator_ = false;
};

}  // namespace

split_rule::split_rule(regular_expression pattern, split_behaviour behaviour, bool inverted)
    : pattern_(std::move(pattern)), behaviour_(behaviour), inverted_(inverted) {}

void split_rule::split(std::string_view text, regular_expression::matcher& matcher,
                       std::vector<range>& pieces) const {
  piece_maker made(behaviour_, pieces);
  std::size_t done = 0;
  each_match(matcher, text, [&](const regular_expression::match& m) {
    if (done < m.begin) made.take(done, m.begin, inverted_);
    made.take(m.begin, m.end, !inverted_);
    done = m.end;
  });
  if (done < text.size()) made.take(done, text.size(), inverted_);
  made.finish();
}

}  // namespace act::runtime
