#include <act/error.hpp>
#include <act/io/byte_reader.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace act::io {

std::span<const std::byte> byte_reader::take(std::uint64_t count, std::string_view what) {
  if (count > remaining())
    fail(std::string(what) + " takes " + std::to_string(count) + " bytes but only " +
         std::to_string(remaining()) + " are left; the file is truncated or damaged, fetch it again");
  const auto taken = bytes_.subspan(position_, static_cast<std::size_t>(count));
  position_ += taken.size();
  return taken;
}

void byte_reader::fail_at(std::size_t at, std::string_view message, error_code code) const {
  throw error(code, file_ + ": at byte " + std::to_string(at), message);
}

}  // namespace act::io
