// JSON text from files that may be damaged or hostile: bounded depth, no key twice, one-line errors with the
// place. What the values mean is the callers'. A whole file is json_file.hpp, writing is json_text.hpp.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace act::io {

/// Deeper documents are refused: no file act reads nests deeper than ten.
inline constexpr int json_depth_limit = 64;

/// Parses one JSON document; as nlohmann::ordered_json it keeps the order of keys. `where` prefixes the
/// errors ("FILE" or "FILE:LINE"), `mend` ends them; their bytes are counted from 1, after the `offset` bytes
/// of the file that come before the text. Throws error (invalid_input) for text that isn't JSON or isn't
/// UTF-8, trailing text, a key given twice in one object (parsers differ in which one they keep), and nesting
/// beyond json_depth_limit. Cost: linear; memory a small multiple of the text.
template <class Json = nlohmann::json>
[[nodiscard]] Json parse_json(std::string_view text, const std::string& where,
                              std::string_view mend = "mend the file or fetch it again",
                              std::size_t offset = 0);

extern template nlohmann::json parse_json(std::string_view text, const std::string& where,
                                          std::string_view mend, std::size_t offset);
extern template nlohmann::ordered_json parse_json(std::string_view text, const std::string& where,
                                                  std::string_view mend, std::size_t offset);

}  // namespace act::io
