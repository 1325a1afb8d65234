#include <act/error.hpp>
#include <act/io/json_file.hpp>
#include <act/io/json_value.hpp>
#include <act/io/printable.hpp>
#include <act/runtime/checkpoint/folder_weights.hpp>
#include <act/runtime/checkpoint/pytorch_file.hpp>
#include <act/runtime/checkpoint/safetensors.hpp>
#include <act/runtime/checkpoint/tensor_file.hpp>
#include <act/runtime/checkpoint/tensor_view.hpp>

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace act::runtime {

namespace {

template <class File>
std::unique_ptr<const tensor_file> open_file(const std::string& path) {
  return std::make_unique<const File>(path);
}

}  // namespace

folder_weights::folder_weights(const std::string& folder) {
  struct format {
    const char* file;
    opener open;
  };
  for (const auto& [file, open] : {format{"model.safetensors", &open_file<safetensors_file>},
                                   format{"pytorch_model.bin", &open_file<pytorch_file>}}) {
    listing_ = std::filesystem::path(folder) / file;
    if (std::filesystem::exists(listing_)) {
      files_.push_back(open(listing_));
      for (const std::string_view name : files_[0]->names())
        where_.emplace(name, 0);
      return;
    }
    listing_ += ".index.json";
    if (std::filesystem::exists(listing_)) {
      read_index(open);
      return;
    }
  }
  throw error(
      error_code::io, folder,
      "has no model.safetensors or pytorch_model.bin, and no index of several such files; put the weights "
      "there");
}

const std::string& folder_weights::file_of(std::string_view name) const {
  const auto found = where_.find(name);
  return found == where_.end() ? listing_ : files_[found->second]->path();
}

const tensor_view* folder_weights::find_tensor(std::string_view name) const {
  const auto found = where_.find(name);
  return found == where_.end() ? nullptr : files_[found->second]->find_tensor(name);
}

const tensor_view& folder_weights::tensor(std::string_view name) const {
  if (const tensor_view* found = find_tensor(name)) return *found;
  throw error(
      error_code::invalid_input, listing_,
      "has no tensor '" + io::printable(name) + "'; the folder isn't a complete model of its architecture");
}

void folder_weights::read_index(opener open) {
  const std::string& index = listing_;
  const io::json_tree tree = io::read_json(index);
  const auto weights = tree.root().find("weight_map");
  if (!weights || !weights->is_object())
    throw error(error_code::invalid_input, index, "has no object 'weight_map'; fetch it again");
  std::map<std::string, std::size_t> numbers;  // ordered by name
  for (const auto& [tensor, file] : weights->members()) {
    // A plain file name: an index from elsewhere must not reach out of its folder.
    const std::string* const name = file.text();
    if (name == nullptr || name->empty() || std::filesystem::path(*name).filename() != *name)
      throw error(error_code::invalid_input, index + ": tensor '" + io::printable(tensor) + "'",
                  "isn't mapped to a file in the same folder; fetch the index again");
    numbers.emplace(*name, 0);
  }
  for (auto& [name, number] : numbers) {
    number = files_.size();
    files_.push_back(open(std::filesystem::path(listing_).parent_path() / name));
  }
  for (const auto& [tensor, file] : weights->members()) {
    const std::size_t number = numbers.at(*file.text());
    where_.emplace(tensor, number);
  }
  check_against_files();
}

void folder_weights::check_against_files() const {
  std::map<std::string_view, std::size_t> stored;
  for (std::size_t number = 0; number < files_.size(); ++number)
    for (const std::string_view name : files_[number]->names())
      if (!stored.emplace(name, number).second)
        throw error(error_code::invalid_input,
                    files_[number]->path() + ": tensor '" + io::printable(name) + "'",
                    "is in another file of the model too; fetch the model again");
  for (const auto& [name, number] : where_) {
    const auto found = stored.find(name);
    if (found == stored.end() || found->second != number)
      throw error(error_code::mismatch, listing_ + ": tensor '" + io::printable(name) + "'",
                  "isn't in " + std::filesystem::path(files_[number]->path()).filename().string() +
                      "; index and files don't belong together, fetch the model again");
  }
}

}  // namespace act::runtime
