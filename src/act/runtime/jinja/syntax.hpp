// A chat template as parsed: what it says, ready to be rendered. parse.hpp makes it, render.hpp runs it.
#pragma once

#include <act/runtime/jinja/value.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace act::runtime::jinja {

enum class operation {
  literal,      // `constant`
  name,         // `text`
  list,         // items
  dict,         // key, value, key, value ...
  member,       // a.text
  subscript,    // a[b]
  slice,        // a[b:c:d], missing ones null
  call,         // a(items, named)
  filter,       // a | text(items, named)
  test,         // a is text(items)
  conditional,  // a if b else c; c may be missing
  negate,       // -a
  plus,         // +a
  logical_not,
  logical_and,
  logical_or,
  add,
  subtract,
  multiply,
  divide,
  floor_divide,
  modulo,
  power,
  concatenate,  // a ~ b
  compare,      // a text b text c ...: `comparisons` says how
};

enum class comparison { equal, different, less, less_equal, greater, greater_equal, in, not_in };

struct expression;
using expression_pointer = std::unique_ptr<expression>;

struct expression {
  operation what = operation::literal;
  std::size_t line = 0;
  std::size_t depth = 1;  ///< of the tree under it
  value constant = {};
  std::string text = {};
  std::vector<expression_pointer> items = {};  ///< operands first
  std::vector<std::pair<std::string, expression_pointer>> named = {};
  std::vector<comparison> comparisons = {};
};

struct statement;
using body = std::vector<statement>;

struct macro {
  std::string name;
  std::size_t line = 0;
  std::vector<std::string> parameters;
  std::vector<expression_pointer> defaults;  ///< of each parameter, null where it has none
  std::unique_ptr<body> content;
};

enum class statement_kind { text, print, branch, loop, set, set_block, macro, leave_loop, next_turn, group };

struct statement {
  statement_kind what = statement_kind::text;
  std::size_t line = 0;
  std::string text = {};  ///< text: what is written
  std::vector<expression_pointer> values =
      {};  ///< print, set: one; branch: a condition for each body but an else's;
           ///< loop: what is gone through, and what filters it or null
  std::vector<std::string> targets =
      {};  ///< loop, set: names; set of a namespace: the namespace and its member
  bool of_namespace = false;
  std::vector<body> bodies = {};  ///< branch: each condition's, then else's; loop: its own, then else's
  std::unique_ptr<jinja::macro> definition = nullptr;
};

}  // namespace act::runtime::jinja
