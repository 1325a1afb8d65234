// Pickles as data: what a good one holds, and that whatever names or does more is refused by name.
#include <act/runtime/checkpoint/pickle.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "message_of.hpp"

using act::runtime::pickle;
using act::runtime::pickle_kind;
using act::runtime::pickle_value;
using act_test::contains;
using act_test::message_of;
using namespace std::string_literals;

namespace {

constexpr std::array<std::string_view, 2> allowed{"torch._utils._rebuild_tensor_v2", "torch.FloatStorage"};

/// A pickle and the bytes that its texts point into.
class kept_pickle {
 public:
  explicit kept_pickle(std::string code)
      : code_(std::move(code)), content_(std::as_bytes(std::span(code_)), "file: data.pkl", allowed) {}
  kept_pickle(const kept_pickle&) = delete;
  kept_pickle& operator=(const kept_pickle&) = delete;

  [[nodiscard]] const pickle_value& root() const { return content_.root(); }

 private:
  std::string code_;
  pickle content_;
};

kept_pickle read(const std::string& code) {
  return kept_pickle(code);
}

std::string refused(const std::string& code) {
  const std::string message = message_of([&] { (void)read(code); });
  if (!message.empty()) CHECK(act_test::is_one_line_about(message, "file: data.pkl: at byte "));
  return message;
}

}  // namespace

TEST_CASE("plain data of every kind") {
  const std::string code =
      "\x80\x05\x95\x10\0\0\0\0\0\0\0"s                              // protocol 5, a frame
      "(N\x88\x89"s                                                  // None, True, False
      "K\xffM\xff\xffJ\xff\xff\xff\xff"s                             // 255, 65535, -1
      "\x8a\0\x8a\x01\x80\x8a\x02\x80\0\x8a\x08\0\0\0\0\0\0\0\x80"s  // 0, -128, 128, -2^63
      "G\x3f\xf8\0\0\0\0\0\0"s                                       // 1.5
      "X\x02\0\0\0ab\x8c\x01x\x8d\x01\0\0\0\0\0\0\0y"s
      "C\x01zB\x01\0\0\0w\x8e\0\0\0\0\0\0\0\0"s
      ")]}"s
      "](K\x01K\x02"
      "eK\x03"
      "a"s                                   // [1, 2, 3]
      "}X\x01\0\0\0kK\x07s(X\x01\0\0\0lNu"s  // {k: 7, l: None}
      "K\x01\x85K\x01K\x02\x86K\x01K\x02K\x03\x87"s
      "t."s;
  const kept_pickle content = read(code);
  const pickle_value& root = content.root();
  REQUIRE(root.kind == pickle_kind::tuple);
  REQUIRE(root.items.size() == 25);
  const auto& items = root.items;
  CHECK(items[0]->kind == pickle_kind::none);
  CHECK(items[1]->kind == pickle_kind::boolean);
  CHECK(items[1]->integer == 1);
  CHECK(items[2]->integer == 0);
  const std::vector<std::int64_t> numbers{255, 65535, -1, 0, -128, 128, INT64_MIN};
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    CHECK(items[3 + i]->kind == pickle_kind::integer);
    CHECK(items[3 + i]->integer == numbers[i]);
  }
  CHECK(items[10]->kind == pickle_kind::real);
  CHECK(items[10]->real == 1.5);
  const std::vector<std::string_view> texts{"ab", "x", "y", "z", "w", ""};
  for (std::size_t i = 0; i < texts.size(); ++i) {
    CHECK(items[11 + i]->kind == (i < 3 ? pickle_kind::text : pickle_kind::bytes));
    CHECK(items[11 + i]->text == texts[i]);
  }
  CHECK(items[17]->kind == pickle_kind::tuple);
  CHECK(items[18]->kind == pickle_kind::list);
  CHECK(items[19]->kind == pickle_kind::dictionary);
  REQUIRE(items[20]->items.size() == 3);
  CHECK(items[20]->items[2]->integer == 3);
  REQUIRE(items[21]->items.size() == 4);
  CHECK(items[21]->items[0]->text == "k");
  CHECK(items[21]->items[1]->integer == 7);
  CHECK(items[21]->items[3]->kind == pickle_kind::none);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(items[22 + i]->items.size() == i + 1);
    CHECK(items[22 + i]->items.back()->integer == static_cast<std::int64_t>(i + 1));
  }
}

TEST_CASE("calls of allowed names are values, in both ways of naming, and remembered values are shared") {
  for (const std::string& naming :
       {"ctorch._utils\n_rebuild_tensor_v2\n"s, "\x8c\x0ctorch._utils\x8c\x12_rebuild_tensor_v2\x93"s}) {
    const kept_pickle content = read(
        "\x80\x02" + naming + "q\0((X\x07\0\0\0storagectorch\nFloatStorage\nq\x01tQK\x05tR"s + "h\x01\x86."s);
    const pickle_value& root = content.root();
    REQUIRE(root.items.size() == 2);
    const pickle_value& call = *root.items[0];
    REQUIRE(call.kind == pickle_kind::call);
    CHECK(call.items[0]->kind == pickle_kind::global);
    CHECK(call.items[0]->text == "torch._utils._rebuild_tensor_v2");
    REQUIRE(call.items[1]->items.size() == 2);
    const pickle_value& stored = *call.items[1]->items[0];
    REQUIRE(stored.kind == pickle_kind::persistent);
    CHECK(stored.items[0]->items[0]->text == "storage");
    CHECK(stored.items[0]->items[1] == root.items[1]);
  }
}

TEST_CASE("an OrderedDict is a dictionary, and its attributes are left out") {
  const kept_pickle content = read(
      "\x80\x02"
      "ccollections\nOrderedDict\n)RX\x01\0\0\0aK\x01s}X\x09\0\0\0_metadataNsb."s);
  CHECK(content.root().kind == pickle_kind::dictionary);
  CHECK(content.root().items.size() == 2);
}

TEST_CASE("whatever a pickle could run is refused by name") {
  for (const std::string& naming : {"cos\nsystem\n"s, "\x8c\x02os\x8c\x06system\x93"s})
    CHECK(contains(refused("\x80\x04" + naming + "X\x04\0\0\0echo\x85R."s), "names 'os.system';"));
  CHECK(contains(refused("\x80\x02"
                         "c__builtin__\neval\n."s),
                 "names '__builtin__.eval';"));
  CHECK(contains(refused("\x80\x02"
                         "cbuiltins\ngetattr\n."s),
                 "names 'builtins.getattr';"));
  CHECK(contains(refused("\x80\x02"
                         "ctorch._utils\n_rebuild_qtensor\n."s),
                 "names 'torch._utils._rebuild_qtensor';"));
  CHECK(contains(refused("\x80\x02"
                         "ctorch\nFloatStorage.from_file\n."s),
                 "'torch.FloatStorage.from_file';"));
  CHECK(contains(refused("\x80\x02"
                         "cos\nsys\x1b[2Jtem\n."s),
                 R"(names 'os.sys\x1b[2Jtem';)"));
  // A call of what isn't a function, and of one that was made up.
  CHECK(contains(refused("\x80\x02X\x09\0\0\0os.system)R."s), "calls what isn't a function"));
  CHECK(contains(refused("\x80\x02"
                         "ccollections\nOrderedDict\n]\x85R."s),
                 "'collections.OrderedDict' with arguments"));
  CHECK(contains(refused("\x80\x02"
                         "ctorch\nFloatStorage\n}b."s),
                 "sets attributes (BUILD)"));
  struct instruction {
    const char* name;
    std::string code;
  };
  for (const instruction& each : std::initializer_list<instruction>{{"INST", "(ios\nsystem\n"s},
                                                                    {"OBJ", "(o"s},
                                                                    {"NEWOBJ", ")\x81"s},
                                                                    {"NEWOBJ_EX", ")}\x92"s},
                                                                    {"EXT1", "\x82\x01"s},
                                                                    {"EXT2", "\x83\1\1"s},
                                                                    {"EXT4", "\x84\1\1\1\1"s},
                                                                    {"PERSID", "Pkey\n"s},
                                                                    {"STRING", "S'x'\n"s},
                                                                    {"BINSTRING", "T\0\0\0\0"s},
                                                                    {"SHORT_BINSTRING", "U\0"s},
                                                                    {"UNICODE", "Vx\n"s},
                                                                    {"INT", "I1\n"s},
                                                                    {"LONG", "L1L\n"s},
                                                                    {"FLOAT", "F1\n"s},
                                                                    {"LONG4", "\x8b\0\0\0\0"s},
                                                                    {"GET", "g0\n"s},
                                                                    {"PUT", "p0\n"s},
                                                                    {"DUP", "2"s},
                                                                    {"POP", "0"s},
                                                                    {"POP_MARK", "1"s},
                                                                    {"DICT", "(d"s},
                                                                    {"LIST", "(l"s},
                                                                    {"EMPTY_SET", "\x8f"s},
                                                                    {"ADDITEMS", "\x90"s},
                                                                    {"FROZENSET", "\x91"s},
                                                                    {"BYTEARRAY8", "\x96"s},
                                                                    {"NEXT_BUFFER", "\x97"s},
                                                                    {"READONLY_BUFFER", "\x98"s}}) {
    CAPTURE(each.name);
    CHECK(contains(refused("\x80\x04N" + each.code + "."),
                   "has the instruction " + std::string(each.name) + ";"));
  }
}

TEST_CASE("malformed pickles are refused with the byte") {
  CHECK(contains(refused(""), "at byte 0: the first instruction"));
  CHECK(contains(refused("(lp0\n."), "at byte 0: doesn't begin as a pickle does"));
  CHECK(contains(refused("\x80\x01N."s), "at byte 1: is a pickle of protocol 1"));
  CHECK(contains(refused("\x80\x06N."s), "protocol 6"));
  CHECK(contains(refused("\x80\x02"s), "at byte 2: an instruction"));
  CHECK(contains(refused("\x80\x02N"s), "at byte 3: an instruction"));
  CHECK(contains(refused("\x80\x02."s), "other than one value"));
  CHECK(contains(refused("\x80\x02NN."s), "other than one value"));
  CHECK(contains(refused("\x80\x02(N."s), "other than one value"));
  CHECK(contains(refused("\x80\x02N.N"s), "ends 1 bytes before its record does"));
  CHECK(contains(refused("\x80\x02N\xfe."s), "no instruction that pickle knows"));
  for (const char* code : {"\x85.", "N\x86.", "NN\x87.", "(N\x85\x85\x86.",
                           "t.",    "a.",     "Na.",     "]a.",
                           "]N(a.", "e.",     "s.",      "}Ns.",
                           "u.",    "R.",     "NR.",     "b.",
                           "Nb.",   "Q.",     "q\x01.",  "\x94.",
                           "\x93.", "(\x94."})
    CHECK_FALSE(refused(std::string("\x80\x04") + code).empty());
  CHECK(contains(refused("\x80\x02}(NNNu."s), "has a key without a value"));
  CHECK(contains(refused("\x80\x02NN"
                         "a."s),
                 "for another kind of value"));
  CHECK(contains(refused("\x80\x02]N(NNu."s), "for another kind of value"));
  CHECK(contains(refused("\x80\x02NQ."s), "for another kind of value"));
  CHECK(contains(refused("\x80\x04N]\x93."s), "for another kind of value"));
  CHECK(contains(refused("\x80\x02Nq\x01."s), "remembers value 1 out of turn"));
  CHECK(contains(refused("\x80\x02Nr\xff\xff\xff\xff."s), "remembers value 4294967295 out of turn"));
  CHECK(contains(refused("\x80\x02h\0."s), "recalls value 0, which there isn't"));
  CHECK(contains(refused("\x80\x02j\xff\xff\xff\xff."s), "recalls value 4294967295, which there isn't"));
  CHECK(
      contains(refused("\x80\x02X\xff\xff\xff\xffx."s), "a text takes 4294967295 bytes but only 2 are left"));
  CHECK(contains(refused("\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\xffx."s),
                 "a text takes 18446744073709551615 bytes"));
  CHECK(contains(refused("\x80\x04\x95\x03\0\0\0\0\0\0\0N."s), "has a frame that is longer"));
  CHECK(contains(refused("\x80\x02\x8a\x09\0\0\0\0\0\0\0\0\x01."s), "has a number of 9 bytes"));
  CHECK(contains(refused("\x80\x02"
                         "ctorch\nFloatStorage"s),
                 "has a name without an end"));
}

TEST_CASE("deep, shared and circular values cost what their bytes do") {
  // A list in a list in a list, a million deep; then marks.
  CHECK(
      read("\x80\x02" + std::string(1'000'000, ']') + std::string(999'999, 'a') + ".").root().items.size() ==
      1);
  CHECK(contains(refused("\x80\x02" + std::string(1'000'000, '(') + "."), "other than one value"));
  CHECK(read("\x80\x02N" +
             [] {
               std::string nested;
               for (int i = 0; i < 1'000'000; ++i)
                 nested += '\x85';
               return nested;
             }() +
             ".")
            .root()
            .kind == pickle_kind::tuple);
  // Each tuple holds the one before it twice: 2^100 values, if one counted them all.
  std::string laughs = "\x80\x04)\x94"s;
  for (int i = 0; i < 100; ++i)
    laughs += "h"s + static_cast<char>(i) + "h" + static_cast<char>(i) + "\x86\x94";
  laughs.insert(2, "](");  // all of them in a list
  CHECK(read(laughs + "e.").root().items.size() == 101);
  // A list that holds itself, and a dictionary under its own key.
  const kept_pickle circular = read(
      "\x80\x02]q\0h\0"
      "a."s);
  CHECK(circular.root().items[0] == &circular.root());
  CHECK(read("\x80\x02}q\0K\x01h\0s."s).root().items.size() == 2);
}

TEST_CASE("a pickle cut anywhere is refused, and random bytes in it never do harm") {
  const std::string code =
      "\x80\x02"
      "ccollections\nOrderedDict\n)R(X\x01\0\0\0actorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storage"
      "ctorch\nFloatStorage\nX\x01\0\0\0"
      "0X\x03\0\0\0cpuK\x06tQK\0K\x02K\x03\x86K\x03K\x01\x86\x89]tRu."s;
  REQUIRE(refused(code).empty());
  for (std::size_t length = 0; length < code.size(); ++length) {
    CAPTURE(length);
    REQUIRE_FALSE(refused(code.substr(0, length)).empty());
  }
  std::mt19937_64 random(20261129);
  for (int trial = 0; trial < 20'000; ++trial) {
    std::string damaged = code;
    const std::uint64_t changes = 1 + random() % 3;
    for (std::uint64_t i = 0; i < changes; ++i)
      damaged[random() % damaged.size()] = static_cast<char>(random());
    (void)refused(damaged);
  }
}
