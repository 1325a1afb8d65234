// Bad input is normal input: one line that says what, where and how to mend it, and the right exit code.
#include <doctest/doctest.h>
#include <act/runtime/checkpoint/gguf.hpp>
#include <act/runtime/checkpoint/safetensors.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "examples/process.hpp"
#include "examples/results.hpp"
#include "examples/tiny_task.hpp"

using act_test::check_one_line;
using act_test::parsed;
using act_test::run_program;
using nlohmann::json;

namespace {

act_test::process_result eval(const std::string& model, const std::string& data,
                              std::vector<std::string> more = {}) {
  std::vector<std::string> arguments{"--model", model, "--task", "jsonl", "--data", data};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return run_program("act-eval", arguments);
}

}  // namespace

TEST_CASE("every program has help with examples and a version") {
  for (const char* program : {"act-eval", "act-search"}) {
    CAPTURE(program);
    const auto help = run_program(program, {"--help"});
    CHECK(help.exit_code == 0);
    CHECK(help.out.find("Examples:") != std::string::npos);
    const auto version = run_program(program, {"--version"});
    CHECK(version.exit_code == 0);
    CHECK(version.out.find('.') != std::string::npos);
  }
}

TEST_CASE("wrong usage ends with 2") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(5));
  CHECK(run_program("act-eval", {}).exit_code == 2);
  CHECK(run_program("act-eval", {"--no-such-option"}).exit_code == 2);
  CHECK(run_program("act-search", {"--task", "sst2"}).exit_code == 2);
  check_one_line(eval(act_test::tiny_model, data, {"--beta", "1.5"}), 2, "beta");
  check_one_line(eval(act_test::tiny_model, data, {"--rule", "best"}), 2, "--rule");
  check_one_line(eval(act_test::tiny_model, data, {"--scoring", "letters"}), 2, "--scoring");
  const auto task =
      run_program("act-eval", {"--model", act_test::tiny_model, "--task", "nope", "--data", data});
  check_one_line(task, 2, "sst2");
  const std::vector<std::string> search{"--model", act_test::tiny_model, "--out", folder / "h.json"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), search.begin(), search.end());
    return run_program("act-search", more);
  };
  check_one_line(with({"--task", "jsonl"}), 2, "NAME=FILE");
  check_one_line(with({"--task", "jsonl=" + data, "--layers", "3:9"}), 2, "--layers");
  check_one_line(with({"--task", "jsonl=" + data, "--select", "top:0"}), 2, "--select");
}

TEST_CASE("model files that are missing, damaged or something else") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(5));
  const std::string whole = act_test::read_file(act_test::tiny_model);
  check_one_line(eval(folder / "none.gguf", data), 1, "none.gguf");
  check_one_line(eval(folder.write("text.gguf", "not a model"), data), 1, "text.gguf");
  check_one_line(eval(folder.write("empty.gguf", ""), data), 1, "empty.gguf");
  for (const double part : {0.01, 0.3, 0.6, 0.999}) {
    const auto size = static_cast<std::size_t>(part * static_cast<double>(whole.size()));
    check_one_line(eval(folder.write("cut.gguf", whole.substr(0, size)), data), 1, "cut.gguf");
  }
  std::string unknown = whole;
  unknown.replace(unknown.find("llama", unknown.find("general.architecture") + 20), 5, "mamba");
  check_one_line(eval(folder.write("mamba.gguf", unknown), data), 1, "mamba");
}

TEST_CASE("weights that aren't numbers are refused by tensor, the vocabulary's too") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(5));
  for (const char* tensor : {"token_embd.weight", "blk.1.attn_norm.weight"}) {
    std::string bytes = act_test::read_file(act_test::tiny_model);
    const act::runtime::gguf_file file(act_test::tiny_model);
    const auto& stored = file.tensor(tensor);
    const auto offset = static_cast<std::size_t>(stored.bytes.data() - file.bytes().data());
    for (std::size_t i = 0; i < stored.bytes.size(); ++i)
      bytes[offset + i] = static_cast<char>(0x7f);
    if (stored.type == act::runtime::tensor_type::f32)
      bytes.replace(offset, 4, std::string("\x00\x00\xc0\x7f", 4));
    const std::string model = folder.write("nan.gguf", bytes);
    check_one_line(eval(model, data), 1, tensor);
    check_one_line(run_program("act-search", {"--model", model, "--task", "jsonl=" + data, "--layers", "1:2",
                                              "--out", folder / "heads.json"}),
                   1, tensor);
    CHECK(!std::filesystem::exists(folder / "heads.json"));
  }
}

TEST_CASE("weights of a folder are refused by file and tensor") {
  namespace fs = std::filesystem;
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(5));
  const fs::path whole = fs::path(ACT_TEST_GOLDEN_DIR) / "parity" / "tiny-llama-new-config";
  const auto copy = [&](const std::string& name) {
    fs::copy(whole, folder / name);
    return fs::path(folder / name);
  };
  const auto place = [](const fs::path& file, const std::string& tensor) {
    return file.string() + ": tensor '" + tensor + "'";
  };
  const std::string index = "model.safetensors.index.json";
  const auto shard_of = [&](const std::string& tensor) {
    return parsed((whole / index).string())["weight_map"][tensor].get<std::string>();
  };

  // The vocabulary's rows and a norm, which lie in different shards.
  REQUIRE(shard_of("model.embed_tokens.weight") != shard_of("model.layers.0.input_layernorm.weight"));
  for (const char* tensor : {"model.embed_tokens.weight", "model.layers.0.input_layernorm.weight"}) {
    const fs::path model = copy(std::string("nan-") + tensor);
    const fs::path shard = model / shard_of(tensor);
    std::string bytes = act_test::read_file(shard);
    {
      const act::runtime::safetensors_file file(shard);
      const auto& stored = *file.find_tensor(tensor);
      REQUIRE(stored.type == act::runtime::tensor_type::bf16);
      bytes.replace(static_cast<std::size_t>(stored.bytes.data() - file.bytes().data()), 2, "\xc0\x7f");
    }
    std::ofstream(shard, std::ios::binary) << bytes;
    const auto run = eval(model, data);
    check_one_line(run, 1, place(shard, tensor));
    check_one_line(run, 1, "fetch it again");
  }

  const std::string norm = "model.layers.1.input_layernorm.weight";
  json config = parsed((whole / "config.json").string());
  config["hidden_size"] = config["hidden_size"].get<int>() * 2;
  const fs::path wider = copy("wider");
  std::ofstream(wider / "config.json") << config.dump();
  check_one_line(eval(wider, data), 1,
                 place(wider / shard_of("model.embed_tokens.weight"), "model.embed_tokens.weight"));

  const fs::path lacking = copy("lacking");
  json listed = parsed((whole / index).string());
  listed["weight_map"].erase(norm);
  std::ofstream(lacking / index) << listed.dump();
  check_one_line(eval(lacking, data), 1, place(lacking / index, norm));

  // One file, saved from the bare model: the tensor has another name there than the architecture gives it.
  const fs::path bare = folder / "bare";
  fs::copy(fs::path(ACT_TEST_GOLDEN_DIR) / "parity" / "tiny-opt-postnorm", bare);
  config = parsed((bare / "config.json").string());
  config["ffn_dim"] = config["ffn_dim"].get<int>() * 2;
  std::ofstream(bare / "config.json") << config.dump();
  check_one_line(eval(bare, data), 1, place(bare / "model.safetensors", "decoder.layers.0.fc1.weight"));
}

TEST_CASE("PyTorch files that would run something are refused in one line, and run nothing") {
  namespace fs = std::filesystem;
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(5));
  const fs::path golden(ACT_TEST_GOLDEN_DIR);
  fs::copy(golden / "parity" / "tiny-llama-old-config" / "config.json", folder / "config.json");
  const fs::path weights = folder / "pytorch_model.bin";
  for (const auto& [name, named] :
       std::initializer_list<std::pair<const char*, const char*>>{{"os_system.bin", "posix.system"},
                                                                  {"os_system4.bin", "posix.system"},
                                                                  {"eval.bin", "eval"},
                                                                  {"legacy.bin", "torch.save"}}) {
    fs::copy(golden / "pytorch" / name, weights, fs::copy_options::overwrite_existing);
    const auto run = eval(folder.path(), data);
    check_one_line(run, 1, weights.string());
#if defined(ACT_HAS_LIBZIP)
    check_one_line(run, 1, named);
#endif
    CHECK((run.out + run.err).find("must never run") == std::string::npos);
  }
}

TEST_CASE("data files with a bad line, none, or another format") {
  const act_test::temporary_folder folder;
  const std::string good = act_test::tiny_jsonl(5);
  check_one_line(eval(act_test::tiny_model, folder / "none.jsonl"), 1, "none.jsonl");
  check_one_line(eval(act_test::tiny_model, folder.write("empty.jsonl", "")), 1, "empty.jsonl");
  check_one_line(eval(act_test::tiny_model, folder.write("bad.jsonl", good + "{\"prompt\": \n")), 1,
                 "bad.jsonl:6");
  check_one_line(
      eval(act_test::tiny_model,
           folder.write("label.jsonl", R"({"prompt": "a", "options": [" the", " of"], "label": 2})")),
      1, "label.jsonl:1");
  check_one_line(
      eval(act_test::tiny_model,
           folder.write("same.jsonl", R"({"prompt": "a", "options": [" the", " the"], "label": 0})")),
      1, "same.jsonl");
  const std::string tsv = folder.write("a.tsv", "sentence\tlabel\nfine\t7\n");
  check_one_line(run_program("act-eval", {"--model", act_test::tiny_model, "--task", "sst2", "--data", tsv}),
                 1, "a.tsv:2");
}

TEST_CASE("a prompt longer than the context names the sample, it can be skipped or cut") {
  const act_test::temporary_folder folder;
  std::string text;
  for (int i = 0; i < 4000; ++i)
    text += "word ";
  const std::string data =
      folder.write("long.jsonl", act_test::tiny_jsonl(3) + "{\"prompt\": \"" + text +
                                     "\", \"options\": [\" the\", \" of\"], \"label\": 0}\n");
  check_one_line(eval(act_test::tiny_model, data), 1, "sample 3");
  const auto skipped = eval(act_test::tiny_model, data, {"--long-prompts", "skip"});
  CHECK(skipped.exit_code == 0);
  CHECK(skipped.out.find("1 samples left out") != std::string::npos);
  const auto cut = eval(act_test::tiny_model, data, {"--long-prompts", "truncate-left"});
  CHECK(cut.exit_code == 0);
  CHECK(cut.out.find("1 prompts cut") != std::string::npos);
}

TEST_CASE("heads files that are damaged or another model's") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(5));
  const auto with = [&](const std::string& text, std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"--heads", folder.write("heads.json", text)});
    return eval(act_test::tiny_model, data, more);
  };
  check_one_line(with(""), 1, "heads.json");
  check_one_line(with(R"({"heads": [[1, 0], [2)"), 1, "heads.json");
  check_one_line(with(R"({"heads": [[1, 99]]})"), 1, "[1, 99]");
  check_one_line(with(R"({"heads": [[-1, 0]]})"), 1, "heads[0]");
  check_one_line(with(R"({"options": {"rule": "best"}, "heads": [[1, 0]]})"), 1, "options.rule");
  const std::string other = R"({"model": {"fingerprint": "abc"}, "heads": [[1, 0]]})";
  check_one_line(with(other), 1, "--force");
  CHECK(with(other, {"--force"}).exit_code == 0);
}

TEST_CASE("what is empty, a folder or a device is refused, and stays what it is") {
  const act_test::temporary_folder folder;
  const std::string empty = folder.write("empty", "");
  check_one_line(run_program("act-report", {empty}), 1, "is empty; act-eval SUITE.toml makes");
  check_one_line(run_program("act-report", {folder / ""}), 1, "is a folder; act-eval SUITE.toml makes");
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(5));
  check_one_line(run_program("act-search", {"--model", act_test::tiny_model, "--task", "jsonl=" + data,
                                            "--merge", empty, "--out", folder / "heads.json"}),
                 1, "is empty; give --merge the --state files of all shards");
  CHECK(std::filesystem::file_size(empty) == 0);
  check_one_line(
      run_program("act-eval", {"--model", act_test::tiny_model, "--task", "jsonl", "--data", "/dev/zero"}), 1,
      "/dev/zero: is a device");
}

TEST_CASE("results that can't be written are an error before the work, not after it") {
  const act_test::temporary_folder folder;
  const std::string data = folder.write("data.jsonl", act_test::tiny_jsonl(5));
  check_one_line(eval(act_test::tiny_model, data, {"--json", folder / "no/such/folder.json"}), 1,
                 "folder.json");
  const auto search =
      run_program("act-search", {"--model", act_test::tiny_model, "--task", "jsonl=" + data, "--layers",
                                 "1:2", "--state", folder / "state", "--out", folder / "no/such/heads.json"});
  check_one_line(search, 1, "heads.json");
  CHECK(!std::filesystem::exists(folder / "state"));
}

TEST_CASE("results never overwrite what is read, or each other") {
  const act_test::temporary_folder folder;
  const std::string text = act_test::tiny_jsonl(5);
  const std::string data = folder.write("data.jsonl", text);
  const std::string model = folder.write("model.gguf", act_test::read_file(act_test::tiny_model));
  check_one_line(eval(model, data, {"--json", data}), 2, "--json");
  check_one_line(eval(model, data, {"--json", model}), 2, "--json");
  check_one_line(
      eval(model, data,
           {"--predictions", folder / ("../" + folder.path().filename().string() + "/data.jsonl")}),
      2, "--predictions");
  check_one_line(eval(model, data, {"--json", folder / "both", "--predictions", folder / "both"}), 2,
                 "same file");
  check_one_line(run_program("act-search", {"--model", model, "--task", "jsonl=" + data, "--out", data}), 2,
                 "--out");
  CHECK(act_test::read_file(data) == text);
}
