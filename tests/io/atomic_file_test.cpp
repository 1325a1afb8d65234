// Results are written whole or not at all.
#include "temporary_folder.hpp"

#include <act/error.hpp>
#include <act/io/atomic_file.hpp>

#include <doctest/doctest.h>

#include <sys/stat.h>

#include <iterator>
#include <thread>

namespace {

std::string content(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

std::size_t files_in(const std::filesystem::path& folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

}  // namespace

TEST_CASE("a file appears whole and replaces the one before") {
  const act_test::temporary_folder folder;
  const auto path = folder.path() / "out.json";
  act::io::write_file(path, "one");
  CHECK(content(path) == "one");
  act::io::write_file(path, std::string(300000, 'x'));
  CHECK(content(path).size() == 300000);
  act::io::write_file(path, "");
  CHECK(content(path).empty());
  CHECK(files_in(folder.path()) == 1);
}

TEST_CASE("a failure leaves what was there and nothing beside it") {
  const act_test::temporary_folder folder;
  const auto path = folder.path() / "no" / "out.json";
  CHECK_THROWS_WITH_AS(
      act::io::write_file(path, "x"),
      (path.string() +
       ": can't be opened for writing (No such file or directory); check the folder and the disk")
          .c_str(),
      act::error);
  CHECK_THROWS_AS(act::io::write_file(folder.path(), "x"), act::error);
  CHECK(files_in(folder.path()) == 0);
  if (std::filesystem::exists("/dev/full")) {
    CHECK_THROWS_WITH_AS(
        act::io::write_file("/dev/full", "x"),
        "/dev/full: can't be written (No space left on device); check the folder and the disk", act::error);
  }
}

TEST_CASE("a pipe is written straight to") {
  const act_test::temporary_folder folder;
  const auto path = folder.path() / "pipe";
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  std::string read;
  std::thread reader([&] { read = content(path); });
  act::io::write_file(path, "through");
  reader.join();
  CHECK(read == "through");
  CHECK(std::filesystem::is_fifo(path));
}
