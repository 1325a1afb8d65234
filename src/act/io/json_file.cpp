#include <act/error.hpp>
#include <act/io/json_file.hpp>
#include <act/io/mapped_file.hpp>
#include <act/io/parse_json.hpp>

#include <nlohmann/json.hpp>

#include <filesystem>

namespace act::io {

json read_json(const std::filesystem::path& path) {
  const mapped_file file(path);
  return parse_json(file.text(), path.string());
}

json read_json_object(const std::filesystem::path& path) {
  json root = read_json(path);
  if (!root.is_object())
    throw error(error_code::invalid_input, path.string(), "isn't a JSON object; fetch it again");
  return root;
}

}  // namespace act::io
