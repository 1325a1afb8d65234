// A zip file whose entries are stored, not compressed, as the formats are that want to be mapped (PyTorch's):
// each entry is a run of bytes of the mapping, checked against its CRC-32 and not copied. libzip reads the
// directory; without it every file is refused.
#pragma once

#include <act/io/mapped_file.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace act::io {

/// Move-only; views live as long as the object does, or the one it was moved into.
class stored_zip {
 public:
  /// Reads the directory of the zip in `file`. Throws `error`: invalid_input for a file that isn't a whole
  /// zip, that names an entry twice or whose entries are larger than it; unsupported in builds without
  /// libzip. Cost: memory in proportion to the number of entries.
  explicit stored_zip(mapped_file file);
  stored_zip(stored_zip&&) noexcept;
  stored_zip& operator=(stored_zip&&) noexcept;
  ~stored_zip();

  [[nodiscard]] const std::string& path() const noexcept { return file_.path(); }
  /// Bytes of the whole file.
  [[nodiscard]] std::size_t size() const noexcept { return file_.bytes().size(); }

  /// The entries' names in the directory's order, folders among them.
  [[nodiscard]] const std::vector<std::string>& names() const noexcept;
  [[nodiscard]] bool contains(std::string_view name) const;

  /// The bytes of the entry called `name`. Throws `error`: invalid_input when there is none, and when its
  /// bytes don't lie in the file or don't have the CRC-32 that the zip says; unsupported when it is
  /// compressed or encrypted. Cost: the entry is read once. One thread at a time.
  [[nodiscard]] std::span<const std::byte> read(std::string_view name) const;

 private:
  struct directory;

  mapped_file file_;
  std::unique_ptr<directory> directory_;
};

}  // namespace act::io
