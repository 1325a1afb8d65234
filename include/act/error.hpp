// The one exception of act, thrown only at a public door: before the first write, outside parallel regions.
//
// Without exceptions (-fno-exceptions) an error prints its line to stderr and ends the program by std::abort.
// Who would rather do something else defines ACT_ON_ERROR(code, where, message), alike for all such units and
// before act's first header: it gets an act::error_code and two std::string_views, and must not return. Calls
// can be checked beforehand by the validate() of maps and options.
#pragma once

#include <act/detail/build.hpp>
#include <act/version.hpp>

#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>

namespace act::inline ACT_ABI {

/// What kind of thing was wrong. Programs map every code to exit status 1; libraries can branch on it.
enum class error_code {
  invalid_shape,   ///< an extent, stride or span length of a tensor doesn't fit the others
  invalid_option,  ///< an option is outside its range, or two options contradict each other
  invalid_input,   ///< a file's content is malformed, truncated or hostile
  unsupported,     ///< well-formed, but a feature act doesn't have
  mismatch,        ///< two inputs that must belong together don't (heads file and model, say)
  io,              ///< the operating system refused: open, read, write, map
};

/// Root of everything act throws. `what()` is one line that says what is wrong, where, and how to mend it.
class error : public std::runtime_error {
 public:
  /// `where`: the member, file or place in a file that is wrong; becomes the prefix of `what()`.
  /// @param code what kind of thing
  /// @param where becomes where()
  /// @param message what is wrong and how to mend it, in one line
  error(error_code code, std::string_view where, std::string_view message)
      : std::runtime_error(std::string(where) + ": " + std::string(message)), code_(code), where_(where) {}

  /// @return what kind of thing was wrong
  [[nodiscard]] error_code code() const noexcept { return code_; }
  /// @return the member, file or place in a file that is wrong
  [[nodiscard]] const std::string& where() const noexcept { return where_; }

 private:
  error_code code_;
  std::string where_;
};

/// What a `validate()` found. Converts to false when nothing is wrong; both members then are empty.
struct problem {
  std::string_view where = {};    ///< the member that is wrong, in the caller's terms
  std::string_view message = {};  ///< what is wrong with it and how to mend it

  /// @return whether something is wrong
  [[nodiscard]] constexpr explicit operator bool() const noexcept { return !message.empty(); }
};

}  // namespace act::inline ACT_ABI

namespace act::inline ACT_ABI::inline ACT_BUILD {

namespace detail {

/// Where every error of the core starts. Throws it, or ends as this header says where nothing can be thrown.
[[noreturn]] inline void raise(error_code code, std::string_view where, std::string_view message) {
#if defined(ACT_DETAIL_HAS_EXCEPTIONS)
  throw error(code, where, message);
#else
#if defined(ACT_ON_ERROR)
  ACT_ON_ERROR(code, where, message);
#else
  static_cast<void>(code);
  std::fprintf(stderr, "act: %.*s: %.*s\n", static_cast<int>(where.size()), where.data(),
               static_cast<int>(message.size()), message.data());
#endif
  std::abort();
#endif
}

}  // namespace detail

/// Raises `found` as an error; does nothing when nothing was found.
/// @param found what a validate() returned
/// @param code what kind of error it is
inline void throw_if(const problem& found, error_code code) {
  if (found) detail::raise(code, found.where, found.message);
}

}  // namespace act::inline ACT_ABI::inline ACT_BUILD
