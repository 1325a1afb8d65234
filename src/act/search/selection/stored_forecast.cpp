#include <act/error.hpp>
#include <act/search/heads_file.hpp>
#include <act/search/selection/forecast.hpp>
#include <act/search/selection/stored_forecast.hpp>
#include <act/statistics/intervals.hpp>

#include <nlohmann/json.hpp>

#include <cmath>
#include <optional>
#include <string>
#include <string_view>

namespace act::search {

namespace {

using json = nlohmann::ordered_json;

class forecast_reader {
 public:
  explicit forecast_reader(std::string_view name) : name_(name) {}

  [[nodiscard]] forecast_measure measure(const json& from, const char* key) const {
    if (!from.at(key).is_object()) refuse();
    const json& object = from.at(key);
    forecast_measure made;
    made.plain = number(object, "plain");
    made.calibrated = number(object, "calibrated");
    made.gain = number(object, "gain");
    if (!object.contains("gain_ci95") || !object["gain_ci95"].is_array() || object["gain_ci95"].size() != 2)
      refuse();
    made.gain_interval = {finite(object["gain_ci95"][0]), finite(object["gain_ci95"][1])};
    if (made.gain_interval.lo > made.gain_interval.hi) refuse();
    return made;
  }

  [[noreturn]] void refuse() const {
    throw error(error_code::invalid_input, std::string(name_),
                "\"evidence.forecast\" must hold plain, calibrated and gain as numbers and gain_ci95 as two, "
                "for accuracy; remove it or search again");
  }

 private:
  [[nodiscard]] double finite(const json& value) const {
    if (!value.is_number() || !std::isfinite(value.get<double>())) refuse();
    return value.get<double>();
  }
  [[nodiscard]] double number(const json& object, const char* key) const {
    if (!object.contains(key)) refuse();
    return finite(object.at(key));
  }

  std::string_view name_;
};

bool says(const json& object, const char* key, std::string_view text) {
  return object.contains(key) && object.at(key) == std::string(text);
}

}  // namespace

std::optional<source_forecast> stored_forecast(const heads_file& file, const asked_task& asked,
                                               std::string_view name) {
  const json& evidence = file.evidence.value();
  if (!evidence.contains("forecast")) return std::nullopt;
  const forecast_reader reader(name);
  if (!evidence["forecast"].is_array()) reader.refuse();
  for (const json& each : evidence["forecast"]) {
    if (!each.is_object()) reader.refuse();
    if (!says(each, "task", asked.task) || !says(each, "scoring", asked.scoring)) continue;
    if ((!each.contains("final_space") || each["final_space"] != false) != asked.final_space) continue;
    if (!each.contains("accuracy")) reader.refuse();
    source_forecast made;
    made.accuracy = reader.measure(each, "accuracy");
    if (each.contains("auc")) made.auc = reader.measure(each, "auc");
    if (each.contains("n") && each["n"].is_number_unsigned()) made.samples = each["n"].get<std::size_t>();
    return made;
  }
  return std::nullopt;
}

forecast_agreement compare(const forecast_measure& forecast, double observed,
                           const statistics::interval& observed_interval) noexcept {
  const bool above = observed >= forecast.gain;
  const double of_forecast =
      above ? forecast.gain_interval.hi - forecast.gain : forecast.gain - forecast.gain_interval.lo;
  const double of_observed = above ? observed - observed_interval.lo : observed_interval.hi - observed;
  return {.difference = observed - forecast.gain, .allowed = std::hypot(of_forecast, of_observed)};
}

}  // namespace act::search
