#include "programs/command_line.hpp"

#include <CLI/CLI.hpp>

#include "programs/exit_codes.hpp"

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
  option_->check(CLI::Range(first, last));
  return *this;
}

command_option command_option::positive() const {
  option_->check(CLI::PositiveNumber);
  return *this;
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
  return command_option(app_->add_option(name, value, help));
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
    return app_->exit(problem) == 0 ? exit_done : exit_wrong_usage;
  }
  return std::nullopt;
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
