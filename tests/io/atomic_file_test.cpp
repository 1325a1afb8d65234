// Results are written whole or not at all.
#include "temporary_folder.hpp"

#include <act/error.hpp>
#include <act/io/atomic_file.hpp>

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

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

TEST_CASE("a symbolic link stays one: what it names is written") {
  const act_test::temporary_folder folder;
  const auto link = folder.path() / "latest.json";
  const auto file = folder.path() / "runs" / "1.json";
  std::filesystem::create_directory(folder.path() / "runs");
  std::filesystem::create_symlink("between", link);
  std::filesystem::create_symlink("runs/1.json", folder.path() / "between");
  act::io::write_file(link, "new");  // the file isn't there yet
  CHECK(content(file) == "new");
  act::io::write_file(link, "newer");
  CHECK(content(file) == "newer");
  CHECK(std::filesystem::is_symlink(link));
  CHECK(std::filesystem::is_symlink(folder.path() / "between"));
  CHECK(!std::filesystem::is_symlink(file));
  CHECK(files_in(folder.path()) == 3);
  CHECK(files_in(folder.path() / "runs") == 1);
  CHECK(act::io::write_target_of(link).path == file.string());

  std::filesystem::create_symlink("round", folder.path() / "round");
  CHECK_THROWS_WITH_AS(
      act::io::write_file(folder.path() / "round", "x"),
      ((folder.path() / "round").string() + ": is a symbolic link that leads round in circles; mend it")
          .c_str(),
      act::error);
}

TEST_CASE("a link to a device is written through") {
  const act_test::temporary_folder folder;
  const auto link = folder.path() / "nothing";
  std::filesystem::create_symlink("/dev/null", link);
  act::io::write_file(link, "x");
  CHECK(std::filesystem::is_symlink(link));
  CHECK(std::filesystem::is_character_file(link));
  CHECK(files_in(folder.path()) == 1);
}

// What `--json /dev/stdout > FILE` means: the text goes where the descriptor stands, behind what was written.
TEST_CASE("a path that names an open descriptor is that descriptor, also where it is a file") {
  if (!std::filesystem::exists("/proc/self/fd")) return;
  const act_test::temporary_folder folder;
  const auto file = folder.path() / "out.txt";
  const int open = ::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  REQUIRE(open >= 0);
  REQUIRE(::write(open, "before\n", 7) == 7);
  const std::string entry = "/proc/self/fd/" + std::to_string(open);
  const auto link = folder.path() / "stdout";  // as /dev/stdout is a link to /proc/self/fd/1
  std::filesystem::create_symlink(entry, link);
  act::io::write_file(link, "first\n");
  act::io::write_file(entry, "second\n");
  act::io::write_file("/dev/fd/" + std::to_string(open), "third\n");
  REQUIRE(::write(open, "after\n", 6) == 6);
  ::close(open);
  CHECK(content(file) == "before\nfirst\nsecond\nthird\nafter\n");
  CHECK(std::filesystem::is_symlink(link));
  CHECK(std::filesystem::read_symlink(link) == entry);
  CHECK(files_in(folder.path()) == 2);
  CHECK_THROWS_AS(act::io::write_file(link, "closed"), act::error);
  CHECK(act::io::write_target_of("/dev/stdout").descriptor == STDOUT_FILENO);
  CHECK(act::io::write_target_of("/dev/stderr").in_place);
}
