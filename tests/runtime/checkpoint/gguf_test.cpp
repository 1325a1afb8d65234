// GGUF files: what a good one says, and that a bad one is refused in one line that names the file and the
// place.
#include <act/runtime/checkpoint/gguf.hpp>
#include <act/runtime/checkpoint/quantization.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gguf_builder.hpp"
#include "message_of.hpp"
#include "temporary_folder.hpp"

using act_test::contains;
using act_test::gguf_builder;
using act_test::message_of;

namespace {

const std::filesystem::path small = std::filesystem::path(ACT_TEST_GOLDEN_DIR) / "gguf" / "small.gguf";

/// Opens `content` as a GGUF file and touches everything in it; the message of the refusal, or "".
std::string open_and_read_gguf(const act_test::temporary_folder& folder, std::string_view content) {
  const std::filesystem::path path = folder.write("case.gguf", content);
  const std::string message = message_of([&] {
    const act::runtime::gguf_file file(path);
    for (const act::runtime::tensor_view& tensor : file.tensors()) {
      std::vector<float> values(tensor.elements());
      act::runtime::dequantize_rows(tensor, 0, values);
    }
    for (const char* key :
         {"test.u8", "test.i64", "test.f32", "test.yes", "test.text", "test.strings", "test.floats"}) {
      message_of([&] { (void)file.find<std::uint64_t>(key); });
      message_of([&] { (void)file.find<double>(key); });
      message_of([&] { (void)file.find<bool>(key); });
      message_of([&] { (void)file.find<std::string_view>(key); });
      message_of([&] { (void)file.find<std::vector<std::string_view>>(key); });
      message_of([&] { (void)file.find<std::vector<float>>(key); });
    }
  });
  if (!message.empty()) CHECK(act_test::is_one_line_about(message, path.string()));
  return message;
}

std::string refused(const gguf_builder& builder, std::size_t data_bytes = 0) {
  const act_test::temporary_folder folder;
  return open_and_read_gguf(folder, builder.build(data_bytes));
}

}  // namespace

TEST_CASE("metadata of every type converts to the type asked for") {
  const act::runtime::gguf_file file(small);
  CHECK(file.version() == 3);
  CHECK(file.get<std::string_view>("general.architecture") == "llama");
  CHECK(file.get<int>("test.u8") == 200);
  CHECK(file.get<std::int8_t>("test.i8") == -100);
  CHECK(file.get<std::uint64_t>("test.u16") == 60000);
  CHECK(file.get<long>("test.i16") == -30000);
  CHECK(file.get<std::uint32_t>("test.u32") == 4000000000u);
  CHECK(file.get<std::int64_t>("test.i32") == -2000000000);
  CHECK(file.get<std::uint64_t>("test.u64") == (std::uint64_t{1} << 63) + 5);
  CHECK(file.get<std::int64_t>("test.i64") == -(std::int64_t{1} << 62));
  CHECK(file.get<float>("test.f32") == 0.1f);
  CHECK(file.get<double>("test.f64") == 0.1);
  CHECK(file.get<bool>("test.yes"));
  CHECK_FALSE(file.get<bool>("test.no"));
  CHECK(file.get<std::string_view>("test.text") == "na\u00efve \u4e2d text");
  CHECK(file.get<std::vector<std::string_view>>("test.strings") ==
        std::vector<std::string_view>{"", "one", "two words", "\u00e9"});
  CHECK(file.get<std::vector<std::int64_t>>("test.integers") == std::vector<std::int64_t>{3, -1, 7});
  CHECK(file.get<std::vector<float>>("test.floats") == std::vector<float>{0.5f, -2.0f});
  CHECK(file.get<std::vector<bool>>("test.booleans") == std::vector<bool>{true, false, true});
  CHECK_FALSE(file.find<int>("test.absent").has_value());
  CHECK(file.has("test.u8"));
}

TEST_CASE("a missing key, a key of another kind and a missing tensor are named with the file") {
  const act::runtime::gguf_file file(small);
  const auto named = [](const std::string& message, const char* what) {
    return act_test::is_one_line_about(message, "small.gguf") && contains(message, what);
  };
  CHECK(named(message_of([&] { (void)file.get<int>("test.absent"); }), "'test.absent'"));
  CHECK(named(message_of([&] { (void)file.get<int>("test.text"); }), "of type string"));
  CHECK(named(message_of([&] { (void)file.get<std::uint8_t>("test.i8"); }), "in range"));
  CHECK(named(message_of([&] { (void)file.find<std::int32_t>("test.u32"); }), "'test.u32'"));
  CHECK(named(message_of([&] { (void)file.get<int>("test.integers"); }), "an array of int32"));
  CHECK(named(message_of([&] { (void)file.get<std::vector<std::uint32_t>>("test.integers"); }), "in range"));
  CHECK(named(message_of([&] { (void)file.tensor("nowhere"); }), "'nowhere'"));
  CHECK(file.find_tensor("nowhere") == nullptr);
}

TEST_CASE("shapes are row-major and views survive a move of the file") {
  act::runtime::gguf_file opened(small);
  const act::runtime::tensor_view& tensor = opened.tensor("f32.four_axes");
  const act::runtime::gguf_file file = std::move(opened);
  CHECK(tensor.name == "f32.four_axes");
  CHECK(tensor.shape == std::vector<std::size_t>{2, 3, 4, 5});
  CHECK(file.tensor("f32").shape == std::vector<std::size_t>{3, 5});
  CHECK(file.tensor("q4_1").shape == std::vector<std::size_t>{4, 64});
  CHECK(file.tensor("q4_1").type == act::runtime::tensor_type::q4_1);
  CHECK(file.tensor("f32.vector").rows() == 1);
  CHECK(file.tensors().size() == 10);
}

TEST_CASE("version 2 is read as version 3, other versions are refused") {
  const act_test::temporary_folder folder;
  std::string content = act_test::read_whole_file(small);
  content[4] = 2;
  CHECK(open_and_read_gguf(folder, content).empty());
  content[4] = 1;
  CHECK(contains(open_and_read_gguf(folder, content), "version 1"));
  content[4] = 4;
  CHECK(contains(open_and_read_gguf(folder, content), "version 4"));
  std::string swapped = content;
  swapped[4] = 0;
  swapped[7] = 3;
  CHECK(contains(open_and_read_gguf(folder, swapped), "big-endian"));
}

TEST_CASE("a file cut at any byte is refused") {
  const act_test::temporary_folder folder;
  const std::string content = act_test::read_whole_file(small);
  const act::runtime::gguf_file whole(small);
  std::size_t end_of_data = 0;  // what follows is padding
  for (const act::runtime::tensor_view& tensor : whole.tensors())
    end_of_data = std::max(end_of_data, static_cast<std::size_t>(tensor.bytes.data() - whole.bytes().data()) +
                                            tensor.bytes.size());
  for (std::size_t length = 0; length < content.size(); ++length) {
    CAPTURE(length);
    const std::string message = open_and_read_gguf(folder, std::string_view(content).substr(0, length));
    REQUIRE(message.empty() == (length >= end_of_data));
  }
}

TEST_CASE("random bit flips give a refusal or a file that can be read") {
  const act_test::temporary_folder folder;
  const std::string content = act_test::read_whole_file(small);
  std::mt19937_64 random(20240703);
  std::size_t accepted = 0;
  for (int trial = 0; trial < 4000; ++trial) {
    std::string damaged = content;
    const std::uint64_t flips = 1 + random() % 4;
    for (std::uint64_t i = 0; i < flips; ++i)
      damaged[random() % damaged.size()] ^= static_cast<char>(1u << random() % 8);
    accepted += open_and_read_gguf(folder, damaged).empty();
  }
  CHECK(accepted > 0);
  CHECK(accepted < 4000);
}

TEST_CASE("impossible counts and lengths are refused before they are used") {
  constexpr std::uint64_t huge = std::uint64_t{1} << 63;
  const auto with = [](auto&& change) {
    gguf_builder builder;
    change(builder);
    return refused(builder);
  };
  CHECK(contains(with([](gguf_builder& b) { b.tensor_count = huge; }), "9223372036854775808 tensors"));
  CHECK(contains(with([](gguf_builder& b) { b.value_count = huge; }), "9223372036854775808 metadata"));
  CHECK(contains(with([](gguf_builder& b) { b.value_count = ~std::uint64_t{0}; }), "at byte 16"));
  CHECK(contains(with([](gguf_builder& b) { b.value("a", gguf_builder::string).put(huge); }),
                 "9223372036854775808 bytes"));
  CHECK(contains(with([](gguf_builder& b) {
                   b.value("a", gguf_builder::array).put(gguf_builder::i32).put(huge).put(std::uint64_t{0});
                 }),
                 "array of 9223372036854775808"));
  // 2^62 elements of 4 bytes: the product is 0 in 64 bits.
  CHECK(contains(
      with([](gguf_builder& b) {
        b.value("a", gguf_builder::array).put(gguf_builder::i32).put(huge >> 1).put(std::uint64_t{0});
      }),
      "array of 4611686018427387904"));
  CHECK(contains(with([](gguf_builder& b) { b.value("a", 13).put(0); }), "type 13"));
  CHECK(contains(with([](gguf_builder& b) {
                   b.value("a", gguf_builder::array).put(99).put(std::uint64_t{0}).put(huge);
                 }),
                 "type 99"));
  CHECK(contains(with([](gguf_builder& b) {
                   act_test::byte_writer& out = b.value("a", gguf_builder::array);
                   for (int i = 0; i < 20; ++i)
                     out.put(gguf_builder::array).put(std::uint64_t{1});
                   out.put(gguf_builder::i32).put(std::uint64_t{0});
                 }),
                 "8 deep"));
  gguf_builder wrong_magic;
  wrong_magic.magic = "GGML";
  CHECK(contains(refused(wrong_magic), "GGUF file"));
}

TEST_CASE("an array of arrays is walked but can't be asked for") {
  gguf_builder builder;
  builder.value("nested", gguf_builder::array)
      .put(gguf_builder::array)
      .put(std::uint64_t{2})
      .put(gguf_builder::i32)
      .put(std::uint64_t{1})
      .put(7)
      .put(gguf_builder::string)
      .put(std::uint64_t{1})
      .text("x");
  builder.number("after", 5);
  const act_test::temporary_folder folder;
  const act::runtime::gguf_file file(folder.write("nested.gguf", builder.build()));
  CHECK(file.get<int>("after") == 5);
  CHECK(contains(message_of([&] { (void)file.get<std::vector<int>>("nested"); }), "'nested'"));
}

TEST_CASE("impossible tensors are refused by name") {
  const auto with = [](auto&& change) {
    gguf_builder builder;
    change(builder);
    return refused(builder, 256);
  };
  constexpr std::uint32_t f32 = 0, q4_1 = 3, q6_k = 14, iq4_nl = 20, iq4_xs = 23;
  CHECK(with([](gguf_builder& b) { b.tensor("a", {8}, f32, 0).tensor("b", {8}, f32, 32); }).empty());
  CHECK(contains(with([](gguf_builder& b) { b.tensor("a", {16}, f32, 0).tensor("b", {8}, f32, 32); }),
                 "overlaps"));
  CHECK(contains(with([](gguf_builder& b) { b.tensor("a", {8}, f32, 32).tensor("b", {8}, f32, 32); }),
                 "overlaps"));
  CHECK(
      contains(with([](gguf_builder& b) { b.tensor("a", {8}, f32, 0).tensor("a", {8}, f32, 32); }), "twice"));
  CHECK(contains(with([](gguf_builder& b) { b.tensor("a", {8}, f32, 8); }), "alignment"));
  CHECK(contains(with([](gguf_builder& b) { b.tensor("a", {8}, f32, 256); }), "past the file's"));
  CHECK(contains(with([](gguf_builder& b) { b.tensor("a", {65}, f32, 0); }), "past the file's"));
  CHECK(contains(with([](gguf_builder& b) { b.tensor("a", {8}, f32, ~std::uint64_t{31}); }),
                 "past the file's"));
  CHECK(contains(with([](gguf_builder& b) { b.tensor("a", {0}, f32, 0); }), "extent 0"));
  CHECK(contains(with([](gguf_builder& b) { b.tensor("a", {}, f32, 0); }), "0 axes"));
  CHECK(contains(with([](gguf_builder& b) { b.tensor("a", {1, 1, 1, 1, 1}, f32, 0); }), "5 axes"));
  CHECK(contains(with([](gguf_builder& b) {
                   b.tensor("a", {std::uint64_t{1} << 33, std::uint64_t{1} << 33}, f32, 0);
                 }),
                 "impossible extent"));
  CHECK(contains(with([](gguf_builder& b) { b.tensor("a", {std::uint64_t{1} << 62}, f32, 0); }),
                 "address space"));
  CHECK(contains(with([](gguf_builder& b) { b.tensor("a", {48}, q4_1, 0); }), "blocks"));
  CHECK(contains(with([](gguf_builder& b) {
                   b.tensor("a", {128, 2}, q6_k, 0);
                 }),
                 "'a': has rows of 128 numbers, which aren't whole Q6_K blocks"));
  CHECK(contains(with([](gguf_builder& b) { b.tensor("a", {288}, iq4_xs, 0); }), "whole IQ4_XS blocks"));
  CHECK(contains(with([](gguf_builder& b) { b.tensor("a", {16, 2}, iq4_nl, 0); }), "whole IQ4_NL blocks"));
  CHECK(with([](gguf_builder& b) { b.tensor("a", {256}, q6_k, 0); }).empty());  // 210 bytes
  CHECK(contains(with([](gguf_builder& b) { b.tensor("a", {512}, q6_k, 0); }), "past the file's"));
  CHECK(contains(with([](gguf_builder& b) { b.number("general.alignment", 0).tensor("a", {8}, f32, 0); }),
                 "power of two"));
  CHECK(contains(
      with([](gguf_builder& b) { b.number("general.alignment", 1u << 31).tensor("a", {8}, f32, 0); }),
      "past the file's"));
  CHECK(contains(with([](gguf_builder& b) { b.text("general.alignment", "32").tensor("a", {8}, f32, 0); }),
                 "alignment"));
  CHECK(contains(with([](gguf_builder& b) { b.number("k", 1).number("k", 2); }), "'k' is there twice"));
  CHECK(contains(with([](gguf_builder& b) { b.tensor("evil\n\x1b[2J\xff", {}, f32, 0); }),
                 "evil\\x0a\\x1b[2J\\xff"));
}

TEST_CASE("tensor types that act doesn't read are refused by name, with those it reads") {
  const auto refusal = [](std::uint32_t type) {
    gguf_builder builder;
    builder.tensor("a", {256}, type, 0);
    return refused(builder, 512);
  };
  for (const auto& [type, name] : std::vector<std::pair<std::uint32_t, std::string>>{{9, "Q8_1"},
                                                                                     {15, "Q8_K"},
                                                                                     {16, "IQ2_XXS"},
                                                                                     {17, "IQ2_XS"},
                                                                                     {18, "IQ3_XXS"},
                                                                                     {19, "IQ1_S"},
                                                                                     {21, "IQ3_S"},
                                                                                     {22, "IQ2_S"},
                                                                                     {26, "I32"},
                                                                                     {29, "IQ1_M"},
                                                                                     {31, "Q4_0_4_4"},
                                                                                     {34, "TQ1_0"},
                                                                                     {35, "TQ2_0"},
                                                                                     {39, "MXFP4"}}) {
    const std::string message = refusal(type);
    CHECK(contains(message, "tensor 'a': has ggml type " + std::to_string(type) + " (" + name + "), which"));
    CHECK(contains(message,
                   "convert the model to F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q2_K, Q3_K, "
                   "Q4_K, Q5_K, Q6_K, IQ4_NL or IQ4_XS"));
  }
  CHECK(contains(refusal(99), "has ggml type 99, which"));
  CHECK(contains(refusal(~std::uint32_t{0}), "has ggml type 4294967295, which"));
  // Every number of the format's is either read or has a name.
  for (std::uint32_t type = 0; type <= 42; ++type) {
    CAPTURE(type);
    const std::string message = refusal(type);
    CHECK((contains(message, " (") || message.empty() || contains(message, "past the file's")));
  }
}

TEST_CASE("what can't be a model file is refused with its path") {
  const act_test::temporary_folder folder;
  CHECK(contains(message_of([&] { act::runtime::gguf_file{folder.path()}; }), "is a folder"));
  CHECK(contains(message_of([&] { act::runtime::gguf_file{folder.path() / "absent"}; }), "can't be opened"));
  CHECK(contains(message_of([&] { act::runtime::gguf_file{folder.write("empty", "")}; }), "at byte 0"));
  CHECK(contains(message_of([&] { act::runtime::gguf_file{"/dev/null"}; }), "isn't a regular file"));
}
