// A program's command line: its options are declared here and parsed by CLI11, which only command_line.cpp
// sees: it takes longer to compile than most programs.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace act_program {

/// More than a program can count to.
inline constexpr std::int64_t any_count = std::int64_t{1} << 40;

/// One option, to say more of it while it is declared and to ask for it once the line is parsed. Refers to
/// its command_line, which must outlive it. What is declared returns the option itself.
class command_option {
 public:
  command_option() = default;
  explicit command_option(CLI::Option* option) noexcept : option_(option) {}

  command_option required() const;
  /// What stands for the value in the help: FILE, N.
  command_option value_name(const std::string& name) const;
  /// The heading it stands under in the help.
  command_option group(const std::string& heading) const;
  /// The help says the default, which is the variable's value now.
  command_option show_default() const;
  command_option one_of(std::vector<std::string> values) const;
  /// Both ends included; any_count: no more is said of the upper one.
  command_option within(std::int64_t first, std::int64_t last) const;
  command_option positive() const;
  /// Only together with `other`.
  command_option needs(const command_option& other) const;
  /// Each time one value only: what follows isn't another one.
  command_option one_value_each_time() const;

  /// How often it was given; never, where it wasn't declared.
  [[nodiscard]] std::size_t count() const;
  [[nodiscard]] bool given() const { return count() > 0; }

 private:
  CLI::Option* option_ = nullptr;
};

/// An option that was given, as it was.
struct given_option {
  std::string name;                 ///< without dashes
  std::vector<std::string> values;  ///< of a flag none
  bool flag = false;
};

class command_line {
 public:
  command_line(const std::string& description, const std::string& name);
  command_line(const command_line&) = delete;
  command_line& operator=(const command_line&) = delete;
  ~command_line();

  /// An option with a value, for std::string, std::vector<std::string> (may be repeated), double and integers
  /// of 64 bits. `value` must outlive the parsing and keeps what it has where the option isn't given.
  template <class Value>
  command_option add(const std::string& name, Value& value, const std::string& help);
  command_option add_flag(const std::string& name, bool& value, const std::string& help);
  /// A flag that prints `text()` and ends the program with 0, whatever else is missing.
  void add_listing(const std::string& name, const std::string& help, std::function<std::string()> text);
  /// What the help ends with.
  void footer(const std::string& text);

  /// The program's.
  [[nodiscard]] std::string name() const;
  /// Parses, help and `version` included. Returns an exit code when the program is done with that: after the
  /// help, the version, a listing, and the one line about wrong usage, which names the nearest option where
  /// one was given that there isn't.
  [[nodiscard]] std::optional<int> parse(int count, const char* const* arguments, const std::string& version);

  /// Whether an option was given, by its name with dashes; not where the program has no such option.
  [[nodiscard]] bool given(const std::string& option) const;
  /// Every option that was given, in the order of declaration.
  [[nodiscard]] std::vector<given_option> given() const;

 private:
  [[nodiscard]] std::string unknown_option(int count, const char* const* arguments) const;

  std::unique_ptr<CLI::App> app_;
};

}  // namespace act_program
