#include <act/io/json_value.hpp>
#include <act/serve/generation_request.hpp>
#include <act/serve/refusal.hpp>
#include <act/serve/request_members.hpp>

#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace act::serve {
namespace {

std::vector<std::string> read_stops(request_members& from) {
  const std::optional<io::json_value> stop = from.find("stop");
  if (!stop) return {};
  std::vector<io::json_value> each{*stop};
  if (stop->is_array()) each = stop->items();
  if (each.size() > stop_limit)
    throw refusal("stop", "stop: has " + std::to_string(each.size()) + " texts; give at most 4");
  std::vector<std::string> stops;
  for (const io::json_value& one : each) {
    if (one.text() == nullptr || one.text()->empty())
      throw refusal("stop", "stop: must be a text that isn't empty, or a list of such");
    stops.push_back(*one.text());
  }
  return stops;
}

}  // namespace

generation_request read_generation(request_members& from, const request_limits& limits,
                                   const std::vector<std::string>& names_of_max_tokens) {
  generation_request read;
  for (const std::string& name : names_of_max_tokens) {
    if (const auto tokens = from.count(name, 0, limits.new_tokens)) {
      if (read.max_tokens) throw refusal(name, name + ": was given under another name too; give one");
      read.max_tokens = static_cast<std::size_t>(*tokens);
    }
  }
  read.sampling.temperature = from.number("temperature", 0, 2).value_or(1);
  read.sampling.top_p = from.number("top_p", 0, 1).value_or(1);
  if (read.sampling.top_p == 0) throw refusal("top_p", "top_p: must be above 0; temperature 0 is greedy");
  if (const auto seed = from.count("seed", 0, std::numeric_limits<std::uint64_t>::max())) {
    read.sampling.seed = *seed;
  } else {
    std::random_device device;
    read.sampling.seed = std::uint64_t{device()} << 32 | device();
  }
  read.stops = read_stops(from);
  read.stream = from.truth("stream", false);
  if (const auto options = from.find("stream_options")) {
    if (!read.stream) throw refusal("stream_options", "stream_options: are for a stream; leave them out");
    request_members of(*options, "stream_options");
    read.usage_in_stream = of.truth("include_usage", false);
    of.refuse_others();
  }
  from.only("n", 1, "ask several times, with other seeds");
  from.only("frequency_penalty", 0, "act-serve has no penalties");
  from.only("presence_penalty", 0, "act-serve has no penalties");
  from.only_empty("logit_bias", "act-serve changes no logits");
  from.without_effect("user");
  return read;
}

}  // namespace act::serve
