#include "programs/command_line.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <iostream>
#include <limits>
#include <system_error>
#include <type_traits>
#include <utility>

#include "programs/exit_codes.hpp"
#include "programs/nearest_name.hpp"

namespace act_program {

command_option command_option::required() const {
  option_->required();
  return *this;
}

command_option command_option::value_name(const std::string& name) const {
  option_->type_name(name);
  return *this;
}

command_option command_option::group(const std::string& heading) const {
  option_->group(heading);
  return *this;
}

command_option command_option::show_default() const {
  option_->capture_default_str();
  return *this;
}

command_option command_option::one_of(std::vector<std::string> values) const {
  option_->check(CLI::IsMember(std::move(values)));
  return *this;
}

command_option command_option::within(std::int64_t first, std::int64_t last) const {
  const std::string allowed = "must be a whole number from " + std::to_string(first) +
                              (last < any_count ? " to " + std::to_string(last) : std::string());
  option_->check(CLI::Validator(
      [=](const std::string& text) {
        std::int64_t value = 0;
        const bool good = CLI::detail::lexical_cast(text, value) && value >= first && value <= last;
        return good ? std::string() : allowed + ", not '" + text + "'";
      },
      ""));
  return *this;
}

command_option command_option::positive() const {
  return within(1, any_count);
}

command_option command_option::needs(const command_option& other) const {
  option_->needs(other.option_);
  return *this;
}

command_option command_option::one_value_each_time() const {
  option_->allow_extra_args(false);
  return *this;
}

std::size_t command_option::count() const {
  return option_ == nullptr ? 0 : option_->count();
}

command_line::command_line(const std::string& description, const std::string& name)
    : app_(std::make_unique<CLI::App>(description, name)) {}

command_line::~command_line() = default;

template <class Value>
command_option command_line::add(const std::string& name, Value& value, const std::string& help) {
  CLI::Option* const option = app_->add_option(name, value, help);
  // A number below 0 would be taken for one that is very large.
  if constexpr (std::is_unsigned_v<Value>) {
    option->check(CLI::Validator(
        [](const std::string& text) {
          Value number = 0;
          const bool too_large = std::from_chars(text.data(), text.data() + text.size(), number).ec ==
                                 std::errc::result_out_of_range;
          return text.starts_with('-') || too_large
                     ? "must be a whole number from 0" +
                           (too_large ? " to " + std::to_string(std::numeric_limits<Value>::max())
                                      : std::string()) +
                           ", not '" + text.substr(0, 60) + "'"
                     : std::string();
        },
        ""));
  }
  return command_option(option);
}
template command_option command_line::add(const std::string&, std::string&, const std::string&);
template command_option command_line::add(const std::string&, std::vector<std::string>&, const std::string&);
template command_option command_line::add(const std::string&, double&, const std::string&);
template command_option command_line::add(const std::string&, long&, const std::string&);
template command_option command_line::add(const std::string&, unsigned long&, const std::string&);
#ifdef __APPLE__  // where integers of 64 bits are these
template command_option command_line::add(const std::string&, long long&, const std::string&);
template command_option command_line::add(const std::string&, unsigned long long&, const std::string&);
#endif

command_option command_line::add_flag(const std::string& name, bool& value, const std::string& help) {
  return command_option(app_->add_flag(name, value, help));
}

void command_line::add_listing(const std::string& name, const std::string& help,
                               std::function<std::string()> text) {
  // Before what is required is asked for.
  app_->add_flag_callback(
      name,
      [text = std::move(text)] {
        std::cout << text();
        throw CLI::Success();
      },
      help);
}

void command_line::footer(const std::string& text) {
  app_->footer(text);
}

std::string command_line::name() const {
  return app_->get_name();
}

std::optional<int> command_line::parse(int count, const char* const* arguments, const std::string& version) {
  app_->set_version_flag("--version", version);
  app_->get_formatter()->column_width(36);
  try {
    app_->parse(count, arguments);
  } catch (const CLI::ParseError& problem) {
    const bool asked = problem.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success);
    if (asked) {
      (void)app_->exit(problem);
      return exit_done;
    }
    const std::string unknown = unknown_option(count, arguments);
    std::fprintf(
        stderr, "%s: %s\n", name().c_str(),
        (unknown.empty() ? problem.what() + std::string("; --help lists the options") : unknown).c_str());
    return exit_wrong_usage;
  }
  return std::nullopt;
}

// What to say of an argument that none of the options takes; empty where there is none. It comes before what
// is missing: of '--modle M.gguf' the latter would be said, and it is the former that helps.
std::string command_line::unknown_option(int count, const char* const* arguments) const {
  const std::vector<std::string> left = app_->remaining();
  const auto untaken = [&](const std::string& argument) {
    return std::find(left.begin(), left.end(), argument) != left.end();
  };
  std::vector<std::string> names;
  for (const CLI::Option* option : std::as_const(*app_).get_options())
    names.push_back("--" + option->get_single_name());
  for (const bool options : {true, false}) {
    for (int i = 1; i < count; ++i) {
      const std::string argument = arguments[i];
      if (!untaken(argument) || argument.starts_with('-') != options) continue;
      if (!options) return "'" + argument + "' follows no option that takes it; --help lists the options";
      const std::string given = argument.substr(0, argument.find('='));
      const std::string near = nearest_option(given, names);
      return "'" + given + "' is no option of " + name() + (near.empty() ? "" : "; the nearest is " + near) +
             "; --help lists all";
    }
  }
  return {};
}

bool command_line::given(const std::string& option) const {
  const CLI::Option* const found = app_->get_option_no_throw(option);
  return found != nullptr && found->count() > 0;
}

std::vector<given_option> command_line::given() const {
  std::vector<given_option> all;
  for (const CLI::Option* option : std::as_const(*app_).get_options()) {
    const std::string name = option->get_single_name();
    if (name == "help" || name == "version" || option->count() == 0) continue;
    const bool flag = option->get_expected_max() == 0;
    all.push_back(
        {.name = name, .values = flag ? std::vector<std::string>{} : option->results(), .flag = flag});
  }
  return all;
}

}  // namespace act_program
