#include <act/io/json_document.hpp>
#include <act/io/sha256.hpp>
#include <act/report/heads_json.hpp>
#include <act/runtime/model_calibration.hpp>

#include <cstddef>
#include <utility>

namespace act::report {

void add_heads(io::json_document& document, const runtime::model_calibration& calibration) {
  auto list = io::json_document::array();
  std::size_t number = 0;
  for (const layer_head& each : calibration.heads) {
    auto entry = io::json_document::array({each.layer, each.head});
    if (!calibration.strengths.empty()) entry.push_back(calibration.strengths.at(number++));
    list.push_back(std::move(entry));
  }
  io::sha256 digest;
  digest.update(list.text());
  document.set("calibrated_heads", std::move(list));
  document.set("heads_sha256", digest.hex());
}

}  // namespace act::report
