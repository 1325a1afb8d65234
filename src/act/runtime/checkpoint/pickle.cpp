#include <act/error.hpp>
#include <act/io/byte_reader.hpp>
#include <act/io/printable.hpp>
#include <act/runtime/checkpoint/pickle.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace act::runtime {
namespace {

constexpr std::string_view ordered_dictionary = "collections.OrderedDict";

// Pickle's names of the instructions that aren't read, for messages.
std::string_view name_of(std::uint8_t instruction) noexcept {
  switch (instruction) {
    case '0':
      return "POP";
    case '1':
      return "POP_MARK";
    case '2':
      return "DUP";
    case 'F':
      return "FLOAT";
    case 'I':
      return "INT";
    case 'L':
      return "LONG";
    case 'P':
      return "PERSID";
    case 'S':
      return "STRING";
    case 'T':
      return "BINSTRING";
    case 'U':
      return "SHORT_BINSTRING";
    case 'V':
      return "UNICODE";
    case 'd':
      return "DICT";
    case 'g':
      return "GET";
    case 'i':
      return "INST";
    case 'l':
      return "LIST";
    case 'o':
      return "OBJ";
    case 'p':
      return "PUT";
    case 0x81:
      return "NEWOBJ";
    case 0x82:
      return "EXT1";
    case 0x83:
      return "EXT2";
    case 0x84:
      return "EXT4";
    case 0x8b:
      return "LONG4";
    case 0x8f:
      return "EMPTY_SET";
    case 0x90:
      return "ADDITEMS";
    case 0x91:
      return "FROZENSET";
    case 0x92:
      return "NEWOBJ_EX";
    case 0x96:
      return "BYTEARRAY8";
    case 0x97:
      return "NEXT_BUFFER";
    case 0x98:
      return "READONLY_BUFFER";
    default:
      return "";
  }
}

std::string_view characters(std::span<const std::byte> bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

// Pickle's stack machine: its instructions push values, gather what lies above a mark, and remember values by
// number.
class pickle::machine {
 public:
  machine(std::deque<pickle_value>& values, std::span<const std::byte> bytes, const std::string& place,
          std::span<const std::string_view> globals)
      : values_(values), bytes_(bytes), globals_(globals), reader_(bytes, place) {}

  const pickle_value* run() {
    if (reader_.read<std::uint8_t>("the first instruction") != 0x80)
      reader_.fail_at(0, "doesn't begin as a pickle does; the file is damaged, fetch it again");
    const auto protocol = reader_.read<std::uint8_t>("the protocol");
    if (protocol < 2 || protocol > 5)
      reader_.fail_at(1,
                      "is a pickle of protocol " + std::to_string(protocol) +
                          ", act reads 2 to 5; save the file again with torch.save",
                      error_code::unsupported);
    for (;;) {
      at_ = reader_.position();
      const auto instruction = reader_.read<std::uint8_t>("an instruction");
      if (instruction == '.') break;
      step(instruction);
    }
    if (stack_.size() != 1 || !marks_.empty()) fail("ends with other than one value");
    if (reader_.remaining() != 0)
      fail("ends " + std::to_string(reader_.remaining()) + " bytes before its record does");
    return stack_[0];
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    reader_.fail_at(at_, what + "; the file is damaged, fetch it again");
  }
  [[noreturn]] void refuse(const std::string& what) const {
    reader_.fail_at(at_,
                    what +
                        "; act reads tensors and plain containers and runs nothing: save a state_dict, or "
                        "convert the file to safetensors where it is trusted",
                    error_code::unsupported);
  }

  pickle_value* push(pickle_kind kind) {
    pickle_value* const made = &values_.emplace_back();
    made->kind = kind;
    stack_.push_back(made);
    return made;
  }
  // Of instructions of one byte: shared, so that they cost no more than a place on the stack.
  void push_shared(pickle_value& shared) { stack_.push_back(&shared); }
  void push_integer(std::int64_t integer) { push(pickle_kind::integer)->integer = integer; }
  void push_text(pickle_kind kind, std::uint64_t length) {
    const auto taken = reader_.take(length, "a text");
    push(kind)->text = characters(taken);
  }

  // How many values lie above the last mark.
  [[nodiscard]] std::size_t height() const noexcept {
    return stack_.size() - (marks_.empty() ? 0 : marks_.back());
  }
  pickle_value* pop() {
    if (height() == 0) fail("takes a value where there is none");
    pickle_value* const top = stack_.back();
    stack_.pop_back();
    return top;
  }
  pickle_value* top() {
    if (height() == 0) fail("takes a value where there is none");
    return stack_.back();
  }
  // Takes everything above the last mark, and the mark, off the stack and puts it behind `items`.
  void pop_marked(std::vector<const pickle_value*>& items) {
    items.insert(items.end(), marked(), stack_.end());
    drop_marked();
  }
  [[nodiscard]] std::vector<pickle_value*>::iterator marked() {
    if (marks_.empty()) fail("gathers values without a mark");
    return stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
  }
  void drop_marked() {
    stack_.resize(marks_.back());
    marks_.pop_back();
  }

  void push_tuple(std::size_t count) {
    if (height() < count) fail("takes a value where there is none");
    std::vector<const pickle_value*> items(stack_.end() - static_cast<std::ptrdiff_t>(count), stack_.end());
    stack_.resize(stack_.size() - count);
    push(pickle_kind::tuple)->items = std::move(items);
  }

  void push_global(std::string_view module, std::string_view name) {
    const std::string full = std::string(module) + "." + std::string(name);
    const auto found = std::find(globals_.begin(), globals_.end(), full);
    if (found != globals_.end()) {
      push(pickle_kind::global)->text = *found;
    } else if (full == ordered_dictionary) {
      push(pickle_kind::global)->text = ordered_dictionary;
    } else {
      refuse("names '" + io::printable(full) + "'");
    }
  }
  // Up to the end of the line, without it.
  std::string_view line() {
    const std::string_view rest = characters(bytes_.subspan(reader_.position()));
    const std::size_t length = rest.find('\n');
    if (length == std::string_view::npos) fail("has a name without an end");
    return characters(reader_.take(length + 1, "a name")).substr(0, length);
  }

  void call() {
    const pickle_value* const arguments = pop();
    const pickle_value* const function = pop();
    if (function->kind != pickle_kind::global || arguments->kind != pickle_kind::tuple)
      fail("calls what isn't a function with arguments");
    if (function->text == ordered_dictionary) {
      if (!arguments->items.empty()) refuse("calls '" + std::string(function->text) + "' with arguments");
      push(pickle_kind::dictionary);
    } else {
      push(pickle_kind::call)->items = {function, arguments};
    }
  }
  // Sets attributes of an object. A state_dict has some (`_metadata`: versions of its modules).
  void build() {
    const pickle_value* const state = pop();
    if (top()->kind != pickle_kind::dictionary || state->kind != pickle_kind::dictionary)
      refuse("sets attributes (BUILD) of what isn't a dictionary");
  }

  void remember(std::uint64_t number) {
    // Pickle counts them; numbers with gaps would cost memory for nothing.
    if (number > memo_.size()) fail("remembers value " + std::to_string(number) + " out of turn");
    pickle_value* const value = top();
    if (number == memo_.size()) {
      memo_.push_back(value);
    } else {
      memo_[static_cast<std::size_t>(number)] = value;
    }
  }
  void recall(std::uint64_t number) {
    if (number >= memo_.size()) fail("recalls value " + std::to_string(number) + ", which there isn't");
    stack_.push_back(memo_[static_cast<std::size_t>(number)]);
  }

  void read_long() {
    const auto length = reader_.read<std::uint8_t>("a number's length");
    if (length > 8) refuse("has a number of " + std::to_string(length) + " bytes");
    const auto raw = reader_.take(length, "a number");
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < raw.size(); ++i)
      bits |= std::uint64_t{static_cast<std::uint8_t>(raw[i])} << (8 * i);
    // Two's complement of as many bytes as there are.
    if (length != 0 && length < 8 && (bits >> (8 * length - 1)) != 0)
      bits |= ~std::uint64_t{0} << (8 * length);
    push_integer(std::bit_cast<std::int64_t>(bits));
  }
  void read_real() {
    const auto raw = reader_.take(8, "a number");
    std::uint64_t bits = 0;
    for (const std::byte byte : raw)  // big-endian, alone of all
      bits = bits << 8 | static_cast<std::uint8_t>(byte);
    push(pickle_kind::real)->real = std::bit_cast<double>(bits);
  }

  void step(std::uint8_t instruction) {
    switch (instruction) {
      case 'N':
        return push_shared(none_);
      case 0x88:
        return push_shared(true_);
      case 0x89:
        return push_shared(false_);
      case ')':
        return push_shared(empty_tuple_);
      case ']':
        return (void)push(pickle_kind::list);
      case '}':
        return (void)push(pickle_kind::dictionary);
      case 'J':
        return push_integer(reader_.read<std::int32_t>("a number"));
      case 'K':
        return push_integer(reader_.read<std::uint8_t>("a number"));
      case 'M':
        return push_integer(reader_.read<std::uint16_t>("a number"));
      case 0x8a:  // LONG1
        return read_long();
      case 'G':
        return read_real();
      case 'X':
        return push_text(pickle_kind::text, reader_.read<std::uint32_t>("a text's length"));
      case 0x8c:  // SHORT_BINUNICODE
        return push_text(pickle_kind::text, reader_.read<std::uint8_t>("a text's length"));
      case 0x8d:  // BINUNICODE8
        return push_text(pickle_kind::text, reader_.read<std::uint64_t>("a text's length"));
      case 'B':
        return push_text(pickle_kind::bytes, reader_.read<std::uint32_t>("a text's length"));
      case 'C':
        return push_text(pickle_kind::bytes, reader_.read<std::uint8_t>("a text's length"));
      case 0x8e:  // BINBYTES8
        return push_text(pickle_kind::bytes, reader_.read<std::uint64_t>("a text's length"));
      case '(':
        return marks_.push_back(stack_.size());
      case 't': {
        std::vector<const pickle_value*> items;
        pop_marked(items);
        push(pickle_kind::tuple)->items = std::move(items);
        return;
      }
      case 0x85:
      case 0x86:
      case 0x87:
        return push_tuple(instruction - 0x84u);
      case 'a': {
        const pickle_value* const item = pop();
        return of_kind(top(), pickle_kind::list)->items.push_back(item);
      }
      case 'e': {
        std::vector<const pickle_value*> items;
        pop_marked(items);
        return append(of_kind(top(), pickle_kind::list), items);
      }
      case 's': {
        const pickle_value* const value = pop();
        const pickle_value* const key = pop();
        return append(of_kind(top(), pickle_kind::dictionary), {key, value});
      }
      case 'u': {
        std::vector<const pickle_value*> items;
        pop_marked(items);
        if (items.size() % 2 != 0) fail("has a key without a value");
        return append(of_kind(top(), pickle_kind::dictionary), items);
      }
      case 'q':
        return remember(reader_.read<std::uint8_t>("a value's number"));
      case 'r':
        return remember(reader_.read<std::uint32_t>("a value's number"));
      case 0x94:  // MEMOIZE
        return remember(memo_.size());
      case 'h':
        return recall(reader_.read<std::uint8_t>("a value's number"));
      case 'j':
        return recall(reader_.read<std::uint32_t>("a value's number"));
      case 'c': {
        const std::string_view module = line();
        return push_global(module, line());
      }
      case 0x93: {  // STACK_GLOBAL
        const pickle_value* const name = of_kind(pop(), pickle_kind::text);
        return push_global(of_kind(pop(), pickle_kind::text)->text, name->text);
      }
      case 'R':
        return call();
      case 'b':
        return build();
      case 'Q': {
        const pickle_value* const id = of_kind(pop(), pickle_kind::tuple);
        push(pickle_kind::persistent)->items = {id};
        return;
      }
      case 0x95:  // FRAME: a hint for reading ahead
        if (reader_.read<std::uint64_t>("a frame's length") > reader_.remaining())
          fail("has a frame that is longer than what is left");
        return;
      default: {
        const std::string_view name = name_of(instruction);
        if (name.empty()) fail("has no instruction that pickle knows");
        refuse("has the instruction " + std::string(name));
      }
    }
  }

  template <class Value>
  Value* of_kind(Value* value, pickle_kind kind) const {
    if (value->kind != kind) fail("has an instruction for another kind of value");
    return value;
  }
  static void append(pickle_value* container, const std::vector<const pickle_value*>& items) {
    container->items.insert(container->items.end(), items.begin(), items.end());
  }

  std::deque<pickle_value>& values_;
  std::span<const std::byte> bytes_;
  std::span<const std::string_view> globals_;
  io::byte_reader reader_;
  std::size_t at_ = 0;  // the byte of the instruction that runs
  std::vector<pickle_value*> stack_;
  std::vector<std::size_t> marks_;  // heights of the stack
  std::vector<pickle_value*> memo_;
  // Never changed: no instruction adds to these kinds.
  pickle_value& none_ = shared(pickle_kind::none);
  pickle_value& true_ = shared(pickle_kind::boolean, 1);
  pickle_value& false_ = shared(pickle_kind::boolean);
  pickle_value& empty_tuple_ = shared(pickle_kind::tuple);

  pickle_value& shared(pickle_kind kind, std::int64_t integer = 0) {
    pickle_value& made = values_.emplace_back();
    made.kind = kind;
    made.integer = integer;
    return made;
  }
};

pickle::pickle(std::span<const std::byte> bytes, const std::string& place,
               std::span<const std::string_view> globals)
    : root_(machine(values_, bytes, place, globals).run()) {}

}  // namespace act::runtime
