#include <act/error.hpp>
#include <act/io/mapped_file.hpp>
#include <act/io/printable.hpp>
#include <act/io/stored_zip.hpp>
#include <act/runtime/checkpoint/pickle.hpp>
#include <act/runtime/checkpoint/pytorch_file.hpp>
#include <act/runtime/checkpoint/tensor_type.hpp>
#include <act/runtime/checkpoint/tensor_view.hpp>

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace act::runtime {
namespace {

// The numbers of a storage: PyTorch's name of its class, of the type in messages, and act's type if it has
// one.
struct element_type {
  std::string_view storage, name;
  std::size_t bytes;
  std::optional<tensor_type> type;
};
constexpr std::array<element_type, 10> element_types{{
    {"torch.FloatStorage", "F32", 4, tensor_type::f32},
    {"torch.HalfStorage", "F16", 2, tensor_type::f16},
    {"torch.BFloat16Storage", "BF16", 2, tensor_type::bf16},
    {"torch.DoubleStorage", "F64", 8, std::nullopt},
    {"torch.LongStorage", "I64", 8, std::nullopt},
    {"torch.IntStorage", "I32", 4, std::nullopt},
    {"torch.ShortStorage", "I16", 2, std::nullopt},
    {"torch.CharStorage", "I8", 1, std::nullopt},
    {"torch.ByteStorage", "U8", 1, std::nullopt},
    {"torch.BoolStorage", "BOOL", 1, std::nullopt},
}};
constexpr std::string_view rebuild_tensor = "torch._utils._rebuild_tensor_v2";
constexpr std::string_view rebuild_parameter = "torch._utils._rebuild_parameter";

// Every name that a pickle of tensors needs, beside its containers.
constexpr auto allowed_names = [] {
  std::array<std::string_view, element_types.size() + 2> names;
  for (std::size_t i = 0; i < element_types.size(); ++i)
    names[i] = element_types[i].storage;
  names[element_types.size()] = rebuild_tensor;
  names[element_types.size() + 1] = rebuild_parameter;
  return names;
}();

// A real pickle takes some 200 bytes a tensor, and memory 80 times its size at most.
constexpr std::size_t largest_pickle = 16'000'000;
// PyTorch's own bound.
constexpr std::size_t most_axes = 64;

std::string_view characters(std::span<const std::byte> bytes) noexcept {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

bool calls(const pickle_value& value, std::string_view function) noexcept {
  return value.kind == pickle_kind::call && value.items[0]->text == function;
}
const std::vector<const pickle_value*>& arguments_of(const pickle_value& call) noexcept {
  return call.items[1]->items;
}
bool is_tensor(const pickle_value& value) noexcept {
  return calls(value, rebuild_tensor) || calls(value, rebuild_parameter);
}

// The bytes that numbers of one type lie in, often of one tensor, perhaps of several.
struct storage {
  const element_type* element = nullptr;
  std::size_t count = 0;  // of numbers
  std::span<const std::byte> bytes;
  bool absent = false;  // saved without its numbers
};

// Where a tensor's numbers lie in their storage, in units of numbers.
struct layout {
  std::string_view storage_key;
  std::size_t offset = 0;
  std::vector<std::size_t> shape, strides;
  auto operator<=>(const layout&) const = default;
};

// Opens the file, unless it is of another kind whose name helps.
io::mapped_file open_zip_only(const std::string& path) {
  io::mapped_file file(path);
  const std::string_view content = file.text();
  if (content.starts_with("PK\3\4")) return file;
  // Its magic number, a pickle of its own.
  if (content.starts_with("\x80\x02\x8a\nl\xfc\x9c\x46\xf9 j\xa8P\x19."))
    throw error(
        error_code::unsupported, path,
        "is in the format from before PyTorch 1.6; convert it where it is trusted: python -c \"import "
        "torch; f = 'pytorch_model.bin'; torch.save(torch.load(f, map_location='cpu'), f)\"");
  throw error(error_code::invalid_input, path,
              "isn't a file that torch.save wrote (a zip); it is damaged or something else, fetch it again");
}

}  // namespace

// Reads what the pickle describes into the file's tensors. The pickle goes when it is done.
class pytorch_file::reader {
 public:
  explicit reader(pytorch_file& file) : file_(file), zip_(file.zip_), root_(find_root()) {}

  void read() {
    check_markers();
    const std::span<const std::byte> bytes = zip_.read(root_ + "/data.pkl");
    const std::string place = zip_.path() + ": " + io::printable(root_) + "/data.pkl";
    if (bytes.size() > largest_pickle)
      throw error(
          error_code::invalid_input, place,
          "has " + std::to_string(bytes.size()) + " bytes, which no model needs; the file is damaged");
    const pickle content(bytes, place, allowed_names);
    const pickle_value& tensors = content.root();
    if (tensors.kind != pickle_kind::dictionary)
      throw error(error_code::unsupported, zip_.path(),
                  "doesn't hold a dictionary of tensors by name; save the model's state_dict() alone");
    for (std::size_t i = 0; i < tensors.items.size(); i += 2)
      read_item(*tensors.items[i], *tensors.items[i + 1]);
    if (file_.tensors_.empty()) refuse_without_tensors(tensors);
  }

 private:
  [[nodiscard]] std::string find_root() const {
    // Everything lies in one folder, that of the first entry (PyTorch goes by it too).
    const std::vector<std::string>& names = zip_.names();
    const std::string root = names.empty() ? "" : names[0].substr(0, names[0].find('/'));
    if (zip_.contains(root + "/constants.pkl"))
      throw error(error_code::unsupported, zip_.path(),
                  "is a TorchScript program, not a state_dict; save the model's state_dict() alone");
    if (!zip_.contains(root + "/data.pkl"))
      throw error(error_code::invalid_input, zip_.path(),
                  "is a zip without data.pkl, so torch.save didn't write it; fetch it again");
    return root;
  }

  void check_markers() const {
    if (zip_.contains(root_ + "/byteorder")) {
      const std::string_view order = characters(zip_.read(root_ + "/byteorder"));
      if (order == "big")
        throw error(error_code::unsupported, zip_.path(),
                    "holds big-endian numbers, which act doesn't read; load it and save it again on a "
                    "little-endian machine");
      if (order != "little")
        throw error(error_code::invalid_input, zip_.path(),
                    "has the byte order '" + io::printable(order) + "'; the file is damaged, fetch it again");
    }
    const std::string version =
        root_ + (zip_.contains(root_ + "/.data/version") ? "/.data/version" : "/version");
    std::string_view number = characters(zip_.read(version));
    if (number.ends_with('\n')) number.remove_suffix(1);
    if (!(number == "10" || (number.size() == 1 && number >= "1" && number <= "9")))
      throw error(error_code::unsupported, zip_.path(),
                  "is of version '" + io::printable(number) +
                      "' of PyTorch's format, act reads 1 to 10; convert "
                      "the weights to safetensors");
  }

  [[nodiscard]] error damaged(std::string_view tensor, const std::string& what) const {
    return error(error_code::invalid_input, zip_.path() + ": tensor '" + io::printable(tensor) + "'",
                 what + "; the file is damaged, fetch it again");
  }

  void read_item(const pickle_value& key, const pickle_value& value) {
    if (key.kind != pickle_kind::text)
      throw error(error_code::unsupported, zip_.path(),
                  "has a key that isn't a tensor's name; save the model's state_dict() alone");
    if (!is_tensor(value)) return;  // an epoch, a version
    const auto [made, inserted] = file_.tensors_.emplace(key.text, entry{});
    if (!inserted) throw damaged(key.text, "is in the file twice");
    const pickle_value* tensor = &value;
    if (calls(value, rebuild_parameter)) {
      const auto& arguments = arguments_of(value);
      if (arguments.size() != 3 || !calls(*arguments[0], rebuild_tensor))
        throw damaged(key.text, "isn't a parameter as torch.save writes them");
      tensor = arguments[0];
    }
    read_tensor(key.text, arguments_of(*tensor), made->second);
    made->second.view.name = made->first;
  }

  void read_tensor(std::string_view name, const std::vector<const pickle_value*>& arguments, entry& made) {
    // storage, offset, shape, strides, requires_grad, hooks, perhaps metadata
    if (arguments.size() != 6 && arguments.size() != 7)
      throw damaged(name, "isn't rebuilt as torch.save writes it");
    layout where;
    const storage from = read_storage(name, *arguments[0], where.storage_key);
    where.offset = count(name, *arguments[1]);
    where.shape = counts(name, *arguments[2]);
    where.strides = counts(name, *arguments[3]);
    if (where.shape.size() != where.strides.size()) throw damaged(name, "hasn't a stride for each axis");
    const std::size_t elements = check_extent(name, where, from);

    made.view.shape = where.shape;
    if (made.view.shape.empty()) made.view.shape.push_back(1);  // a scalar
    const bool plain = arguments.size() == 6 || arguments[6]->kind == pickle_kind::none ||
                       (arguments[6]->kind == pickle_kind::dictionary && arguments[6]->items.empty());
    if (!from.element->type) {
      made.unreadable = "has type '" + std::string(from.element->name) +
                        "', which act doesn't read; convert the model to F32, F16 or BF16";
    } else if (from.absent) {
      made.unreadable = "was saved from device 'meta', without its numbers; save the loaded model";
    } else if (!plain) {
      made.unreadable = "has flags beside its numbers (conjugate, negative); save it after .resolve_neg()";
    } else if (elements == 0) {
      made.unreadable = "has no elements; convert the model again";
    } else {
      made.view.type = *from.element->type;
      read_bytes(where, from, elements, made);
    }
  }

  std::size_t count(std::string_view tensor, const pickle_value& value) const {
    if (value.kind != pickle_kind::integer || value.integer < 0)
      throw damaged(tensor, "has an extent, offset or stride that isn't a whole number");
    return static_cast<std::size_t>(value.integer);
  }
  std::vector<std::size_t> counts(std::string_view tensor, const pickle_value& value) const {
    if (value.kind != pickle_kind::tuple || value.items.size() > most_axes)
      throw damaged(tensor, "has a shape or strides that aren't a few whole numbers");
    std::vector<std::size_t> all;
    for (const pickle_value* const item : value.items)
      all.push_back(count(tensor, *item));
    return all;
  }

  storage read_storage(std::string_view tensor, const pickle_value& value, std::string_view& key) {
    const auto wrong = [&] { return damaged(tensor, "isn't rebuilt as torch.save writes it"); };
    if (value.kind != pickle_kind::persistent) throw wrong();
    const auto& id = value.items[0]->items;  // "storage", class, key, device, numbers
    if (id.size() != 5 || id[0]->text != "storage" || id[1]->kind != pickle_kind::global ||
        id[2]->kind != pickle_kind::text)
      throw wrong();
    storage found;
    const auto element = std::find_if(element_types.begin(), element_types.end(),
                                      [&](const element_type& each) { return each.storage == id[1]->text; });
    if (element == element_types.end()) throw wrong();
    found.element = &*element;
    found.count = count(tensor, *id[4]);
    found.absent = id[3]->text == "meta";
    key = id[2]->text;
    // Empty ones of several types may have one key.
    if (found.count == 0 || found.absent) return found;

    const auto [at, first] = storages_.emplace(key, found);
    if (first) {
      at->second.bytes = zip_.read(root_ + "/data/" + std::string(key));
      if (at->second.bytes.size() / element->bytes != found.count)
        throw damaged(tensor, "has a storage of " + std::to_string(found.count) + " numbers in " +
                                  std::to_string(at->second.bytes.size()) + " bytes");
    } else if (at->second.element != found.element || at->second.count != found.count) {
      throw damaged(tensor, "has a storage that another tensor describes otherwise");
    }
    return at->second;
  }

  // That all numbers lie in the storage; returns how many the shape has.
  std::size_t check_extent(std::string_view name, const layout& where, const storage& from) const {
    constexpr std::size_t most = static_cast<std::size_t>(-1) / 16;
    std::size_t elements = 1, last = where.offset;
    const auto impossible = [&] { return damaged(name, "has an impossible shape"); };
    if (std::find(where.shape.begin(), where.shape.end(), 0u) != where.shape.end()) return 0;
    if (last > most) throw impossible();
    for (std::size_t axis = 0; axis < where.shape.size(); ++axis) {
      const std::size_t extent = where.shape[axis], stride = where.strides[axis];
      if (elements > most / extent) throw impossible();
      elements *= extent;
      if (extent > 1 && stride > (most - last) / (extent - 1)) throw impossible();
      last += (extent - 1) * stride;
    }
    if (last >= from.count)
      throw damaged(name, "ends at number " + std::to_string(last) + " of a storage that has " +
                              std::to_string(from.count));
    return elements;
  }

  void read_bytes(const layout& where, const storage& from, std::size_t elements, entry& made) {
    const std::size_t size = from.element->bytes;
    if (is_contiguous(where)) {
      made.view.bytes = from.bytes.subspan(where.offset * size, elements * size);
      return;
    }
    // An expanded tensor may repeat a number any number of times.
    if (elements > from.count) {
      made.unreadable = "repeats numbers of its storage (it was expanded); save it after .contiguous()";
      return;
    }
    const auto known = in_order_.find(where);
    if (known != in_order_.end()) {
      made.view.bytes = known->second;
      return;
    }
    if (elements * size > left_to_copy()) {
      made.unreadable =
          "isn't contiguous, like more tensors than act puts in order; save them after .contiguous()";
      return;
    }
    copied_ += elements * size;
    made.view.bytes = file_.copies_.emplace_back(put_in_order(where, from, elements));
    in_order_.emplace(where, made.view.bytes);
  }

  [[nodiscard]] std::size_t left_to_copy() const noexcept { return zip_.size() - copied_; }

  static bool is_contiguous(const layout& where) noexcept {
    std::size_t expected = 1;
    for (std::size_t axis = where.shape.size(); axis-- > 0;) {
      if (where.shape[axis] != 1 && where.strides[axis] != expected) return false;
      expected *= where.shape[axis];
    }
    return true;
  }

  static std::vector<std::byte> put_in_order(const layout& where, const storage& from, std::size_t elements) {
    const std::size_t size = from.element->bytes;
    std::vector<std::byte> ordered(elements * size);
    std::vector<std::size_t> index(where.shape.size(), 0);
    std::size_t at = where.offset;
    for (std::size_t i = 0; i < elements; ++i) {
      std::memcpy(ordered.data() + i * size, from.bytes.data() + at * size, size);
      // To the next index, the last axis fastest.
      for (std::size_t axis = where.shape.size(); axis-- > 0;) {
        at += where.strides[axis];
        if (++index[axis] < where.shape[axis]) break;
        at -= where.strides[axis] * where.shape[axis];
        index[axis] = 0;
      }
    }
    return ordered;
  }

  [[noreturn]] void refuse_without_tensors(const pickle_value& root) const {
    for (std::size_t i = 0; i < root.items.size(); i += 2) {
      const pickle_value& inner = *root.items[i + 1];
      if (inner.kind != pickle_kind::dictionary) continue;
      const std::string key = io::printable(root.items[i]->text);
      throw error(error_code::unsupported, zip_.path(),
                  "has no tensors by name, but a dictionary '" + key +
                      "'; if that has them, save it alone: transformers doesn't look into it either");
    }
    throw error(error_code::invalid_input, zip_.path(), "holds no tensors; fetch it again");
  }

  pytorch_file& file_;
  const io::stored_zip& zip_;
  std::string root_;
  std::map<std::string_view, storage> storages_;
  std::size_t copied_ = 0;  // bytes
  std::map<layout, std::span<const std::byte>> in_order_;
};

pytorch_file::pytorch_file(const std::string& path) : zip_(open_zip_only(path)) {
  reader(*this).read();
}

const tensor_view* pytorch_file::find_tensor(std::string_view name) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) return nullptr;
  if (!found->second.unreadable.empty())
    throw error(error_code::unsupported, path() + ": tensor '" + io::printable(name) + "'",
                found->second.unreadable);
  return &found->second.view;
}

std::vector<std::string_view> pytorch_file::names() const {
  std::vector<std::string_view> all;
  for (const auto& [name, tensor] : tensors_)
    all.push_back(name);
  return all;
}

}  // namespace act::runtime
