// What a chat template does with values: Python's operators, and the filters, tests and methods of jinja that
// chat templates use. Also keeps count of the work, which is bounded.
#pragma once

#include <act/runtime/jinja/lex.hpp>
#include <act/runtime/jinja/syntax.hpp>
#include <act/runtime/jinja/value.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace act::runtime::jinja {

/// Evaluated.
struct arguments {
  std::vector<value> items;
  std::vector<std::pair<std::string, value>> named;
};

/// Every member throws what render (render.hpp) does. Its operators, filters and tests, methods and functions
/// are in files of these names.
class operations {
 public:
  /// `bytes`: of the texts that the template is given; it may take a number of steps for each.
  operations(const error_place& place, std::size_t bytes);

  /// Where the template is now, for messages.
  void at(std::size_t line) noexcept { line_ = line; }
  [[noreturn]] void fail(const std::string& what) const;
  /// `what` is a noun: "isn't known" follows.
  [[noreturn]] void unsupported(const std::string& what) const;

  /// Counts steps, or bytes and items that are made.
  void charge(std::size_t work);
  void enter();
  void leave() noexcept { --depth_; }

  /// The same value, once its depth is checked.
  [[nodiscard]] value made(value of) const;
  [[nodiscard]] value list(std::vector<value> items);
  [[nodiscard]] value text(marked_text of);

  /// As it is printed. Lists and dictionaries aren't.
  [[nodiscard]] marked_text text_of(const value& of);
  /// What a loop goes through.
  [[nodiscard]] std::vector<value> items_of(const value& of);

  [[nodiscard]] value member(const value& of, const std::string& name);
  [[nodiscard]] value subscript(const value& of, const value& by);
  /// By a name, perhaps with dots, or an index: the attribute of filters.
  [[nodiscard]] value attribute(const value& of, const value& by);
  [[nodiscard]] value slice(const value& of, const value& begin, const value& end, const value& step);

  [[nodiscard]] value arithmetic(operation what, const value& left, const value& right);
  [[nodiscard]] bool compare(comparison how, const value& left, const value& right);

  [[nodiscard]] bool test(const std::string& name, const value& of, const arguments& given);
  [[nodiscard]] value filter(const std::string& name, const value& of, const arguments& given);
  [[nodiscard]] value method(const std::string& name, const value& of, const arguments& given);
  /// A function of the environment.
  [[nodiscard]] value global(const std::string& name, const arguments& given);

 private:
  [[nodiscard]] bool equal(const value& a, const value& b);
  [[nodiscard]] bool contains(const value& container, const value& item);
  [[nodiscard]] value text_method(const std::string& name, const marked_text& of, const arguments& given);
  [[nodiscard]] value split(const marked_text& of, const arguments& given);
  [[nodiscard]] value replaced(const marked_text& of, const value& old, const value& by, const value& count);
  [[nodiscard]] value joined(const std::vector<value>& items, const marked_text& between);
  [[nodiscard]] value with_case(const std::string& name, const marked_text& of);
  void write_json(const value& of, marked_text& to);
  [[nodiscard]] const marked_text& text_argument(const arguments& given, std::size_t i,
                                                 const std::string& of);
  void check_count(const std::string& of, const arguments& given, std::size_t least, std::size_t most) const;

  const error_place& place_;
  std::size_t line_ = 1;
  std::size_t work_left_;
  std::size_t depth_ = 0;
};

/// One level of calls, for as long as it lives.
class depth_guard {
 public:
  explicit depth_guard(operations& of) : of_(of) { of_.enter(); }
  ~depth_guard() { of_.leave(); }
  depth_guard(const depth_guard&) = delete;
  depth_guard& operator=(const depth_guard&) = delete;

 private:
  operations& of_;
};

}  // namespace act::runtime::jinja
