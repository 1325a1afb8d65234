// Python's pickle format as data, for files that keep their tensors in one (pytorch_file.hpp). A pickle is a
// program: it names functions and calls them. Nothing is called here and nothing is looked up: a call to one
// of the names that the caller allows becomes a value that says so, and any other name, as every instruction
// that plain data doesn't need, is refused by its name. Instructions: Python's Lib/pickletools.py.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace act::runtime {

enum class pickle_kind {
  none,
  boolean,
  integer,
  real,
  text,
  bytes,
  tuple,
  list,
  dictionary,  ///< `dict` and `collections.OrderedDict`
  global,      ///< one of the allowed names
  call,        ///< of a global, with a tuple of arguments
  persistent,  ///< what the pickle leaves to its reader to find, by a tuple that says what
};

/// One value. Values may be shared, and containers may hold themselves: who walks down a pickle must bound
/// the steps.
struct pickle_value {
  pickle_kind kind = pickle_kind::none;
  std::int64_t integer = 0;  ///< also of a boolean: 0 or 1
  double real = 0;
  std::string_view text;  ///< of texts and bytes; a global's name as the caller wrote it
  /// Elements of a tuple or list; of a dictionary keys and values in turn, in the file's order, a key perhaps
  /// more than once; of a call the global and its arguments; of a persistent value the tuple.
  std::vector<const pickle_value*> items;
};

/// Move-only: values point to each other, and their texts into the bytes that were read.
class pickle {
 public:
  /// Reads one pickle of protocols 2 to 5 that fills `bytes`, which must outlive this object. `place` names
  /// them in messages, `globals` are the names that may stand there ("torch.FloatStorage"; their characters
  /// must outlive this object too). Throws `error`: unsupported for another name, instruction or protocol,
  /// invalid_input for everything malformed; each says at which byte. Cost: linear in `bytes`, in time and
  /// memory (at most about 80 bytes for each); nothing recurses.
  pickle(std::span<const std::byte> bytes, const std::string& place,
         std::span<const std::string_view> globals);
  pickle(pickle&&) noexcept = default;
  pickle& operator=(pickle&&) noexcept = default;

  [[nodiscard]] const pickle_value& root() const noexcept { return *root_; }

 private:
  class machine;

  std::deque<pickle_value> values_;  // its elements stay where they are, also in a move
  const pickle_value* root_ = nullptr;
};

}  // namespace act::runtime
