// Safetensors files, single and sharded: what good ones hold, and that bad ones are refused in one line with
// file and place.
#include <act/runtime/checkpoint/folder_weights.hpp>
#include <act/runtime/checkpoint/quantization.hpp>
#include <act/runtime/checkpoint/safetensors.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "gguf_builder.hpp"
#include "message_of.hpp"
#include "temporary_folder.hpp"

using act_test::contains;
using act_test::message_of;

namespace {

std::string file_of(const std::string& header, std::string_view data) {
  act_test::byte_writer out;
  out.text(header);
  return out.bytes + std::string(data);
}

/// Two float32 rows of 2 (1, 2, 3, 4), two bfloat16 (1, -2), a mask of bytes, a scalar.
std::string good_file() {
  act_test::byte_writer data;
  for (const float value : {1.0f, 2.0f, 3.0f, 4.0f})
    data.put(value);
  data.put<std::uint16_t>(0x3f80).put<std::uint16_t>(0xc000);
  data.put<std::uint8_t>(1);
  data.put<std::uint16_t>(0x3c00);
  return file_of(
      R"({"__metadata__":{"format":"pt"},"a.weight":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},)"
      R"("b":{"dtype":"BF16","shape":[2],"data_offsets":[16,20]},)"
      R"("mask":{"dtype":"BOOL","shape":[1],"data_offsets":[20,21]},)"
      R"("scalar":{"dtype":"F16","shape":[],"data_offsets":[21,23]}}  )",
      data.bytes);
}

std::vector<float> values_of(const act::runtime::tensor_view& tensor) {
  std::vector<float> values(tensor.elements());
  act::runtime::dequantize_rows(tensor, 0, values);
  return values;
}

std::string open_and_read_safetensors(const act_test::temporary_folder& folder, std::string_view content) {
  const std::filesystem::path path = folder.write("case.safetensors", content);
  const std::string message = message_of([&] {
    const act::runtime::safetensors_file file(path);
    for (const std::string_view name : file.names())
      message_of([&] { (void)values_of(*file.find_tensor(name)); });
  });
  if (!message.empty()) CHECK(act_test::is_one_line_about(message, path.string()));
  return message;
}

}  // namespace

TEST_CASE("a safetensors file gives its tensors by name") {
  const act_test::temporary_folder folder;
  const act::runtime::safetensors_file file(folder.write("model.safetensors", good_file()));
  CHECK(file.names().size() == 4);
  const act::runtime::tensor_view& a = *file.find_tensor("a.weight");
  CHECK(a.name == "a.weight");
  CHECK(a.shape == std::vector<std::size_t>{2, 2});
  CHECK(values_of(a) == std::vector<float>{1, 2, 3, 4});
  CHECK(values_of(*file.find_tensor("b")) == std::vector<float>{1, -2});
  CHECK(values_of(*file.find_tensor("scalar")) == std::vector<float>{1});
  CHECK(file.find_tensor("absent") == nullptr);
  CHECK(contains(message_of([&] { (void)file.find_tensor("mask"); }), "tensor 'mask': has type 'BOOL'"));
}

TEST_CASE("a safetensors file cut at any byte is refused") {
  const act_test::temporary_folder folder;
  const std::string content = good_file();
  REQUIRE(open_and_read_safetensors(folder, content).empty());
  for (std::size_t length = 0; length < content.size(); ++length) {
    CAPTURE(length);
    REQUIRE_FALSE(open_and_read_safetensors(folder, std::string_view(content).substr(0, length)).empty());
  }
}

TEST_CASE("random bit flips in a safetensors file give a refusal or a file that can be read") {
  const act_test::temporary_folder folder;
  const std::string content = good_file();
  std::mt19937_64 random(20240703);
  for (int trial = 0; trial < 3000; ++trial) {
    std::string damaged = content;
    const std::uint64_t flips = 1 + random() % 3;
    for (std::uint64_t i = 0; i < flips; ++i)
      damaged[random() % damaged.size()] ^= static_cast<char>(1u << random() % 8);
    open_and_read_safetensors(folder, damaged);
  }
}

TEST_CASE("impossible safetensors headers are refused by name") {
  const act_test::temporary_folder folder;
  const auto refused = [&](const std::string& header, std::size_t bytes = 16) {
    return open_and_read_safetensors(folder, file_of(header, std::string(bytes, '\0')));
  };
  const auto tensor = [](const char* dtype, const char* shape, const char* offsets) {
    return std::string(R"("t":{"dtype":")") + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" +
           offsets + "}";
  };
  CHECK(refused("{" + tensor("F32", "[4]", "[0,16]") + "}").empty());
  for (const std::uint64_t length :
       {std::uint64_t{1} << 63, ~std::uint64_t{0}, std::uint64_t{200'000'000}, std::uint64_t{90'000'000}}) {
    act_test::byte_writer out;
    out.put(length).put(std::uint64_t{0});
    CHECK(contains(open_and_read_safetensors(folder, out.bytes), "header"));
  }
  CHECK(contains(refused("[]"), "isn't a JSON object"));
  CHECK(contains(refused("{"), "not valid JSON at byte 10;"));
  CHECK(contains(refused("{\"\xff\":1}"), "not valid JSON at byte 11;"));
  CHECK(contains(refused("{}"), "belong to no tensor"));
  CHECK(contains(refused("{\"t\":7}"), "lacks a dtype"));
  CHECK(contains(refused("{" + tensor("F32", "[4]", "[0,16]") + "," + tensor("F32", "[4]", "[0,16]") + "}"),
                 "key 't' appears twice in one object"));
  CHECK(contains(refused("{" + tensor("F32", "[4]", "[0,16]") +
                         R"(,"u":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}})"),
                 "overlaps"));
  CHECK(contains(refused("{" + tensor("F32", "[4]", "[0,17]") + "}"), "bytes of data"));
  CHECK(contains(refused("{" + tensor("F32", "[4]", "[16,0]") + "}"), "bytes of data"));
  CHECK(contains(refused("{" + tensor("F32", "[4]", "[0,9223372036854775808]") + "}"), "bytes of data"));
  CHECK(contains(refused("{" + tensor("F32", "[4]", "[0,99999999999999999999999]") + "}"), "whole number"));
  CHECK(contains(refused("{" + tensor("F32", "[4]", "[-1,16]") + "}"), "whole number"));
  CHECK(contains(refused("{" + tensor("F32", "[4]", "[0,16,16]") + "}"), "lacks"));
  CHECK(contains(refused("{" + tensor("F32", "[5]", "[0,16]") + "}"), "doesn't fit"));
  CHECK(contains(refused("{" + tensor("F32", "[4.0]", "[0,16]") + "}"), "whole number"));
  CHECK(contains(refused("{" + tensor("F32", "[4294967296,4294967296,4]", "[0,16]") + "}"),
                 "impossible extent"));
  CHECK(contains(refused("{" + tensor("F32", "[4]", "[0,16]") + "}", 20), "belong to no tensor"));
  CHECK(contains(refused("{" + tensor("F32", "[2]", "[8,16]") + "}"), "gap"));
  CHECK(contains(refused(std::string(100'000, '[')), "64 levels"));
  CHECK(refused("{" + tensor("F32", "[0]", "[0,0]") + "}", 0).empty());  // refused when it is asked for
}

TEST_CASE("a sharded checkpoint is one set of tensors, and its index must fit its files") {
  const act_test::temporary_folder folder;
  const auto shard = [](const char* name) {
    return file_of(std::string("{\"") + name + R"(":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
                   std::string(4, '\0'));
  };
  CHECK(contains(message_of([&] { act::runtime::folder_weights{folder.path()}; }),
                 "has no model.safetensors or pytorch_model.bin"));
  (void)folder.write("one.safetensors", shard("a"));
  (void)folder.write("two.safetensors", shard("b"));
  const auto with_index = [&](const std::string& map) {
    (void)folder.write("model.safetensors.index.json",
                       R"({"metadata":{"total_size":8},"weight_map":)" + map + "}");
    return message_of([&] {
      const act::runtime::folder_weights checkpoint(folder.path());
      CHECK(checkpoint.tensor("a").elements() == 1);
      CHECK(checkpoint.find_tensor("b") != nullptr);
      CHECK(checkpoint.file_of("b").ends_with("/two.safetensors"));
      CHECK(checkpoint.file_of("c").ends_with("/model.safetensors.index.json"));
      CHECK(contains(message_of([&] { (void)checkpoint.tensor("c"); }), "index.json: has no tensor 'c'"));
    });
  };
  CHECK(with_index(R"({"a":"one.safetensors","b":"two.safetensors"})").empty());
  CHECK(contains(with_index(R"({"a":"two.safetensors","b":"one.safetensors"})"), "don't belong together"));
  CHECK(contains(with_index(R"({"a":"one.safetensors","c":"two.safetensors"})"), "'c'"));
  CHECK(contains(with_index(R"({"a":"../one.safetensors"})"), "same folder"));
  CHECK(contains(with_index(R"({"a":".."})"), "..: is a folder"));
  CHECK(contains(with_index(R"({"a":7})"), "same folder"));
  CHECK(contains(with_index(R"({"a":"three.safetensors"})"), "three.safetensors: can't be opened"));
  CHECK(contains(with_index("[]"), "weight_map"));
  (void)folder.write("two.safetensors", shard("a"));
  CHECK(contains(with_index(R"({"a":"one.safetensors","b":"two.safetensors"})"), "another file"));
}
