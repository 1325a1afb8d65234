// The forecast that a heads file holds, and whether an evaluation bears it out.
#pragma once

#include <act/search/selection/forecast.hpp>
#include <act/statistics/intervals.hpp>

#include <optional>
#include <string_view>

namespace act::search {

struct heads_file;

/// How samples are asked; a forecast is for one way of it. Names as in a heads file's sources.
struct asked_task {
  std::string_view task;
  std::string_view scoring;
  bool final_space = true;
};

/// What the evidence forecasts for such samples; empty where it doesn't. Of several files of the task the
/// first. Throws error (invalid_input) for a forecast that isn't made of finite numbers; `name` prefixes it.
[[nodiscard]] std::optional<source_forecast> stored_forecast(const heads_file& file, const asked_task& asked,
                                                             std::string_view name);

/// How a forecast gain and an observed one, each with its 95 % interval, go together.
struct forecast_agreement {
  double difference = 0;  ///< observed less forecast
  double allowed = 0;     ///< half the width of the difference's 95 % interval
  [[nodiscard]] bool holds() const noexcept { return difference <= allowed && -difference <= allowed; }
};

/// Both are independent estimates of one gain, from other samples, so the squares of their errors add up.
/// Each error is taken from the interval's side that faces the other.
[[nodiscard]] forecast_agreement compare(const forecast_measure& forecast, double observed,
                                         const statistics::interval& observed_interval) noexcept;

}  // namespace act::search
