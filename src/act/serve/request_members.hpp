// The members of a request's body, read one by one: each is checked as it is read, and what nobody has read
// in the end is refused by its name. A parameter that is passed over would give an answer to another
// question.
#pragma once

#include <act/io/json_value.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace act::serve {

/// Members of one object; null is as good as absent. Everything here throws `refusal` (400), naming the
/// member.
class request_members {
 public:
  /// Parses `body`, which must be an object in UTF-8 (parse_json.hpp says what is refused).
  explicit request_members(std::string_view body);
  /// Those of a member that is an object; `name` goes before its own members' names.
  request_members(io::json_value of, std::string name);

  /// The member itself, for whoever looks at it.
  [[nodiscard]] std::optional<io::json_value> find(const std::string& name);

  [[nodiscard]] bool truth(const std::string& name, bool otherwise);
  /// A whole number within [first, last].
  [[nodiscard]] std::optional<std::uint64_t> count(const std::string& name, std::uint64_t first,
                                                   std::uint64_t last);
  [[nodiscard]] std::optional<double> number(const std::string& name, double first, double last);
  /// Must be there.
  [[nodiscard]] std::string text(const std::string& name);

  /// A parameter that act-serve has only one value of: `only`, which is what happens without it. `why` ends
  /// the refusal of another.
  void only(const std::string& name, double only, std::string_view why);
  /// The same where only an empty object or text is nothing.
  void only_empty(const std::string& name, std::string_view why);
  /// Says something that changes no answer (who asks).
  void without_effect(const std::string& name);

  /// Throws unless every member was asked for.
  void refuse_others() const;

 private:
  [[nodiscard]] std::string named(const std::string& name) const { return prefix_ + name; }

  std::optional<io::json_tree> tree_;
  io::json_value of_;
  std::string prefix_;
  std::set<std::string, std::less<>> asked_;
};

}  // namespace act::serve
