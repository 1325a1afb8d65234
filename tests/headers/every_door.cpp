// Every public template of the core, as a user's unit instantiates it.
#include <act/act.hpp>

#include <cstddef>
#include <span>
#include <vector>

template <class T>
double every_door(T* elements, std::vector<act::sink_tracker>& trackers) {
  using accumulator = act::accumulator_t<T>;
  const act::layer_heads heads{0};
  const auto map = act::attention_span<T>::packed(elements, 1, 1, 8, 8);
  const auto out = act::head_tensor<T>::packed(elements, 1, 1, 8, 8);
  const auto in = act::head_tensor<const T>::packed(elements + 64, 1, 1, 8, 8);
  std::vector<double> sums(8);
  const std::vector<accumulator> log_sum_exp(8);
  act::attention_workspace<accumulator> workspace;

  double moved = act::calibrate(map, heads).heads[0].moved_mass;
  moved += act::calibrated(map, heads).report.heads[0].moved_mass;
  moved += act::calibrate_with_sinks(map, 0, 0, {});
  moved += act::calibrate_row(std::span<T>(elements, 8), {0, 8}, {});
  moved += act::calibrated_attention(in, in, in, out, heads).heads[0].moved_mass;
  moved += act::correct_output(out, log_sum_exp, in, in, in, heads).heads[0].moved_mass;
  act::attention_weights(in, in, map);
  act::decoding_attention(in, in, in, out, heads, std::span(trackers), {}, workspace);
  trackers[0].calibrate_row(std::span<T>(elements, 8));

  const act::call_context context;
  bool done = act::try_calibrate(map, heads, {}, context) == act::status::ok;
  done = done && act::try_calibrated_attention(in, in, in, out, heads, {}, {}, context) == act::status::ok;
  done = done && act::try_correct_output(out, std::span<const accumulator>(log_sum_exp), in, in, in, heads,
                                         {}, {}, context) == act::status::ok;
  done = done && act::try_decoding_attention(in, in, in, out, heads, std::span(trackers), {}, context) ==
                     act::status::ok;
  done = done && trackers[0].try_calibrate_row(std::span<T>(elements, 8), {0, 8}) == act::status::ok;
  if (!done) return static_cast<double>(act::calibrate_workspace(map, heads));
  act::add_column_sums(map, 0, 0, std::span(sums));
  act::column_scores(map, 0, 0, std::span(sums));
  return moved + act::find_sinks(map, 0, 0)[0].score + act::logit_bias(0.5, 0.5).sinks;
}

template double every_door(float*, std::vector<act::sink_tracker>&);
template double every_door(act::float16*, std::vector<act::sink_tracker>&);
#if defined(ALL_ELEMENTS)
template double every_door(double*, std::vector<act::sink_tracker>&);
template double every_door(act::bfloat16*, std::vector<act::sink_tracker>&);
#endif
