// Zip files that are mapped: the entries of good ones are bytes of the file, and bad ones are refused in one
// line with file and entry.
#include <act/io/mapped_file.hpp>
#include <act/io/stored_zip.hpp>

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/zip_builder.hpp"
#include "message_of.hpp"
#include "temporary_folder.hpp"

using act_test::contains;
using act_test::message_of;
using act_test::zip_builder;

namespace {

act::io::stored_zip open(const std::filesystem::path& path) {
  return act::io::stored_zip(act::io::mapped_file(path));
}

std::string text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Longer than the pieces that an entry is checked in.
std::string long_text() {
  std::string made;
  for (int i = 0; made.size() < 200'000; ++i)
    made += std::to_string(i) + " ";
  return made;
}

zip_builder good() {
  zip_builder zip;
  zip.entry("m/a", "first").entry("m/empty", "").entry("m/long", long_text()).entry("m/z", "last");
  return zip;
}

/// Opens `content` as a zip and reads every entry; the first refusal, or "".
std::string open_and_read(const act_test::temporary_folder& folder, std::string_view content) {
  const std::filesystem::path path = folder.write("case.zip", content);
  const std::string message = message_of([&] {
    const act::io::stored_zip zip = open(path);
    for (const std::string& name : zip.names())
      (void)zip.read(name);
  });
  if (!message.empty()) CHECK(act_test::is_one_line_about(message, path.string()));
  return message;
}

}  // namespace

#if defined(ACT_HAS_LIBZIP)

TEST_CASE("stored entries are bytes of the mapped file, in both forms of the directory") {
  const act_test::temporary_folder folder;
  for (const std::string& content : {good().build(), good().build64(good().entries())}) {
    act::io::stored_zip zip = open(folder.write("good.zip", content));
    CHECK(zip.names() == std::vector<std::string>{"m/a", "m/empty", "m/long", "m/z"});
    CHECK(zip.size() == content.size());
    const std::span<const std::byte> before = zip.read("m/a");
    const act::io::stored_zip moved = std::move(zip);
    CHECK(moved.read("m/a").data() == before.data());  // not a copy
    CHECK(text(before) == "first");
    CHECK(text(moved.read("m/empty")).empty());
    CHECK(text(moved.read("m/long")) == long_text());
    CHECK(text(moved.read("m/z")) == "last");
    CHECK(moved.contains("m/z"));
    CHECK_FALSE(moved.contains("z"));
    CHECK(contains(message_of([&] { (void)moved.read("m/none"); }), "entry 'm/none': isn't in the zip"));
  }
}

TEST_CASE("a zip cut at any byte is refused") {
  const act_test::temporary_folder folder;
  zip_builder zip;
  const std::string content = zip.entry("a", "first").entry("b", "second").build();
  REQUIRE(open_and_read(folder, content).empty());
  for (std::size_t length = 0; length < content.size(); ++length) {
    CAPTURE(length);
    REQUIRE_FALSE(open_and_read(folder, std::string_view(content).substr(0, length)).empty());
  }
}

TEST_CASE(
    "every changed bit of an entry's content is found, and of the rest gives a refusal or a whole zip") {
  const act_test::temporary_folder folder;
  zip_builder zip;
  const std::string content = zip.entry("a", "some content").entry("b", "more").build();
  const std::size_t begin = content.find("some content");
  for (std::size_t bit = 0; bit < 8 * content.size(); ++bit) {
    std::string damaged = content;
    damaged[bit / 8] ^= static_cast<char>(1u << bit % 8);
    const std::string message = open_and_read(folder, damaged);
    if (bit / 8 >= begin && bit / 8 < begin + 12) {
      CAPTURE(bit);
      REQUIRE(contains(message, "entry 'a': can't be read (CRC error)"));
    }
  }
}

TEST_CASE("entries that lie about themselves are refused by name") {
  const act_test::temporary_folder folder;
  const auto refused = [&](const zip_builder::claims& said) {
    return open_and_read(folder, zip_builder().entry("before", "12345").entry("it", "content", said).build());
  };
  CHECK(refused({}).empty());
  CHECK(contains(refused({.method = 8}), "entry 'it': is compressed"));
  CHECK(contains(refused({.method = 12}), "entry 'it': is compressed"));
  CHECK(contains(refused({.flags = 1}), "entry 'it': is encrypted"));
  {  // what isn't asked for may be compressed
    const act::io::stored_zip zip = open(folder.write(
        "mixed.zip", zip_builder().entry("it", "content", {.method = 8}).entry("a", "b").build()));
    CHECK(text(zip.read("a")) == "b");
  }
  CHECK(contains(refused({.larger = 1}), "entry 'it'"));
  CHECK(contains(refused({.larger = -1}), "entry 'it'"));
  CHECK(contains(refused({.larger = 1'000'000}), "entry 'it': takes 1000007 bytes, which the file hasn't"));
  CHECK(contains(refused({.larger = 0xfffffff0}), "entry 'it'"));
  CHECK(contains(refused({.other_crc = 1}), "entry 'it': can't be read (CRC error)"));
  CHECK(contains(refused({.elsewhere = 1}), "entry 'it'"));
  CHECK(contains(refused({.elsewhere = 100'000}), "entry 'it'"));
  CHECK(contains(refused({.elsewhere = 0x7fffffff}), "entry 'it'"));
}

TEST_CASE("names that are there twice, and any number of entries over the same bytes, are refused") {
  const act_test::temporary_folder folder;
  CHECK(contains(open_and_read(folder, zip_builder().entry("it", "1").entry("it", "2").build()),
                 "entry 'it': is in the zip twice"));
  // A thousand entries that all say the first one's 100,000 bytes.
  zip_builder many;
  many.entry("0", std::string(100'000, 'x'));
  for (int i = 1; i < 1000; ++i)
    many.entry(std::to_string(i), "", {.larger = 100'000});
  CHECK(contains(open_and_read(folder, many.build()), "takes 100000 bytes, which the file hasn't"));
}

TEST_CASE("counts of entries that aren't there cost nothing") {
  const act_test::temporary_folder folder;
  for (const std::uint64_t claimed : {std::uint64_t{5}, std::uint64_t{1'000}, std::uint64_t{0xffff}})
    CHECK(contains(open_and_read(folder, good().build(static_cast<std::size_t>(claimed))),
                   "isn't a whole zip file"));
  for (const std::uint64_t claimed : {std::uint64_t{5}, std::uint64_t{1} << 31, std::uint64_t{1} << 33,
                                      std::uint64_t{1} << 58, ~std::uint64_t{0}})
    CHECK(contains(open_and_read(folder, good().build64(claimed)), "isn't a whole zip file"));
}

#else

TEST_CASE("without libzip a zip is refused by name") {
  const act_test::temporary_folder folder;
  CHECK(contains(open_and_read(folder, good().build()), "libzip-dev"));
}

#endif
