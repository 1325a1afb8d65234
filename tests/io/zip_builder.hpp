// Writes zip files entry by entry, right or wrong: whatever a hostile file could hold.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "runtime/checkpoint/crc32.hpp"

namespace act_test {

class zip_builder {
 public:
  /// What a directory says of an entry; by default the truth.
  struct claims {
    std::uint16_t method = 0, flags = 0;
    std::int64_t larger = 0;      ///< added to both sizes
    std::uint32_t other_crc = 0;  ///< mixed into the checksum
    std::int64_t elsewhere = 0;   ///< added to the place of its bytes
  };

  zip_builder& entry(std::string_view name, std::string_view content) {
    return entry(name, content, claims{});
  }
  zip_builder& entry(std::string_view name, std::string_view content, const claims& said) {
    const auto at = static_cast<std::uint32_t>(static_cast<std::int64_t>(file_.size()) + said.elsewhere);
    const auto size = static_cast<std::uint32_t>(static_cast<std::int64_t>(content.size()) + said.larger);
    const std::uint32_t crc = crc32(std::as_bytes(std::span(content))) ^ said.other_crc;
    std::string shared;  // what both headers say
    put<std::uint16_t>(shared, 20);
    put(shared, said.flags);
    put(shared, said.method);
    put<std::uint32_t>(shared, 0x00210000);  // 1 January 1980
    put(shared, crc);
    put(shared, size);
    put(shared, size);
    put(shared, static_cast<std::uint16_t>(name.size()));
    put<std::uint16_t>(shared, 0);
    file_ += "PK\3\4" + shared + std::string(name) + std::string(content);
    directory_ += std::string("PK\1\2\x14\0", 6) + shared + std::string(10, '\0');
    put(directory_, at);
    directory_ += name;
    ++entries_;
    return *this;
  }

  [[nodiscard]] std::string build() const { return build(entries_); }
  [[nodiscard]] std::string build(std::size_t claimed_entries) const {
    std::string end("PK\5\6\0\0\0\0", 8);
    for (int i = 0; i < 2; ++i)
      put(end, static_cast<std::uint16_t>(claimed_entries));
    put(end, static_cast<std::uint32_t>(directory_.size()));
    put(end, static_cast<std::uint32_t>(file_.size()));
    put<std::uint16_t>(end, 0);
    return file_ + directory_ + end;
  }
  /// The same in the 64-bit form, which leaves the small numbers unsaid.
  [[nodiscard]] std::string build64(std::uint64_t claimed_entries) const {
    std::string end("PK\6\6", 4);
    put<std::uint64_t>(end, 44);
    put<std::uint32_t>(end, 0x002d002d);
    put<std::uint64_t>(end, 0);
    for (int i = 0; i < 2; ++i)
      put(end, claimed_entries);
    put<std::uint64_t>(end, directory_.size());
    put<std::uint64_t>(end, file_.size());
    end += std::string("PK\6\7\0\0\0\0", 8);
    put<std::uint64_t>(end, file_.size() + directory_.size());
    put<std::uint32_t>(end, 1);
    end += std::string("PK\5\6\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0", 22);
    return file_ + directory_ + end;
  }
  [[nodiscard]] std::uint64_t entries() const { return entries_; }

 private:
  template <class T>
  static void put(std::string& out, T value) {
    char raw[sizeof value];
    std::memcpy(raw, &value, sizeof value);
    out.append(raw, sizeof value);
  }

  std::string file_, directory_;
  std::uint64_t entries_ = 0;
};

}  // namespace act_test
