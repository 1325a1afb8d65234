// Pages of a mapped file that are let go of: the memory is given back, the content stays.
#include <doctest/doctest.h>
#include <act/io/mapped_file.hpp>

#include <cstddef>
#include <fstream>
#include <numeric>
#include <span>
#include <string>

#include "temporary_folder.hpp"

namespace {

// Pages that this process has in memory.
std::size_t resident_pages() {
  std::ifstream in("/proc/self/statm");
  std::size_t all = 0, resident = 0;
  in >> all >> resident;
  return resident;
}

std::size_t sum_of(std::span<const std::byte> bytes) {
  return std::accumulate(bytes.begin(), bytes.end(), std::size_t{0}, [](std::size_t sum, std::byte each) {
    return sum + std::to_integer<std::size_t>(each);
  });
}

}  // namespace

TEST_CASE(
    "pages of a mapped file that are let go of leave memory, and are the same when they are read again") {
  const act_test::temporary_folder folder;
  std::string content(32 << 20, '\0');
  for (std::size_t i = 0; i < content.size(); i += 97)
    content[i] = static_cast<char>(i % 251);
  const act::io::mapped_file file(folder.write("large", content).string());
  content = {};
  const std::size_t sum = sum_of(file.bytes());
  const std::size_t before = resident_pages();
  if (before == 0) {
    MESSAGE("[skipped] this system has no /proc/self/statm");
    return;
  }
  act::io::mapped_file::let_go(file.bytes().subspan(100, 24 << 20));
  CHECK(resident_pages() + (16 << 20) / 4096 < before);
  CHECK(sum_of(file.bytes()) == sum);
  // Parts without a whole page, and nothing at all.
  act::io::mapped_file::let_go(file.bytes().subspan(1, 4000));
  act::io::mapped_file::let_go({});
  CHECK(sum_of(file.bytes()) == sum);
}
