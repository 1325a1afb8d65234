// What an expression of a chat template can be. Texts know which of their bytes came from a message and which
// the template wrote: only in the latter are special tokens tokens.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace act::runtime::jinja {

/// UTF-8 with the origin of every byte.
struct marked_text {
  std::string bytes;
  std::string from;  ///< as long as `bytes`: from_template or from_message for each

  static constexpr char from_template = 't';
  static constexpr char from_message = 'm';

  marked_text() = default;
  marked_text(std::string_view text, char origin) : bytes(text), from(text.size(), origin) {}

  void append(const marked_text& more) {
    bytes += more.bytes;
    from += more.from;
  }
  [[nodiscard]] marked_text part(std::size_t at, std::size_t size) const {
    marked_text cut;
    cut.bytes = bytes.substr(at, size);
    cut.from = from.substr(at, size);
    return cut;
  }
};

class value;
struct macro;  // syntax.hpp

/// A variable that isn't there, or a member: prints as nothing, is false; anything else is an error.
struct undefined {
  std::string name;
};
struct none {};
using text_pointer = std::shared_ptr<const marked_text>;
using list_pointer = std::shared_ptr<const std::vector<value>>;
using dict_pointer = std::shared_ptr<const std::vector<std::pair<std::string, value>>>;
/// namespace(): the only thing that a template may change.
struct name_space {
  std::vector<std::pair<std::string, value>> members;
};
/// A function of the environment (range), or a method of a value (`content.strip`).
struct function {
  std::string name;
  std::shared_ptr<const value> of = nullptr;  ///< the method's value
};

class value {
 public:
  using variant = std::variant<undefined, none, bool, std::int64_t, double, text_pointer, list_pointer,
                               dict_pointer, std::shared_ptr<name_space>, function, const macro*>;

  value() : held_(none{}) {}
  value(undefined held) : held_(std::move(held)) {}
  value(none held) : held_(held) {}
  template <std::same_as<bool> Bool>  // and no pointer that would become one
  value(Bool held) : held_(held) {}
  value(std::int64_t held) : held_(held) {}
  value(double held) : held_(held) {}
  value(text_pointer held) : held_(std::move(held)) {}
  value(list_pointer held) : held_(std::move(held)) {}
  value(dict_pointer held) : held_(std::move(held)) {}
  value(std::shared_ptr<name_space> held) : held_(std::move(held)) {}
  value(function held) : held_(std::move(held)) {}
  value(const macro* held) : held_(held) {}

  [[nodiscard]] static value text(marked_text of) {
    return {std::make_shared<const marked_text>(std::move(of))};
  }
  [[nodiscard]] static value text(std::string_view of, char origin = marked_text::from_template) {
    return text(marked_text(of, origin));
  }
  [[nodiscard]] static value list(std::vector<value> of);
  [[nodiscard]] static value dict(std::vector<std::pair<std::string, value>> of);

  template <class Held>
  [[nodiscard]] const Held* as() const noexcept {
    return std::get_if<Held>(&held_);
  }
  /// Nothing unless it is one.
  [[nodiscard]] const marked_text* as_text() const noexcept {
    const text_pointer* held = as<text_pointer>();
    return held == nullptr ? nullptr : held->get();
  }
  [[nodiscard]] const std::vector<value>* as_list() const noexcept {
    const list_pointer* held = as<list_pointer>();
    return held == nullptr ? nullptr : held->get();
  }
  [[nodiscard]] const std::vector<std::pair<std::string, value>>* as_dict() const noexcept {
    const dict_pointer* held = as<dict_pointer>();
    return held == nullptr ? nullptr : held->get();
  }
  [[nodiscard]] bool is_undefined() const noexcept { return as<undefined>() != nullptr; }

  /// How deep lists and dictionaries lie in it: 0 for anything else.
  [[nodiscard]] std::size_t depth() const noexcept { return depth_; }

  /// As Python's truth of it.
  [[nodiscard]] bool truth() const noexcept;
  /// "a text", "a list" and the like, for messages.
  [[nodiscard]] std::string kind() const;

 private:
  variant held_;
  std::size_t depth_ = 0;
};

/// A truth value or a number, as Python counts both; nothing for anything else.
[[nodiscard]] std::optional<double> number_of(const value& of) noexcept;

}  // namespace act::runtime::jinja
