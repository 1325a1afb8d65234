#include <act/io/printable.hpp>
#include <act/runtime/jinja/lex.hpp>
#include <act/runtime/jinja/operations.hpp>
#include <act/runtime/jinja/render.hpp>
#include <act/runtime/jinja/syntax.hpp>
#include <act/runtime/jinja/value.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace act::runtime::jinja {

namespace {

struct scope {
  const scope* outer = nullptr;
  std::vector<std::pair<std::string, value>> variables = {};
};

std::size_t bytes_of(const value& of) {
  std::size_t bytes = 0;
  if (const marked_text* text = of.as_text()) bytes = text->bytes.size();
  if (const auto* items = of.as_list()) {
    for (const value& each : *items)
      bytes += bytes_of(each);
  }
  if (const auto* members = of.as_dict()) {
    for (const auto& [key, each] : *members)
      bytes += key.size() + bytes_of(each);
  }
  return bytes;
}

std::size_t bytes_of(const environment& with) {
  std::size_t bytes = 0;
  for (const auto& [name, held] : with.variables)
    bytes += bytes_of(held);
  return bytes;
}

enum class flow { goes_on, leaves_loop, next_turn };

class renderer {
 public:
  renderer(const environment& with, const error_place& place) : with_(with), does_(place, bytes_of(with)) {}

  marked_text whole(const body& of) {
    (void)run(of, top_);
    return std::move(output_);
  }

 private:
  // --- Statements.

  flow run(const body& of, scope& in) {
    const depth_guard deeper(does_);
    for (const statement& each : of) {
      does_.at(each.line);
      if (const flow how = run(each, in); how != flow::goes_on) return how;
    }
    return flow::goes_on;
  }

  flow run(const statement& of, scope& in) {
    switch (of.what) {
      case statement_kind::text:
        write(marked_text(of.text, marked_text::from_template));
        break;
      case statement_kind::print:
        write(does_.text_of(evaluate(*of.values[0], in)));
        break;
      case statement_kind::branch:
        return branch(of, in);
      case statement_kind::loop:
        loop(of, in);
        break;
      case statement_kind::set:
        assign(of, evaluate(*of.values[0], in), in);
        break;
      case statement_kind::set_block:
        assign(of, value::text(captured(of.bodies[0], in)), in);
        break;
      case statement_kind::macro:
        set(in, of.definition->name, static_cast<const macro*>(of.definition.get()));
        break;
      case statement_kind::leave_loop:
        return flow::leaves_loop;
      case statement_kind::next_turn:
        return flow::next_turn;
      case statement_kind::group:
        return run(of.bodies[0], in);
    }
    return flow::goes_on;
  }

  void write(const marked_text& text) {
    does_.charge(text.bytes.size());
    output_.append(text);
  }

  // What a body writes, on its own. break and continue stay inside: parse lets a block's body have none of a
  // loop around it that would matter.
  marked_text captured(const body& of, scope& in) {
    marked_text before = std::exchange(output_, {});
    (void)run(of, in);
    return std::exchange(output_, std::move(before));
  }

  flow branch(const statement& of, scope& in) {
    for (std::size_t i = 0; i < of.values.size(); ++i) {
      if (evaluate(*of.values[i], in).truth()) return run(of.bodies[i], in);
    }
    return of.bodies.size() > of.values.size() ? run(of.bodies.back(), in) : flow::goes_on;
  }

  void loop(const statement& of, scope& in) {
    std::vector<value> items = does_.items_of(evaluate(*of.values[0], in));
    if (of.values[1]) {
      std::vector<value> kept;
      for (value& each : items) {
        scope turn{.outer = &in};
        bind(of, each, turn);
        if (evaluate(*of.values[1], turn).truth()) kept.push_back(std::move(each));
      }
      items = std::move(kept);
    }
    if (items.empty() && of.bodies.size() > 1) (void)run(of.bodies[1], in);
    for (std::size_t i = 0; i < items.size(); ++i) {
      scope turn{.outer = &in};
      bind(of, items[i], turn);
      set(turn, "loop", loop_value(items, i));
      if (run(of.bodies[0], turn) == flow::leaves_loop) break;
    }
  }

  value loop_value(const std::vector<value>& items, std::size_t i) {
    does_.charge(16);
    const auto number = [](std::size_t of) { return value(static_cast<std::int64_t>(of)); };
    const std::size_t left = items.size() - i;
    return does_.made(value::dict({{"index", number(i + 1)},
                                   {"index0", number(i)},
                                   {"revindex", number(left)},
                                   {"revindex0", number(left - 1)},
                                   {"first", i == 0},
                                   {"last", left == 1},
                                   {"length", number(items.size())},
                                   {"depth", number(1)},
                                   {"depth0", number(0)},
                                   {"cycle", function{"loop.cycle"}},
                                   {"changed", function{"loop.changed"}},
                                   {"previtem", i == 0 ? undefined{"previtem"} : items[i - 1]},
                                   {"nextitem", left == 1 ? undefined{"nextitem"} : items[i + 1]}}));
  }

  void bind(const statement& of, const value& item, scope& in) {
    if (of.targets.size() == 1) {
      set(in, of.targets[0], item);
      return;
    }
    const std::vector<value> parts = does_.items_of(item);
    if (parts.size() != of.targets.size()) {
      does_.fail("gives " + std::to_string(of.targets.size()) + " names to " + std::to_string(parts.size()) +
                 " values");
    }
    for (std::size_t i = 0; i < parts.size(); ++i)
      set(in, of.targets[i], parts[i]);
  }

  void assign(const statement& of, const value& to, scope& in) {
    if (!of.of_namespace) {
      bind(of, to, in);
      return;
    }
    const value held = variable(of.targets[0], in);
    const auto* space = held.as<std::shared_ptr<name_space>>();
    if (space == nullptr) does_.fail("sets a member of " + held.kind() + ", which is no namespace");
    // Nothing that a template keeps may lead back to itself.
    if (to.as<std::shared_ptr<name_space>>() != nullptr) does_.unsupported("a namespace within a namespace");
    set((*space)->members, of.targets[1], to);
  }

  void set(scope& in, const std::string& name, value to) { set(in.variables, name, std::move(to)); }
  void set(std::vector<std::pair<std::string, value>>& among, const std::string& name, value to) {
    does_.charge(1 + among.size() / 8);
    const auto known =
        std::find_if(among.begin(), among.end(), [&](const auto& each) { return each.first == name; });
    if (known == among.end()) {
      among.emplace_back(name, std::move(to));
    } else {
      known->second = std::move(to);
    }
  }

  // --- Expressions.

  value variable(const std::string& name, const scope& in) {
    const auto among = [&](const std::vector<std::pair<std::string, value>>& variables) -> const value* {
      does_.charge(1 + variables.size() / 8);
      for (const auto& [known, held] : variables) {
        if (known == name) return &held;
      }
      return nullptr;
    };
    for (const scope* each = &in; each != nullptr; each = each->outer) {
      if (const value* found = among(each->variables)) return *found;
    }
    if (const value* found = among(with_.variables)) return *found;
    for (const char* known : {"range", "namespace", "dict", "raise_exception", "strftime_now"}) {
      if (name == known) return function{name};
    }
    for (const char* known : {"caller", "varargs", "kwargs", "self", "super", "cycler", "joiner", "lipsum"}) {
      if (name == known) does_.unsupported("'" + name + "'");
    }
    return undefined{name};
  }

  value evaluate(const expression& of, scope& in) {
    const depth_guard deeper(does_);
    does_.charge(1);
    does_.at(of.line);
    const auto operand = [&](std::size_t i) { return evaluate(*of.items[i], in); };
    switch (of.what) {
      case operation::literal:
        return of.constant;
      case operation::name:
        return variable(of.text, in);
      case operation::list: {
        std::vector<value> items;
        for (const expression_pointer& each : of.items)
          items.push_back(evaluate(*each, in));
        return does_.list(std::move(items));
      }
      case operation::dict:
        return dict(of, in);
      case operation::member:
        return does_.member(operand(0), of.text);
      case operation::subscript: {
        const value from = operand(0);
        return does_.subscript(from, operand(1));
      }
      case operation::slice: {
        std::array<value, 3> bounds{none{}, none{}, none{}};
        const value from = operand(0);
        for (std::size_t i = 0; i < 3; ++i) {
          if (of.items[i + 1]) bounds[i] = operand(i + 1);
        }
        return does_.slice(from, bounds[0], bounds[1], bounds[2]);
      }
      case operation::call: {
        const value callee = operand(0);
        const arguments given = evaluated_arguments(of, in);
        does_.at(of.line);
        return call(callee, given);
      }
      case operation::filter: {
        const value first = operand(0);
        const arguments given = evaluated_arguments(of, in);
        does_.at(of.line);
        return filter(of.text, first, given);
      }
      case operation::test: {
        const value first = operand(0);
        const arguments given = evaluated_arguments(of, in);
        does_.at(of.line);
        return does_.test(of.text, first, given);
      }
      case operation::conditional:
        if (operand(1).truth()) return operand(0);
        return of.items.size() > 2 ? operand(2) : undefined{};
      case operation::negate:
        return does_.arithmetic(operation::subtract, std::int64_t{0}, operand(0));
      case operation::plus:
        return does_.arithmetic(operation::add, std::int64_t{0}, operand(0));
      case operation::logical_not:
        return !operand(0).truth();
      case operation::logical_and: {
        value left = operand(0);
        return left.truth() ? operand(1) : left;
      }
      case operation::logical_or: {
        value left = operand(0);
        return left.truth() ? left : operand(1);
      }
      case operation::concatenate: {
        marked_text all;
        for (std::size_t i = 0; i < of.items.size(); ++i)
          all.append(does_.text_of(operand(i)));
        return does_.text(std::move(all));
      }
      case operation::compare: {
        value left = operand(0);
        for (std::size_t i = 0; i < of.comparisons.size(); ++i) {
          value right = operand(i + 1);
          if (!does_.compare(of.comparisons[i], left, right)) return false;
          left = std::move(right);
        }
        return true;
      }
      default: {
        const value left = operand(0);
        return does_.arithmetic(of.what, left, operand(1));
      }
    }
  }

  value dict(const expression& of, scope& in) {
    std::vector<std::pair<std::string, value>> members;
    for (std::size_t i = 0; i < of.items.size(); i += 2) {
      const value key = evaluate(*of.items[i], in);
      if (key.as_text() == nullptr) does_.unsupported("a dictionary with " + key.kind() + " as a key");
      set(members, key.as_text()->bytes, evaluate(*of.items[i + 1], in));
    }
    return does_.made(value::dict(std::move(members)));
  }

  arguments evaluated_arguments(const expression& of, scope& in) {
    arguments given;
    for (std::size_t i = 1; i < of.items.size(); ++i)
      given.items.push_back(evaluate(*of.items[i], in));
    for (const auto& [name, each] : of.named)
      given.named.emplace_back(name, evaluate(*each, in));
    return given;
  }

  value call(const value& callee, const arguments& given) {
    if (const auto* made = callee.as<const macro*>()) return call_macro(**made, given);
    const auto* known = callee.as<function>();
    if (known == nullptr) does_.fail("calls " + callee.kind());
    if (known->of) return does_.method(known->name, *known->of, given);
    if (known->name == "strftime_now") return now(given);
    return does_.global(known->name, given);
  }

  value now(const arguments& given) {
    const marked_text* format = given.items.size() == 1 ? given.items[0].as_text() : nullptr;
    if (format == nullptr || format->bytes.size() > 100 || format->bytes.find('\0') != std::string::npos)
      does_.fail("'strftime_now' needs a short format");
    std::tm local = {};
    ::localtime_r(&with_.now, &local);
    std::array<char, 1024> written = {};
    const std::size_t size = std::strftime(written.data(), written.size(), format->bytes.c_str(), &local);
    return value::text(std::string_view(written.data(), size));
  }

  value call_macro(const macro& of, const arguments& given) {
    const depth_guard deeper(does_);
    if (given.items.size() > of.parameters.size())
      does_.fail("macro '" + of.name + "' takes " + std::to_string(of.parameters.size()) + " arguments");
    for (const auto& [name, each] : given.named) {
      const auto known = std::find(of.parameters.begin(), of.parameters.end(), name);
      if (known == of.parameters.end()) does_.fail("macro '" + of.name + "' has no parameter '" + name + "'");
    }
    scope inner{.outer = &top_};
    for (std::size_t i = 0; i < of.parameters.size(); ++i) {
      const std::string& name = of.parameters[i];
      const auto named = std::find_if(given.named.begin(), given.named.end(),
                                      [&](const auto& each) { return each.first == name; });
      if (i < given.items.size()) {
        if (named != given.named.end()) does_.fail("macro '" + of.name + "' gets '" + name + "' twice");
        set(inner, name, given.items[i]);
      } else if (named != given.named.end()) {
        set(inner, name, named->second);
      } else {
        set(inner, name, of.defaults[i] ? evaluate(*of.defaults[i], inner) : undefined{name});
      }
    }
    return does_.text(captured(*of.content, inner));
  }

  // Those that take other filters and tests by name; the rest are operations.
  value filter(const std::string& name, const value& of, const arguments& given) {
    const bool by_attribute = name == "selectattr" || name == "rejectattr";
    if (name != "map" && name != "select" && name != "reject" && !by_attribute)
      return does_.filter(name, of, given);
    std::vector<value> results;
    if (name == "map" && given.items.empty()) {
      for (const auto& [key, each] : given.named) {
        if (key != "attribute") does_.unsupported("'map' with '" + key + "'");
      }
      if (given.named.size() != 1) does_.fail("'map' needs a filter or an attribute");
      for (const value& each : does_.items_of(of))
        results.push_back(does_.attribute(each, given.named[0].second));
      return does_.list(std::move(results));
    }
    if (!given.named.empty()) does_.unsupported("'" + name + "' with named arguments");
    const std::size_t skipped = by_attribute ? 1 : 0;
    if (by_attribute && given.items.empty()) does_.fail("'" + name + "' needs an attribute");
    const marked_text* by = given.items.size() > skipped ? given.items[skipped].as_text() : nullptr;
    if (by == nullptr && (name == "map" || given.items.size() > skipped))
      does_.fail("'" + name + "' needs a name");
    arguments rest;
    if (by != nullptr)
      rest.items.assign(given.items.begin() + static_cast<std::ptrdiff_t>(skipped) + 1, given.items.end());
    const bool wanted = name == "select" || name == "selectattr";
    for (const value& each : does_.items_of(of)) {
      if (name == "map") {
        results.push_back(filter(by->bytes, each, rest));
        continue;
      }
      const value tested = by_attribute ? does_.attribute(each, given.items[0]) : each;
      const bool passes = by == nullptr ? tested.truth() : does_.test(by->bytes, tested, rest);
      if (passes == wanted) results.push_back(each);
    }
    return does_.list(std::move(results));
  }

  const environment& with_;
  operations does_;
  scope top_;
  marked_text output_;
};

}  // namespace

marked_text render(const body& of, const environment& with, const std::string& source,
                   const std::string& mend) {
  const error_place place{source, mend};
  return renderer(with, place).whole(of);
}

}  // namespace act::runtime::jinja
