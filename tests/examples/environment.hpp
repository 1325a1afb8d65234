// Environment variables of the programs that a test runs: those of the test itself.
#pragma once

#include <cstdlib>
#include <optional>
#include <string>
#include <utility>

namespace act_test {

/// Sets a variable, or with no value unsets it, and puts back what was there.
class environment_variable {
 public:
  environment_variable(std::string name, const char* value) : name_(std::move(name)) {
    if (const char* const before = std::getenv(name_.c_str())) before_ = before;
    set(value);
  }
  environment_variable(const environment_variable&) = delete;
  environment_variable& operator=(const environment_variable&) = delete;
  ~environment_variable() { set(before_ ? before_->c_str() : nullptr); }

 private:
  void set(const char* value) const {
    if (value != nullptr) {
      setenv(name_.c_str(), value, 1);
    } else {
      unsetenv(name_.c_str());
    }
  }

  std::string name_;
  std::optional<std::string> before_;
};

/// Nothing is said about how threads wait, as in most users' shells.
struct nothing_about_waiting {
  environment_variable policy{"OMP_WAIT_POLICY", nullptr};
  environment_variable spins{"GOMP_SPINCOUNT", nullptr};
  environment_variable block_time{"KMP_BLOCKTIME", nullptr};
};

}  // namespace act_test
