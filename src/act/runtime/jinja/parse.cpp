#include <act/io/printable.hpp>
#include <act/runtime/jinja/lex.hpp>
#include <act/runtime/jinja/parse.hpp>
#include <act/runtime/jinja/syntax.hpp>
#include <act/runtime/jinja/value.hpp>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace act::runtime::jinja {

namespace {

// Calls within calls are bounded, so that no template exhausts the stack.
constexpr std::size_t deepest = 200;

class parser {
 public:
  parser(std::vector<word> words, const error_place& place) : words_(std::move(words)), place_(place) {}

  body whole() {
    body content = statements({});
    if (here().what != word_kind::end) fail("'" + here().text + "' ends nothing");
    return content;
  }

 private:
  // One level of nesting, for as long as it lives.
  class level {
   public:
    explicit level(parser& of) : of_(of) {
      if (++of_.depth_ > deepest) of_.fail("is nested more than " + std::to_string(deepest) + " deep");
    }
    ~level() { --of_.depth_; }
    level(const level&) = delete;
    level& operator=(const level&) = delete;

   private:
    parser& of_;
  };

  [[nodiscard]] const word& here() const { return words_[at_]; }
  [[nodiscard]] const word& next() const { return words_[std::min(at_ + 1, words_.size() - 1)]; }
  word take() { return words_[at_ + 1 < words_.size() ? at_++ : at_]; }

  [[noreturn]] void fail(const std::string& what) const { place_.refuse(here().line, what); }
  [[noreturn]] void fail_unknown(const std::string& what) const { place_.unsupported(here().line, what); }

  [[nodiscard]] bool is_sign(std::string_view text) const {
    return here().what == word_kind::sign && here().text == text;
  }
  [[nodiscard]] bool is_name(std::string_view text) const {
    return here().what == word_kind::name && here().text == text;
  }
  bool skip_sign(std::string_view text) {
    const bool there = is_sign(text);
    if (there) take();
    return there;
  }
  bool skip_name(std::string_view text) {
    const bool there = is_name(text);
    if (there) take();
    return there;
  }
  void expect_sign(std::string_view text) {
    if (!skip_sign(text)) fail("has " + shown() + " where '" + std::string(text) + "' must stand");
  }
  void expect_name(std::string_view text) {
    if (!skip_name(text)) fail("has " + shown() + " where '" + std::string(text) + "' must stand");
  }
  void expect_end_of_tag() {
    if (here().what != word_kind::tag_end) fail("has " + shown() + " where a tag must end");
    take();
  }
  [[nodiscard]] std::string shown() const {
    switch (here().what) {
      case word_kind::end:
        return "its end";
      case word_kind::print_end:
      case word_kind::tag_end:
        return "a tag's end";
      default:
        return "'" + io::printable(here().text) + "'";
    }
  }
  std::string name() {
    if (here().what != word_kind::name) fail("has " + shown() + " where a name must stand");
    return take().text;
  }

  expression_pointer made(expression of) const {
    for (const expression_pointer& each : of.items) {
      if (each) of.depth = std::max(of.depth, each->depth + 1);
    }
    for (const auto& [key, each] : of.named)
      of.depth = std::max(of.depth, each->depth + 1);
    if (of.depth > deepest) fail("has an expression nested more than " + std::to_string(deepest) + " deep");
    return std::make_unique<expression>(std::move(of));
  }
  expression node(operation what) const {
    expression made;
    made.what = what;
    made.line = here().line;
    return made;
  }
  expression_pointer joined(operation what, expression_pointer left, expression_pointer right) const {
    expression both = node(what);
    both.items.push_back(std::move(left));
    both.items.push_back(std::move(right));
    return made(std::move(both));
  }
  expression_pointer constant(value of) const {
    expression one = node(operation::literal);
    one.constant = std::move(of);
    return made(std::move(one));
  }

  // --- Expressions, loosest first.

  expression_pointer expression_here(bool with_condition = true) {
    const level inner(*this);
    expression_pointer left = disjunction();
    while (with_condition && skip_name("if")) {
      expression chosen = node(operation::conditional);
      chosen.items.push_back(std::move(left));
      chosen.items.push_back(disjunction());
      if (skip_name("else")) chosen.items.push_back(expression_here());
      left = made(std::move(chosen));
    }
    return left;
  }

  // With commas a list: a tuple is one here.
  expression_pointer tuple(bool with_condition = true) {
    expression_pointer first = expression_here(with_condition);
    if (!is_sign(",")) return first;
    expression list = node(operation::list);
    list.items.push_back(std::move(first));
    while (skip_sign(",")) {
      if (here().what == word_kind::tag_end || here().what == word_kind::print_end || is_sign(")")) break;
      list.items.push_back(expression_here(with_condition));
    }
    return made(std::move(list));
  }

  expression_pointer disjunction() {
    expression_pointer left = conjunction();
    while (skip_name("or"))
      left = joined(operation::logical_or, std::move(left), conjunction());
    return left;
  }
  expression_pointer conjunction() {
    expression_pointer left = negation();
    while (skip_name("and"))
      left = joined(operation::logical_and, std::move(left), negation());
    return left;
  }
  expression_pointer negation() {
    if (!is_name("not")) return comparisons();
    const level inner(*this);
    expression inverted = node(operation::logical_not);
    take();
    inverted.items.push_back(negation());
    return made(std::move(inverted));
  }

  std::optional<comparison> comparison_here() {
    static constexpr std::pair<std::string_view, comparison> signs[] = {
        {"==", comparison::equal},      {"!=", comparison::different}, {"<", comparison::less},
        {"<=", comparison::less_equal}, {">", comparison::greater},    {">=", comparison::greater_equal}};
    for (const auto& [sign, meaning] : signs) {
      if (skip_sign(sign)) return meaning;
    }
    if (skip_name("in")) return comparison::in;
    if (is_name("not") && next().what == word_kind::name && next().text == "in") {
      take();
      take();
      return comparison::not_in;
    }
    return std::nullopt;
  }
  expression_pointer comparisons() {
    expression chain = node(operation::compare);
    chain.items.push_back(sum());
    while (const std::optional<comparison> how = comparison_here()) {
      chain.comparisons.push_back(*how);
      chain.items.push_back(sum());
    }
    return chain.comparisons.empty() ? std::move(chain.items.front()) : made(std::move(chain));
  }
  expression_pointer sum() {
    expression_pointer left = concatenation();
    while (is_sign("+") || is_sign("-")) {
      const operation what = take().text == "+" ? operation::add : operation::subtract;
      left = joined(what, std::move(left), concatenation());
    }
    return left;
  }
  expression_pointer concatenation() {
    expression_pointer first = product();
    if (!is_sign("~")) return first;
    expression all = node(operation::concatenate);
    all.items.push_back(std::move(first));
    while (skip_sign("~"))
      all.items.push_back(product());
    return made(std::move(all));
  }
  expression_pointer product() {
    expression_pointer left = power();
    while (is_sign("*") || is_sign("/") || is_sign("//") || is_sign("%")) {
      const std::string sign = take().text;
      const operation what = sign == "*"    ? operation::multiply
                             : sign == "/"  ? operation::divide
                             : sign == "//" ? operation::floor_divide
                                            : operation::modulo;
      left = joined(what, std::move(left), power());
    }
    return left;
  }
  expression_pointer power() {
    expression_pointer left = unary(true);
    while (skip_sign("**"))
      left = joined(operation::power, std::move(left), unary(true));
    return left;
  }
  expression_pointer unary(bool with_filters) {
    expression_pointer operand;
    if (is_sign("-") || is_sign("+")) {
      const level inner(*this);
      expression prefixed = node(is_sign("-") ? operation::negate : operation::plus);
      take();
      prefixed.items.push_back(unary(false));
      operand = made(std::move(prefixed));
    } else {
      operand = primary();
    }
    operand = postfixed(std::move(operand));
    return with_filters ? filtered(std::move(operand)) : std::move(operand);
  }

  expression_pointer primary() {
    const level inner(*this);
    switch (here().what) {
      case word_kind::string: {
        std::string text = take().text;
        while (here().what == word_kind::string)
          text += take().text;
        return constant(value::text(text));
      }
      case word_kind::integer: {
        const std::string digits = take().text;
        std::int64_t number = 0;
        if (std::from_chars(digits.data(), digits.data() + digits.size(), number).ec != std::errc{})
          fail("the number " + digits + " is too large");
        return constant(number);
      }
      case word_kind::real:
        return constant(std::strtod(take().text.c_str(), nullptr));
      case word_kind::name:
        return named_value();
      case word_kind::sign:
        break;
      default:
        fail("has " + shown() + " where a value must stand");
    }
    if (skip_sign("(")) {
      if (skip_sign(")")) return made(node(operation::list));
      expression_pointer inside = tuple();
      expect_sign(")");
      return inside;
    }
    if (skip_sign("[")) {
      expression list = node(operation::list);
      while (!skip_sign("]")) {
        list.items.push_back(expression_here());
        if (!is_sign("]")) expect_sign(",");
      }
      return made(std::move(list));
    }
    if (skip_sign("{")) {
      expression dict = node(operation::dict);
      while (!skip_sign("}")) {
        dict.items.push_back(expression_here());
        expect_sign(":");
        dict.items.push_back(expression_here());
        if (!is_sign("}")) expect_sign(",");
      }
      return made(std::move(dict));
    }
    fail("has " + shown() + " where a value must stand");
  }

  expression_pointer named_value() {
    const std::string text = here().text;
    for (const char* word : {"if", "else", "elif", "and", "or", "in", "is", "for"}) {
      if (text == word) fail("has " + shown() + " where a value must stand");
    }
    if (text == "true" || text == "True" || text == "false" || text == "False") {
      take();
      return constant(text == "true" || text == "True");
    }
    if (text == "none" || text == "None") {
      take();
      return constant(none{});
    }
    expression variable = node(operation::name);
    variable.text = take().text;
    return made(std::move(variable));
  }

  expression_pointer postfixed(expression_pointer of) {
    while (true) {
      if (skip_sign(".")) {
        if (here().what == word_kind::integer) {
          expression at = node(operation::subscript);
          at.items.push_back(std::move(of));
          at.items.push_back(primary());
          of = made(std::move(at));
        } else {
          expression member = node(operation::member);
          member.text = name();
          member.items.push_back(std::move(of));
          of = made(std::move(member));
        }
      } else if (is_sign("[")) {
        of = subscripted(std::move(of));
      } else if (is_sign("(")) {
        of = called(std::move(of));
      } else {
        return of;
      }
    }
  }
  expression_pointer subscripted(expression_pointer of) {
    expression at = node(operation::subscript);
    take();
    at.items.push_back(std::move(of));
    std::vector<expression_pointer> parts(1);
    while (!is_sign("]")) {
      if (skip_sign(":")) {
        parts.emplace_back();
        if (parts.size() > 3) fail("has a slice of more than three parts");
      } else if (parts.back()) {
        fail_unknown("a subscript by several values isn't known");
      } else {
        parts.back() = expression_here();
      }
    }
    take();
    if (parts.size() == 1) {
      if (!parts[0]) fail("has an empty subscript");
      at.items.push_back(std::move(parts[0]));
      return made(std::move(at));
    }
    at.what = operation::slice;
    parts.resize(3);
    for (expression_pointer& part : parts)
      at.items.push_back(std::move(part));
    return made(std::move(at));
  }
  expression_pointer called(expression_pointer of) {
    expression call = node(operation::call);
    call.items.push_back(std::move(of));
    arguments(call);
    return made(std::move(call));
  }

  void arguments(expression& call) {
    expect_sign("(");
    while (!skip_sign(")")) {
      if (is_sign("*") || is_sign("**")) fail_unknown("'*' among arguments isn't known");
      if (here().what == word_kind::name && next().what == word_kind::sign && next().text == "=") {
        std::string key = take().text;
        take();
        call.named.emplace_back(std::move(key), expression_here());
      } else {
        if (!call.named.empty()) fail("has an argument without a name behind one with a name");
        call.items.push_back(expression_here());
      }
      if (!is_sign(")")) expect_sign(",");
    }
  }

  expression_pointer filtered(expression_pointer of) {
    while (true) {
      if (skip_sign("|")) {
        expression filter = node(operation::filter);
        filter.text = name();
        filter.items.push_back(std::move(of));
        if (is_sign("(")) arguments(filter);
        of = made(std::move(filter));
      } else if (is_name("is")) {
        of = tested(std::move(of));
      } else if (is_sign("(")) {
        of = called(std::move(of));
      } else {
        return of;
      }
    }
  }
  expression_pointer tested(expression_pointer of) {
    expression test = node(operation::test);
    take();
    const bool inverted = skip_name("not");
    test.text = name();
    test.items.push_back(std::move(of));
    const bool value_follows =
        here().what == word_kind::string || here().what == word_kind::integer ||
        here().what == word_kind::real || is_sign("[") || is_sign("{") ||
        (here().what == word_kind::name && !is_name("else") && !is_name("or") && !is_name("and") &&
         !is_name("if") && !is_name("is") && !is_name("in") && !is_name("not"));
    if (is_name("is")) fail("has a test of a test; write 'and' between them");
    if (is_sign("(")) {
      arguments(test);
    } else if (value_follows) {
      test.items.push_back(postfixed(primary()));
    }
    expression_pointer whole = made(std::move(test));
    if (!inverted) return whole;
    expression negated = node(operation::logical_not);
    negated.items.push_back(std::move(whole));
    return made(std::move(negated));
  }

  // --- Statements.

  // Up to a tag that begins with one of `ends`, whose name is left to be taken.
  body statements(std::initializer_list<std::string_view> ends) {
    const level inner(*this);
    body content;
    while (here().what != word_kind::end) {
      statement made;
      made.line = here().line;
      if (here().what == word_kind::text) {
        made.what = statement_kind::text;
        made.text = take().text;
      } else if (here().what == word_kind::print_begin) {
        take();
        made.what = statement_kind::print;
        made.values.push_back(tuple());
        if (here().what != word_kind::print_end) fail("has " + shown() + " where a tag must end");
        take();
      } else {
        take();  // the tag's beginning
        if (here().what != word_kind::name) fail("has " + shown() + " where a tag's name must stand");
        if (std::find(ends.begin(), ends.end(), here().text) != ends.end()) return content;
        made = tag();
      }
      content.push_back(std::move(made));
    }
    if (ends.size() > 0) fail("ends where '" + std::string(*(ends.end() - 1)) + "' must stand");
    return content;
  }

  void end_of(std::string_view tag) {
    expect_name(tag);
    expect_end_of_tag();
  }

  statement tag() {
    const std::size_t line = here().line;
    const std::string kind = take().text;
    statement made;
    if (kind == "if") {
      made = branch();
    } else if (kind == "for") {
      made = loop();
    } else if (kind == "set") {
      made = assignment();
    } else if (kind == "macro") {
      made = definition();
    } else if (kind == "generation") {  // marks what an assistant said: for training
      expect_end_of_tag();
      made.what = statement_kind::group;
      made.bodies.push_back(statements({"endgeneration"}));
      end_of("endgeneration");
    } else if (kind == "break" || kind == "continue") {
      if (loops_ == 0) place_.refuse(line, "has '" + kind + "' outside of a loop");
      made.what = kind == "break" ? statement_kind::leave_loop : statement_kind::next_turn;
      expect_end_of_tag();
    } else {
      for (const char* known : {"include", "import", "from", "extends", "block", "call", "filter", "with",
                                "autoescape", "trans", "do"}) {
        if (kind == known) place_.unsupported(line, "the tag '" + kind + "' isn't known");
      }
      place_.refuse(line, "there is no tag '" + io::printable(kind) + "' here");
    }
    made.line = line;
    return made;
  }

  statement branch() {
    statement made;
    made.what = statement_kind::branch;
    made.values.push_back(tuple(false));
    expect_end_of_tag();
    made.bodies.push_back(statements({"elif", "else", "endif"}));
    while (skip_name("elif")) {
      made.values.push_back(tuple(false));
      expect_end_of_tag();
      made.bodies.push_back(statements({"elif", "else", "endif"}));
    }
    if (skip_name("else")) {
      expect_end_of_tag();
      made.bodies.push_back(statements({"endif"}));
    }
    end_of("endif");
    return made;
  }

  std::vector<std::string> target_names() {
    const bool bracketed = skip_sign("(");
    std::vector<std::string> names{name()};
    while (skip_sign(","))
      names.push_back(name());
    if (bracketed) expect_sign(")");
    return names;
  }

  statement loop() {
    statement made;
    made.what = statement_kind::loop;
    made.targets = target_names();
    expect_name("in");
    made.values.push_back(tuple(false));
    made.values.emplace_back();
    if (skip_name("if")) made.values[1] = tuple(false);
    if (is_name("recursive")) fail_unknown("a recursive loop isn't known");
    expect_end_of_tag();
    ++loops_;
    ++within_;
    made.bodies.push_back(statements({"else", "endfor"}));
    --loops_;
    --within_;
    if (skip_name("else")) {
      expect_end_of_tag();
      made.bodies.push_back(statements({"endfor"}));
    }
    end_of("endfor");
    return made;
  }

  statement assignment() {
    statement made;
    made.what = statement_kind::set;
    if (here().what == word_kind::name && next().what == word_kind::sign && next().text == ".") {
      made.of_namespace = true;
      made.targets.push_back(name());
      take();
      made.targets.push_back(name());
    } else {
      made.targets = target_names();
    }
    if (skip_sign("=")) {
      made.values.push_back(tuple());
      expect_end_of_tag();
      return made;
    }
    if (is_sign("|")) fail_unknown("'set' of a filtered block isn't known");
    if (made.targets.size() > 1) fail("sets several names to one block");
    made.what = statement_kind::set_block;
    expect_end_of_tag();
    made.bodies.push_back(statements({"endset"}));
    end_of("endset");
    return made;
  }

  statement definition() {
    statement made;
    made.what = statement_kind::macro;
    if (within_ > 0) fail_unknown("a macro within a loop or a macro isn't known");
    made.definition = std::make_unique<macro>();
    macro& of = *made.definition;
    of.line = here().line;
    of.name = name();
    expect_sign("(");
    while (!skip_sign(")")) {
      of.parameters.push_back(name());
      of.defaults.emplace_back();
      if (skip_sign("=")) {
        of.defaults.back() = expression_here();
      } else if (of.defaults.size() > 1 && of.defaults[of.defaults.size() - 2]) {
        fail("has a parameter without a default behind one with a default");
      }
      if (!is_sign(")")) expect_sign(",");
    }
    expect_end_of_tag();
    const std::size_t loops = std::exchange(loops_, 0);
    ++within_;
    of.content = std::make_unique<body>(statements({"endmacro"}));
    --within_;
    loops_ = loops;
    end_of("endmacro");
    return made;
  }

  std::vector<word> words_;
  const error_place& place_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
  std::size_t loops_ = 0;   // around here
  std::size_t within_ = 0;  // loops and macros around here
};

}  // namespace

body parse(std::string_view text, const std::string& source, const std::string& mend) {
  const error_place place{source, mend};
  return parser(lex(text, place), place).whole();
}

}  // namespace act::runtime::jinja
