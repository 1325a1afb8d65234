// Models split into several GGUF files: one set of tensors, or one line that says which file is wrong.
#include <act/runtime/checkpoint/gguf.hpp>
#include <act/runtime/checkpoint/gguf_split.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gguf_builder.hpp"
#include "message_of.hpp"
#include "split_gguf.hpp"
#include "temporary_folder.hpp"

using act_test::contains;
using act_test::gguf_builder;
using act_test::message_of;

namespace {

const std::filesystem::path golden = std::filesystem::path(ACT_TEST_GOLDEN_DIR) / "gguf";
const std::filesystem::path small = golden / "small.gguf";

void number(gguf_builder& file, std::string_view key, std::uint16_t n) {
  file.value(key, gguf_builder::u16).put(n);
}

/// A model in two files of a tensor each. What a case changes is left to it: each of these adds the metadata
/// that the file should have.
struct two_files {
  std::function<void(gguf_builder&)> first = [](gguf_builder& b) {
    number(b, "split.no", 0);
    number(b, "split.count", 2);
    b.number("split.tensors.count", 2);
  };
  std::function<void(gguf_builder&)> second = [](gguf_builder& b) {
    number(b, "split.no", 1);
    number(b, "split.count", 2);
  };
  std::string first_name = "m-00001-of-00002.gguf", second_name = "m-00002-of-00002.gguf";
  std::string second_tensor = "b";
  std::string opened = "m-00001-of-00002.gguf";

  [[nodiscard]] std::string refusal() const {
    const act_test::temporary_folder folder;
    gguf_builder one, two;
    first(one);
    second(two);
    (void)folder.write(first_name, one.tensor("a", {8}, 0, 0).build(32));
    if (!second_name.empty()) (void)folder.write(second_name, two.tensor(second_tensor, {8}, 0, 0).build(32));
    const std::string message = message_of([&] { act::runtime::gguf_file{folder / opened}; });
    if (!message.empty()) CHECK(act_test::is_one_line_about(message, folder.path().string()));
    return message;
  }
};

}  // namespace

TEST_CASE("split names are llama.cpp's") {
  CHECK(act::runtime::split_ending(0, 2) == "-00001-of-00002.gguf");
  CHECK(act::runtime::split_ending(65534, 65535) == "-65535-of-65535.gguf");
  CHECK(act::runtime::split_path("a/m-00001-of-00012.gguf", 0, 9, 12) == "a/m-00010-of-00012.gguf");
  CHECK(act::runtime::split_path("a/m-00010-of-00012.gguf", 9, 0, 12) == "a/m-00001-of-00012.gguf");
  for (const char* other :
       {"m.gguf", "m-00002-of-00012.gguf", "m-00001-of-00002.gguf", "m-1-of-12.gguf", "m-00001-of-00012.GGUF",
        "-00001-of-00012.gguf", "m-00001-of-00012.gguf.part", "", "m_00001-of-00012.gguf"})
    CHECK_FALSE(act::runtime::split_path(other, 0, 1, 12).has_value());
}

TEST_CASE("files of one split model are told by their names") {
  using act::runtime::without_split_number;
  const std::string first = without_split_number("a/m-00001-of-00012.gguf");
  CHECK(without_split_number("a/m-00012-of-00012.gguf") == first);
  for (const char* other :
       {"a/m-00001-of-00011.gguf", "b/m-00001-of-00012.gguf", "a/n-00001-of-00012.gguf",
        "a/m-00001-of-00012.gguf.json", "a/m-0000a-of-00012.gguf", "m-00001-of-00012.gguf"})
    CHECK(without_split_number(other) != first);
  for (const char* whole : {"m.gguf", "", "-00001-of-00002.gguf", "m-00001-of-0002.gguf"})
    CHECK(without_split_number(whole) == whole);
}

TEST_CASE("the files of a split model are one set of tensors, each with its own alignment") {
  const act_test::temporary_folder folder;
  const act::runtime::gguf_file whole(small);
  for (const std::uint16_t count :
       std::vector<std::uint16_t>{2, 3, 10, 13}) {  // of 10 tensors: the last leaves files without any
    CAPTURE(count);
    const auto contents = act_test::split_gguf(small, count);
    std::vector<std::string> paths;
    for (std::uint16_t i = 0; i < count; ++i)
      paths.push_back(folder.write("s" + act::runtime::split_ending(i, count), contents[i]));
    act::runtime::gguf_file opened(paths[0]);
    const act::runtime::gguf_file file = std::move(opened);
    CHECK(file.path() == paths[0]);
    REQUIRE(file.tensors().size() == whole.tensors().size());
    for (std::size_t i = 0; i < file.tensors().size(); ++i) {
      const act::runtime::tensor_view &tensor = file.tensors()[i], &expected = whole.tensors()[i];
      CAPTURE(expected.name);
      CHECK(tensor.name == expected.name);
      CHECK(tensor.shape == expected.shape);
      CHECK(tensor.type == expected.type);
      CHECK(
          std::equal(tensor.bytes.begin(), tensor.bytes.end(), expected.bytes.begin(), expected.bytes.end()));
      CHECK(file.find_tensor(expected.name) == &tensor);
      std::size_t holder = 0;
      while (i >= whole.tensors().size() * (holder + 1) / count)
        ++holder;
      CHECK(file.file_of(expected.name) == paths[holder]);
    }
    CHECK(file.file_of("nowhere") == paths[0]);
    CHECK(file.get<std::string_view>("test.text") == whole.get<std::string_view>("test.text"));
    CHECK_FALSE(file.has("general.alignment"));  // the second file has it
    CHECK(contains(message_of([&] { act::runtime::gguf_file{paths[1]}; }), "pass the first one"));
  }
}

TEST_CASE("a model that the gguf package split is the one that it wrote whole") {
  const act::runtime::gguf_file whole(golden / "k_quants.gguf");
  const act::runtime::gguf_file file(golden / "split-00001-of-00004.gguf");  // without a tensor
  REQUIRE(file.tensors().size() == whole.tensors().size());
  for (const act::runtime::tensor_view& expected : whole.tensors()) {
    CAPTURE(expected.name);
    const act::runtime::tensor_view& tensor = file.tensor(expected.name);
    CHECK(tensor.type == expected.type);
    CHECK(tensor.shape == expected.shape);
    CHECK(std::equal(tensor.bytes.begin(), tensor.bytes.end(), expected.bytes.begin(), expected.bytes.end()));
  }
  CHECK(file.file_of("iq4_xs").ends_with("split-00004-of-00004.gguf"));
}

TEST_CASE("a file of a split model that isn't there, isn't the first or has another name is an error") {
  CHECK(two_files{}.refusal().empty());
  two_files files;
  files.second_name = "";
  CHECK(contains(files.refusal(), "m-00002-of-00002.gguf: isn't there, and the model"));
  files = {};
  files.opened = files.second_name;
  CHECK(contains(files.refusal(),
                 "m-00002-of-00002.gguf: is file 2 of a model split into 2; pass the first one, "
                 "whose name ends with '-00001-of-00002.gguf'"));
  files = {};
  files.first_name = files.opened = "renamed.gguf";
  CHECK(contains(files.refusal(), "its name doesn't end with '-00001-of-00002.gguf'"));
  files.first_name = files.opened = "m-00001-of-00003.gguf";
  CHECK(contains(files.refusal(), "its name doesn't end with '-00001-of-00002.gguf'"));
}

TEST_CASE("files that don't belong together are an error that names one of them") {
  two_files files;
  files.second = [](gguf_builder& b) { number(b, "split.no", 0), number(b, "split.count", 2); };
  CHECK(contains(files.refusal(), "00002-of-00002.gguf: metadata 'split.no' is 0, not 1"));
  files.second = [](gguf_builder&) {};
  CHECK(contains(files.refusal(), "00002-of-00002.gguf: has no metadata 'split.no'"));
  files.second = [](gguf_builder& b) { number(b, "split.no", 1), number(b, "split.count", 3); };
  CHECK(contains(files.refusal(), "00002-of-00002.gguf: metadata 'split.count' is 3, not 2"));
  files.second = [](gguf_builder& b) { number(b, "split.no", 1); };
  CHECK(files.refusal().empty());  // llama.cpp doesn't ask for it
  files = {};
  files.second_tensor = "a";
  CHECK(contains(files.refusal(), "00002-of-00002.gguf: tensor 'a': is in "));
  files = {};
  files.first = [](gguf_builder& b) {
    number(b, "split.no", 0), number(b, "split.count", 2), b.number("split.tensors.count", 3);
  };
  CHECK(contains(files.refusal(),
                 "00001-of-00002.gguf: the model's 2 files hold 2 tensors, metadata "
                 "'split.tensors.count' says 3"));
  files.first = [](gguf_builder& b) { number(b, "split.no", 0), number(b, "split.count", 2); };
  CHECK(contains(files.refusal(), "00001-of-00002.gguf: has no metadata 'split.tensors.count'"));
  files.first = [](gguf_builder& b) { number(b, "split.count", 2), b.number("split.tensors.count", 2); };
  CHECK(contains(files.refusal(), "00001-of-00002.gguf: has no metadata 'split.no'"));
  files.first = [](gguf_builder& b) { number(b, "split.no", 2), number(b, "split.count", 2); };
  CHECK(contains(files.refusal(), "metadata 'split.no' is 2 and 'split.count' 2"));
  files.first = [](gguf_builder& b) { b.number("split.count", 65536); };
  CHECK(contains(files.refusal(), "'split.count' should be a whole number in range"));
  files.first = [](gguf_builder& b) { b.text("split.count", "2"); };
  CHECK(contains(files.refusal(), "'split.count' should be a whole number"));
  for (const std::uint16_t count :
       std::vector<std::uint16_t>{0, 1}) {  // a model that was split into one file is whole
    files.first = [count](gguf_builder& b) { number(b, "split.no", 0), number(b, "split.count", count); };
    files.second_name = "";
    CHECK(files.refusal().empty());
  }
}

TEST_CASE("a damaged file of a split model is named") {
  const act_test::temporary_folder folder;
  const auto contents = act_test::split_gguf(small, 2);
  const std::string first = folder.write("s-00001-of-00002.gguf", contents[0]);
  for (std::size_t length = 0; length < contents[1].size(); length += 7) {
    CAPTURE(length);
    const std::string second = folder.write("s-00002-of-00002.gguf", contents[1].substr(0, length));
    const std::string message = message_of([&] { act::runtime::gguf_file{first}; });
    REQUIRE(act_test::is_one_line_about(message, second));
  }
  std::filesystem::remove(folder / "s-00002-of-00002.gguf");
  std::filesystem::create_directory(folder / "s-00002-of-00002.gguf");
  CHECK(contains(message_of([&] { act::runtime::gguf_file{first}; }), "00002-of-00002.gguf: is a folder"));
}
