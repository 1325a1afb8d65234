// Files of torch.save, single and sharded: what good ones hold (tests/golden/pytorch/make_golden.py), and
// that bad ones are refused in one line with file and place.
#include <act/runtime/checkpoint/folder_weights.hpp>
#include <act/runtime/checkpoint/pytorch_file.hpp>
#include <act/runtime/checkpoint/quantization.hpp>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/zip_builder.hpp"
#include "message_of.hpp"
#include "temporary_folder.hpp"

using act_test::contains;
using act_test::message_of;
using namespace std::string_literals;

namespace {

const std::filesystem::path golden = std::filesystem::path(ACT_TEST_GOLDEN_DIR) / "pytorch";

#if defined(ACT_HAS_LIBZIP)

std::vector<std::uint32_t> bits_of(const act::runtime::tensor_view& tensor) {
  std::vector<float> values(tensor.elements());
  act::runtime::dequantize_rows(tensor, 0, values);
  std::vector<std::uint32_t> bits;
  for (const float value : values)
    bits.push_back(std::bit_cast<std::uint32_t>(value));
  return bits;
}

std::string refused(const std::filesystem::path& path) {
  const std::string message = message_of([&] {
    const act::runtime::pytorch_file file(path);
    for (const std::string_view name : file.names())
      message_of([&] { (void)bits_of(*file.find_tensor(name)); });
  });
  if (!message.empty()) CHECK(act_test::is_one_line_about(message, path.string()));
  return message;
}

std::string refused_bytes(const act_test::temporary_folder& folder, std::string_view content) {
  return refused(folder.write("case.bin", content));
}

// Pickle code, a little more readable.
std::string text(std::string_view characters) {
  return "\x8c" + std::string(1, static_cast<char>(characters.size())) + std::string(characters);
}
std::string number(std::int64_t n) {
  std::string code = "\x8a\x08";
  for (int i = 0; i < 8; ++i)
    code += static_cast<char>(static_cast<std::uint64_t>(n) >> (8 * i));
  return code;
}
std::string tuple(const std::vector<std::int64_t>& numbers) {
  std::string code = "(";
  for (const std::int64_t n : numbers)
    code += number(n);
  return code + "t";
}
struct tensor_code {
  std::string type = "FloatStorage", key = "0";
  std::int64_t numbers = 6, offset = 0;
  std::vector<std::int64_t> shape{2, 3}, strides{3, 1};
  std::string device = "cpu", rest = "\x89}";

  [[nodiscard]] std::string code() const {
    return "ctorch._utils\n_rebuild_tensor_v2\n((" + text("storage") + "ctorch\n" + type + "\n" + text(key) +
           text(device) + number(numbers) + "tQ" + number(offset) + tuple(shape) + tuple(strides) + rest +
           "tR";
  }
};
std::string dictionary(const std::vector<std::pair<std::string, std::string>>& items) {
  std::string code = "\x80\x04}(";
  for (const auto& [name, value] : items)
    code += text(name) + value;
  return code + "u.";
}

// The numbers 0 to 5 in each of two storages.
act_test::zip_builder storages() {
  std::string floats;
  for (const float value : {0.0F, 1.0F, 2.0F, 3.0F, 4.0F, 5.0F})
    floats.append(reinterpret_cast<const char*>(&value), sizeof value);
  act_test::zip_builder zip;
  return zip.entry("m/data/0", floats).entry("m/data/1", floats).entry("m/version", "3\n");
}
std::string file_of(const std::string& pickle) {
  return storages().entry("m/data.pkl", pickle).build();
}

std::string refused_tensor(const tensor_code& tensor) {
  const act_test::temporary_folder folder;
  return refused_bytes(folder, file_of(dictionary({{"w", tensor.code()}})));
}
// The values of a tensor that is read, and the message of one that is refused when it is asked for.
std::vector<std::uint32_t> read_tensor(const tensor_code& tensor) {
  const act_test::temporary_folder folder;
  const act::runtime::pytorch_file file(
      folder.write("case.bin", file_of(dictionary({{"w", tensor.code()}}))));
  return bits_of(*file.find_tensor("w"));
}
std::string unreadable(const tensor_code& tensor) {
  return message_of([&] { (void)read_tensor(tensor); });
}

#endif

}  // namespace

#if defined(ACT_HAS_LIBZIP)

TEST_CASE("tensors of torch.save: every type, views, shared storages, parameters, two protocols") {
  const nlohmann::json all = nlohmann::json::parse(std::ifstream(golden / "state.json"));
  REQUIRE(all.size() == 3);
  for (const auto& each : all.items()) {
    const std::string& name = each.key();
    CAPTURE(name);
    const act::runtime::pytorch_file file((golden / name).string());
    std::set<std::string, std::less<>> listed;
    for (const std::string_view stored : file.names())
      listed.emplace(stored);
    std::set<std::string, std::less<>> expected;
    for (const auto& entry : each.value().items()) {
      const std::string& tensor = entry.key();
      const nlohmann::json& what = entry.value();
      CAPTURE(tensor);
      expected.insert(tensor);
      const std::string type = what["type"];
      const auto elements = what["bits"].size();
      if (elements == 0 || tensor == "expanded" || (!type.starts_with("float") && type != "bfloat16") ||
          type == "float64") {
        CHECK(act_test::is_one_line_about(message_of([&] { (void)file.find_tensor(tensor); }),
                                          (golden / name).string() + ": tensor '" + tensor + "'"));
        continue;
      }
      const act::runtime::tensor_view* const found = file.find_tensor(tensor);
      REQUIRE(found != nullptr);
      CHECK(found->name == tensor);
      auto shape = what["shape"].get<std::vector<std::size_t>>();
      if (shape.empty()) shape = {1};
      CHECK(found->shape == shape);
      CHECK(bits_of(*found) == what["bits"].get<std::vector<std::uint32_t>>());
    }
    CHECK(listed == expected);
    CHECK(file.find_tensor("epoch") == nullptr);  // not a tensor
    CHECK(file.find_tensor("absent") == nullptr);
  }
}

TEST_CASE("tensors are the file's own bytes unless their order differs, and stay where they are in a move") {
  act::runtime::pytorch_file file((golden / "state.bin").string());
  const std::byte* const grid = file.find_tensor("grid")->bytes.data();
  CHECK(file.find_tensor("slice")->bytes.data() == grid + 16 * sizeof(float));
  CHECK(file.find_tensor("half")->bytes.data() == file.find_tensor("tied")->bytes.data());
  const std::byte* const turned = file.find_tensor("transposed")->bytes.data();
  CHECK((turned < grid || turned >= grid + 24 * sizeof(float)));
  const act::runtime::pytorch_file moved = std::move(file);
  CHECK(moved.find_tensor("grid")->bytes.data() == grid);
  CHECK(moved.find_tensor("transposed")->bytes.data() == turned);
}

TEST_CASE("buffers that are no weights are refused only when they are asked for") {
  const act::runtime::pytorch_file file((golden / "state.bin").string());
  for (const auto& [name, why] : std::initializer_list<std::pair<const char*, const char*>>{
           {"double", "has type 'F64', which act doesn't read; convert the model to F32, F16 or BF16"},
           {"long", "has type 'I64'"},
           {"int", "has type 'I32'"},
           {"short", "has type 'I16'"},
           {"char", "has type 'I8'"},
           {"byte", "has type 'U8'"},
           {"mask", "has type 'BOOL'"},
           {"empty", "has no elements"},
           {"expanded", "repeats numbers of its storage (it was expanded); save it after .contiguous()"}})
    CHECK(contains(message_of([&, name = name] { (void)file.find_tensor(name); }), why));
}

TEST_CASE(
    "files that hold anything but tensors by name are refused by what they hold, and nothing in them runs") {
  for (const auto& [file, expected] : std::initializer_list<std::pair<const char*, const char*>>{
           {"os_system.bin",
            "os_system/data.pkl: at byte 169: names 'posix.system'; act reads tensors and plain "
            "containers and runs nothing"},
           {"os_system4.bin", "names 'posix.system';"},
           {"eval.bin", "names '__builtin__.eval';"},
           {"getattr.bin", "names '__builtin__.getattr';"},
           {"module_object.bin", "names 'torch.nn.modules.linear.Linear';"},
           {"complex.bin", "names 'torch.ComplexFloatStorage';"},
           {"meta.bin", "names 'torch._utils._rebuild_meta_tensor_no_storage';"},
           {"protocol0.bin", "at byte 0: doesn't begin as a pickle does"},
           {"legacy.bin",
            "is in the format from before PyTorch 1.6; convert it where it is trusted: python -c"},
           {"compressed.bin", "entry 'small/byteorder': is compressed"},
           {"big_endian.bin", "holds big-endian numbers"},
           {"version11.bin", "is of version '11' of PyTorch's format"},
           {"torchscript.bin", "is a TorchScript program"},
           {"nested.bin", "has no tensors by name, but a dictionary 'model'"},
           {"list.bin", "doesn't hold a dictionary of tensors by name"},
           {"tensor.bin", "doesn't hold a dictionary of tensors by name"},
           {"number_key.bin", "has a key that isn't a tensor's name"},
           {"state.json", "isn't a file that torch.save wrote"}}) {
    const std::string name = file, why = expected;
    CAPTURE(name);
    const std::string message = refused(golden / name);
    CAPTURE(message);
    CHECK(contains(message, why));
  }
  const act::runtime::pytorch_file negative((golden / "negative.bin").string());
  CHECK(contains(message_of([&] { (void)negative.find_tensor("w"); }), "has flags beside its numbers"));
  CHECK(contains(unreadable({.device = "meta"}), "was saved from device 'meta', without its numbers"));
}

TEST_CASE("a PyTorch file cut at any byte is refused") {
  const act_test::temporary_folder folder;
  const std::string content = act_test::read_whole_file(golden / "small.bin");
  REQUIRE(refused_bytes(folder, content).empty());
  for (std::size_t length = 0; length < content.size(); ++length) {
    CAPTURE(length);
    REQUIRE_FALSE(refused_bytes(folder, std::string_view(content).substr(0, length)).empty());
  }
}

TEST_CASE("random bit flips in a PyTorch file give a refusal or the same tensors") {
  const act_test::temporary_folder folder;
  const std::string content = act_test::read_whole_file(golden / "small.bin");
  std::mt19937_64 random(20261129);
  for (int trial = 0; trial < 2000; ++trial) {
    std::string damaged = content;
    const std::uint64_t flips = 1 + random() % 3;
    for (std::uint64_t i = 0; i < flips; ++i)
      damaged[random() % damaged.size()] ^= static_cast<char>(1u << random() % 8);
    const std::filesystem::path path = folder.write("case.bin", damaged);
    const std::string message = message_of([&] {
      const act::runtime::pytorch_file file(path);
      CHECK(bits_of(*file.find_tensor("w")) == std::vector<std::uint32_t>(4, 0x3f800000));
    });
    if (!message.empty()) CHECK(act_test::is_one_line_about(message, path.string()));
  }
}

TEST_CASE("tensors that don't fit their storages are refused by name") {
  CHECK(refused_tensor({}).empty());
  constexpr std::int64_t huge = std::int64_t{1} << 62;
  CHECK(contains(refused_tensor({.shape = {2, 4}, .strides = {4, 1}}),
                 "tensor 'w': ends at number 7 of a storage that has 6"));
  CHECK(contains(refused_tensor({.offset = 1}), "ends at number 6 of a storage that has 6"));
  CHECK(contains(refused_tensor({.strides = {4, 1}}), "ends at number 6"));
  CHECK(contains(refused_tensor({.offset = huge}), "an impossible shape"));
  CHECK(contains(refused_tensor({.shape = {huge, 16}}), "an impossible shape"));
  CHECK(contains(refused_tensor({.shape = {huge, 1}, .strides = {16, 1}}), "an impossible shape"));
  CHECK(contains(refused_tensor({.shape = {2, 3}, .strides = {huge, 1}}), "impossible shape"));
  CHECK(contains(refused_tensor({.offset = -1}), "isn't a whole number"));
  CHECK(contains(refused_tensor({.shape = {-2, 3}}), "isn't a whole number"));
  CHECK(contains(refused_tensor({.strides = {3, -1}}), "isn't a whole number"));
  CHECK(contains(refused_tensor({.numbers = -6}), "isn't a whole number"));
  CHECK(contains(refused_tensor({.strides = {1}}), "hasn't a stride for each axis"));
  CHECK(contains(refused_tensor({.shape = std::vector<std::int64_t>(65, 1)}), "a few whole numbers"));
  CHECK(contains(refused_tensor({.numbers = 7}), "has a storage of 7 numbers in 24 bytes"));
  CHECK(contains(refused_tensor({.numbers = 5}), "has a storage of 5 numbers in 24 bytes"));
  CHECK(contains(refused_tensor({.type = "HalfStorage"}), "has a storage of 6 numbers in 24 bytes"));
  CHECK(contains(refused_tensor({.numbers = huge}), "numbers in 24 bytes"));
  CHECK(contains(refused_tensor({.key = "2"}), "entry 'm/data/2': isn't in the zip"));
  CHECK(contains(refused_tensor({.key = "../../2"}), "isn't in the zip"));
  CHECK(contains(refused_tensor({.rest = "\x89"}), "isn't rebuilt as torch.save writes it"));
  CHECK(contains(refused_tensor({.rest = "\x89}NN"}), "isn't rebuilt as torch.save writes it"));
  CHECK(read_tensor({.rest = "\x89}N"}).size() == 6);
  CHECK(read_tensor({.rest = "\x89}}"}).size() == 6);
  CHECK(contains(unreadable({.rest = "\x89}}" + text("conj") + "\x88s"}), "has flags beside its numbers"));
  // Two tensors that describe one storage differently, and one name twice.
  const act_test::temporary_folder folder;
  CHECK(contains(
      refused_bytes(folder,
                    file_of(dictionary({{"a", tensor_code{}.code()},
                                        {"b", tensor_code{.type = "HalfStorage", .numbers = 12}.code()}}))),
      "tensor 'b': has a storage that another tensor describes otherwise"));
  CHECK(contains(
      refused_bytes(folder, file_of(dictionary({{"a", tensor_code{}.code()}, {"a", tensor_code{}.code()}}))),
      "tensor 'a': is in the file twice"));
  CHECK(contains(refused_bytes(folder, file_of(dictionary({}))), "holds no tensors"));
  CHECK(contains(refused_bytes(folder, file_of(dictionary({{"a", "N"}}))), "holds no tensors"));
}

TEST_CASE("views with any strides, and no more copies than the file has bytes") {
  const auto bits = [](std::initializer_list<float> values) {
    std::vector<std::uint32_t> all;
    for (const float value : values)
      all.push_back(std::bit_cast<std::uint32_t>(value));
    return all;
  };
  CHECK(read_tensor({.shape = {3, 2}, .strides = {1, 3}}) == bits({0, 3, 1, 4, 2, 5}));
  CHECK(read_tensor({.offset = 1, .shape = {2, 2}, .strides = {3, 1}}) == bits({1, 2, 4, 5}));
  CHECK(read_tensor({.offset = 5, .shape = {1, 1}, .strides = {100, 7}}) == bits({5}));
  CHECK(read_tensor({.offset = 4, .shape = {}, .strides = {}}) == bits({4}));
  CHECK(read_tensor({.shape = {2, 2}, .strides = {1, 1}}) == bits({0, 1, 1, 2}));
  CHECK(read_tensor({.shape = {2, 3}, .strides = {0, 1}}) == bits({0, 1, 2, 0, 1, 2}));
  CHECK(contains(unreadable({.shape = {7}, .strides = {0}}), "repeats numbers of its storage"));
  CHECK(contains(unreadable({.shape = {std::int64_t{1} << 40}, .strides = {0}}), "repeats numbers"));
  CHECK(contains(unreadable({.shape = {0, std::int64_t{1} << 62}}), "has no elements"));
  CHECK(contains(unreadable({.numbers = 0, .shape = {0}, .strides = {1}}), "has no elements"));
  // One storage turned in many ways: each way is a copy, the same way twice is one.
  std::vector<std::pair<std::string, std::string>> items;
  for (int i = 0; i < 200; ++i)
    items.emplace_back("same " + std::to_string(i), tensor_code{.shape = {3, 2}, .strides = {1, 3}}.code());
  const act_test::temporary_folder folder;
  {
    const act::runtime::pytorch_file file(folder.write("case.bin", file_of(dictionary(items))));
    CHECK(file.find_tensor("same 0")->bytes.data() == file.find_tensor("same 199")->bytes.data());
  }
  // Ways that differ: together ten times the file.
  items.clear();
  for (int i = 0; i < 40; ++i)
    items.emplace_back(
        std::to_string(i),
        tensor_code{.key = "large", .numbers = 4000, .offset = i, .shape = {2, 1500}, .strides = {1, 2}}
            .code());
  const std::string content = storages()
                                  .entry("m/data/large", std::string(16'000, '\0'))
                                  .entry("m/data.pkl", dictionary(items))
                                  .build();
  const act::runtime::pytorch_file file(folder.write("case.bin", content));
  std::size_t copied = 0, refused = 0;
  for (const std::string_view name : file.names()) {
    const std::string message = message_of([&] { copied += file.find_tensor(name)->bytes.size(); });
    if (message.empty()) continue;
    CHECK(contains(message, "isn't contiguous, like more tensors than act puts in order"));
    ++refused;
  }
  CHECK(copied <= content.size());
  CHECK(copied + 12'000 > content.size());
  CHECK(refused == 40 - copied / 12'000);
}

TEST_CASE("a folder's weights: safetensors before PyTorch's, one file before an index") {
  namespace fs = std::filesystem;
  const act_test::temporary_folder folder;
  const auto listing = [&] {
    return fs::path(act::runtime::folder_weights(folder.path()).listing()).filename();
  };
  for (const fs::path& file : fs::directory_iterator(golden / "tiny-llama-new-config"))
    fs::copy(file, folder / file.filename().string());
  CHECK(listing() == "pytorch_model.bin.index.json");
  {
    const act::runtime::folder_weights weights(folder.path());
    CHECK(weights.find_tensor("model.embed_tokens.weight") != nullptr);
    CHECK(weights.find_tensor("model.norm.weight") != nullptr);
    CHECK(weights.file_of("absent").ends_with("/pytorch_model.bin.index.json"));
    CHECK(weights.file_of("model.embed_tokens.weight").ends_with("-of-00002.bin"));
  }
  fs::copy(golden / "small.bin", folder / "pytorch_model.bin");
  CHECK(listing() == "pytorch_model.bin");
  for (const fs::path& file :
       fs::directory_iterator(fs::path(ACT_TEST_GOLDEN_DIR) / "parity" / "tiny-llama-new-config"))
    fs::copy(file, folder / file.filename().string());
  CHECK(listing() == "model.safetensors.index.json");
  fs::copy(fs::path(ACT_TEST_GOLDEN_DIR) / "parity" / "tiny-llama-old-config" / "model.safetensors",
           folder / "model.safetensors");
  CHECK(listing() == "model.safetensors");
  // Also when they are damaged: which file is read never depends on what is in it.
  (void)folder.write("model.safetensors", "damaged");
  CHECK(contains(message_of([&] { (void)listing(); }), "model.safetensors: "));
}

TEST_CASE("an index of PyTorch files must fit them") {
  const act_test::temporary_folder folder;
  const auto shard = [](const char* tensor) { return file_of(dictionary({{tensor, tensor_code{}.code()}})); };
  (void)folder.write("one.bin", shard("a"));
  (void)folder.write("two.bin", shard("b"));
  const auto with_index = [&](const std::string& map) {
    (void)folder.write("pytorch_model.bin.index.json", R"({"weight_map":)" + map + "}");
    return message_of([&] {
      const act::runtime::folder_weights weights(folder.path());
      CHECK(weights.tensor("a").elements() == 6);
      CHECK(weights.file_of("b").ends_with("/two.bin"));
    });
  };
  CHECK(with_index(R"({"a":"one.bin","b":"two.bin"})").empty());
  CHECK(contains(with_index(R"({"a":"two.bin","b":"one.bin"})"), "don't belong together"));
  CHECK(contains(with_index(R"({"a":"../one.bin"})"), "same folder"));
  CHECK(contains(with_index(R"({"a":"three.bin"})"), "three.bin: can't be opened"));
  (void)folder.write("two.bin", shard("a"));
  CHECK(contains(with_index(R"({"a":"one.bin","b":"two.bin"})"), "another file"));
}

#else

TEST_CASE("without libzip a PyTorch file is refused by name") {
  CHECK(contains(message_of([] { act::runtime::pytorch_file{(golden / "small.bin").string()}; }),
                 "libzip-dev"));
}

#endif
