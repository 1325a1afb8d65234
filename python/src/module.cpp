// act._core: libact's calls on anything with the buffer or DLPack protocol, without copying. Shapes, defaults
// and docstrings are the package's (python/act/calibration.py): here arrays become descriptions and answers
// exceptions.
#include <act/c.h>

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace nb = nanobind;

namespace {

using written = nb::ndarray<nb::device::cpu>;
using read = nb::ndarray<nb::ro, nb::device::cpu>;
using positions = std::vector<std::size_t>;
template <class Kind>
using maybe = std::optional<Kind>;

/// What act refused, for act.Error.
struct refused : std::runtime_error {
  using std::runtime_error::runtime_error;
};

void demand(act_status done) {
  if (done == ACT_OK) return;
  if (done == ACT_OUT_OF_MEMORY) throw std::bad_alloc();
  throw refused(act_last_message());
}

template <class Array>
[[nodiscard]] act_type type_of(const Array& array, const std::string& name) {
  const nb::dlpack::dtype type = array.dtype();
  const bool is_float = type.code == static_cast<std::uint8_t>(nb::dlpack::dtype_code::Float);
  if (type.lanes == 1 && is_float && type.bits == 32) return ACT_FLOAT32;
  if (type.lanes == 1 && is_float && type.bits == 64) return ACT_FLOAT64;
  if (type.lanes == 1 && is_float && type.bits == 16) return ACT_FLOAT16;
  if (type.lanes == 1 && type.code == static_cast<std::uint8_t>(nb::dlpack::dtype_code::Bfloat) &&
      type.bits == 16)
    return ACT_BFLOAT16;
  throw refused(name + ": must hold float32, float64, float16 or bfloat16");
}

/// An array's axes [batch, head, row, element]; leading ones that it lacks have extent 1.
struct axes {
  std::size_t extents[4] = {1, 1, 1, 1}, strides[3] = {0, 0, 0};
};
template <class Array>
[[nodiscard]] axes axes_of(const Array& array, const std::string& name) {
  if (array.ndim() < 2 || array.ndim() > 4) throw refused(name + ": needs two to four axes");
  axes of;
  const std::size_t missing = 4 - array.ndim();
  for (std::size_t axis = 0; axis < array.ndim(); ++axis) {
    const std::size_t at = axis + missing, extent = array.shape(axis);
    of.extents[at] = extent;
    const std::int64_t stride = array.stride(axis);
    if (at == 3) {
      if (extent > 1 && stride != 1) throw refused(name + ": needs contiguous elements in its last axis");
    } else if (extent > 1) {
      if (stride < 0) throw refused(name + ": has a negative stride");
      of.strides[at] = static_cast<std::size_t>(stride);
    }
  }
  return of;
}

template <class Array>
[[nodiscard]] act_tensor tensor_of(const Array& array, const std::string& name) {
  const axes of = axes_of(array, name);
  return {sizeof(act_tensor),   const_cast<void*>(static_cast<const void*>(array.data())),
          type_of(array, name), of.extents[0],
          of.extents[1],        of.extents[2],
          of.extents[3],        of.strides[0],
          of.strides[1],        of.strides[2]};
}

/// Doubles [batch, head, keys], contiguous, of exactly this many; or none.
[[nodiscard]] double* sums_of(maybe<written>& array, std::size_t count, const std::string& name) {
  if (!array) return nullptr;
  std::size_t expected = 1;
  for (std::size_t axis = array->ndim(); axis > 0; --axis) {
    if (array->shape(axis - 1) > 1 && array->stride(axis - 1) != static_cast<std::int64_t>(expected))
      throw refused(name + ": must be contiguous");
    expected *= array->shape(axis - 1);
  }
  if (type_of(*array, name) != ACT_FLOAT64 || expected != count)
    throw refused(name + ": must be float64 [batch, head, keys], " + std::to_string(count) + " in all");
  return static_cast<double*>(array->data());
}

/// Which keys rows see. Lists are empty or have an entry for each batch entry.
struct visibility {
  std::size_t query_offset = 0, window = 0;
  positions first_key, query_offsets, query_counts;
  std::size_t all_keys = 0;
  positions key_counts;

  [[nodiscard]] act_visibility view(std::size_t batches) const {
    const auto list = [&](const positions& of, const char* name) -> const std::size_t* {
      if (of.empty()) return nullptr;
      if (of.size() != batches)
        throw refused(std::string(name) + ": needs one entry for each batch entry, or none");
      return of.data();
    };
    return {sizeof(act_visibility),
            query_offset,
            window,
            list(first_key, "first_key"),
            list(query_offsets, "query_offsets"),
            list(query_counts, "query_counts"),
            all_keys,
            list(key_counts, "key_counts")};
  }
};

/// act_options with lists of its own.
struct options {
  act_options of = ACT_OPTIONS_INIT;
  positions subset, span;
  std::vector<double> strengths;

  [[nodiscard]] act_options view() const {
    act_options all = of;
    all.subset = subset.empty() ? nullptr : subset.data();
    all.subset_count = subset.size();
    all.span = span.empty() ? nullptr : span.data();
    all.span_count = span.size();
    all.strengths = strengths.empty() ? nullptr : strengths.data();
    all.strength_count = strengths.size();
    return all;
  }
};

/// act_attention with lists of its own.
struct attention {
  double scale = 0, soft_cap = 0;
  std::vector<float> slopes, sink_logits;
  visibility visible;
};
struct attention_view {
  act_visibility visible;
  act_attention of;
  attention_view(const attention& from, std::size_t batches, std::size_t heads)
      : visible(from.visible.view(batches)), of ACT_ATTENTION_INIT {
    const auto list = [&](const std::vector<float>& numbers, const char* name) -> const float* {
      if (numbers.empty()) return nullptr;
      if (numbers.size() != heads) throw refused(std::string(name) + ": need one for each head, or none");
      return numbers.data();
    };
    of.scale = from.scale;
    of.soft_cap = from.soft_cap;
    of.slopes = list(from.slopes, "slopes");
    of.sink_logits = list(from.sink_logits, "sink_logits");
    of.visible = &visible;
  }
  attention_view(const attention_view&) = delete;
  attention_view& operator=(const attention_view&) = delete;
};

struct heads_destroy {
  void operator()(act_heads* heads) const noexcept { act_heads_destroy(heads); }
};
using heads_handle = std::unique_ptr<act_heads, heads_destroy>;
[[nodiscard]] heads_handle heads_of(const maybe<positions>& heads) {
  act_heads* made = nullptr;
  demand(heads ? act_heads_create(heads->data(), heads->size(), &made) : act_heads_create_all(&made));
  return heads_handle(made);
}

using sink_list = std::vector<std::pair<std::size_t, double>>;
using head_report = std::tuple<std::size_t, std::size_t, sink_list, double>;

/// A call's report, in memory of its own.
class report {
 public:
  report(std::size_t batches, std::size_t heads, std::size_t keys)
      : heads_(heads),
        keys_(keys),
        scores_(batches * heads * keys),
        counts_(batches * heads, untouched),
        positions_(batches * heads * keys),
        moved_(batches * heads) {
    context_.scores = scores_.data();
    context_.sink_counts = counts_.data();
    context_.sink_positions = positions_.data();
    context_.moved_mass = moved_.data();
  }
  [[nodiscard]] const act_context& context() const noexcept { return context_; }
  [[nodiscard]] std::vector<head_report> list() const {
    std::vector<head_report> all;
    for (std::size_t at = 0; at < counts_.size(); ++at) {
      if (counts_[at] == untouched) continue;
      sink_list sinks;
      for (std::size_t s = 0; s < counts_[at]; ++s) {
        const std::size_t position = positions_[at * keys_ + s];
        sinks.emplace_back(position, scores_[at * keys_ + position]);
      }
      all.emplace_back(at / heads_, at % heads_, std::move(sinks), moved_[at]);
    }
    return all;
  }

 private:
  static constexpr std::size_t untouched = static_cast<std::size_t>(-1);
  std::size_t heads_, keys_;
  std::vector<double> scores_;
  std::vector<std::size_t> counts_, positions_;
  std::vector<double> moved_;
  act_context context_ = ACT_CONTEXT_INIT;
};

std::vector<head_report> calibrate(written array, const maybe<positions>& heads, const options& how,
                                   const visibility& visible, maybe<written> carried_sums) {
  const axes of = axes_of(array, "map");
  const act_visibility seen = visible.view(of.extents[0]);
  const act_map map{
      sizeof(act_map), array.data(),  type_of(array, "map"), of.extents[0], of.extents[1], of.extents[2],
      of.extents[3],   of.strides[0], of.strides[1],         of.strides[2], &seen};
  const heads_handle chosen = heads_of(heads);
  const act_options view = how.view();
  double* const carried = sums_of(carried_sums, map.batches * map.heads * map.keys, "carried_sums");
  report done(map.batches, map.heads, map.keys);
  act_status status;
  {
    nb::gil_scoped_release others_run;
    status = act_calibrate(&map, chosen.get(), &view, &done.context(), carried);
  }
  demand(status);  // the message is this thread's
  return done.list();
}

std::vector<head_report> calibrated_attention(read query, read key, read value, written out,
                                              const maybe<positions>& heads, const options& how,
                                              const attention& told, maybe<written> plain,
                                              maybe<written> carried_sums) {
  const act_tensor q = tensor_of(query, "q"), k = tensor_of(key, "k"), v = tensor_of(value, "v"),
                   to = tensor_of(out, "out");
  const act_tensor beside = plain ? tensor_of(*plain, "plain") : act_tensor{};
  const attention_view view(told, q.batches, q.heads);
  const heads_handle chosen = heads_of(heads);
  const act_options calibration = how.view();
  double* const carried = sums_of(carried_sums, q.batches * q.heads * k.tokens, "carried_sums");
  report done(q.batches, q.heads, k.tokens);
  act_status status;
  {
    nb::gil_scoped_release others_run;
    status = act_calibrated_attention(&q, &k, &v, &to, chosen.get(), &calibration, &view.of, &done.context(),
                                      plain ? &beside : nullptr, carried);
  }
  demand(status);
  return done.list();
}

std::vector<head_report> correct_output(written out, read log_sum_exp, read query, read key, read value,
                                        const maybe<positions>& heads, const options& how,
                                        const attention& told, maybe<written> scores,
                                        maybe<written> carried_sums) {
  const act_tensor q = tensor_of(query, "q"), k = tensor_of(key, "k"), v = tensor_of(value, "v"),
                   to = tensor_of(out, "out");
  const act_type row_type = q.type == ACT_FLOAT64 ? ACT_FLOAT64 : ACT_FLOAT32;
  std::size_t count = 1;
  for (std::size_t axis = log_sum_exp.ndim(); axis > 0; --axis) {
    if (log_sum_exp.shape(axis - 1) > 1 && log_sum_exp.stride(axis - 1) != static_cast<std::int64_t>(count))
      throw refused("log_sum_exp: must be contiguous");
    count *= log_sum_exp.shape(axis - 1);
  }
  if (type_of(log_sum_exp, "log_sum_exp") != row_type || count != q.batches * q.heads * q.tokens) {
    throw refused(std::string("log_sum_exp: must be ") + (row_type == ACT_FLOAT64 ? "float64" : "float32") +
                  " [batch, head, query]");
  }
  const attention_view view(told, q.batches, q.heads);
  const heads_handle chosen = heads_of(heads);
  const act_options calibration = how.view();
  const std::size_t columns = q.batches * q.heads * k.tokens;
  double* const given = sums_of(scores, columns, "scores");
  double* const carried = sums_of(carried_sums, columns, "carried_sums");
  report done(q.batches, q.heads, k.tokens);
  act_status status;
  {
    nb::gil_scoped_release others_run;
    status = act_correct_output(&to, log_sum_exp.data(), &q, &k, &v, chosen.get(), &calibration, &view.of,
                                &done.context(), given, carried);
  }
  demand(status);
  return done.list();
}

/// One tracker.
class tracker {
 public:
  explicit tracker(const options& how) {
    const act_options view = how.view();
    demand(act_trackers_create(&view, 1, &handle_));
  }
  tracker(const tracker& other) { demand(act_trackers_copy(other.handle_, &handle_)); }
  tracker& operator=(const tracker&) = delete;
  ~tracker() { act_trackers_destroy(handle_); }

  void start(read sums, std::size_t first_key, std::size_t window, std::size_t query_offset) {
    if (sums.ndim() != 1 || type_of(sums, "sums") != ACT_FLOAT64 ||
        (sums.shape(0) > 1 && sums.stride(0) != 1))
      throw refused("sums: must be float64 [keys], contiguous");
    act_visibility visible = ACT_VISIBILITY_INIT;
    visible.first_key = &first_key;
    visible.window = window;
    visible.query_offset = query_offset;
    const std::size_t keys = sums.shape(0);
    if (query_offset > keys) throw refused("query_offset: exceeds the keys");
    demand(act_trackers_start(handle_, 0, static_cast<const double*>(sums.data()), keys, &visible, 1, 0,
                              keys - query_offset));
  }
  double calibrate_row(written row, maybe<std::size_t> seen_begin) {
    check_row(row);
    double moved = 0;
    demand(act_trackers_calibrate_row(handle_, 0, type_of(row, "row"), row.data(), row.shape(0),
                                      seen_begin.value_or(0), &moved));
    return moved;
  }
  void retract(read row, maybe<std::size_t> seen_begin) {
    check_row(row);
    demand(act_trackers_retract(handle_, 0, type_of(row, "row"), row.data(), row.shape(0),
                                seen_begin.value_or(0)));
  }
  void evict(std::size_t begin, std::size_t end) { demand(act_trackers_evict(handle_, 0, begin, end)); }
  [[nodiscard]] std::size_t keys() const { return act_trackers_keys(handle_, 0); }
  [[nodiscard]] sink_list sinks() const {
    positions slots(act_trackers_sinks(handle_, 0, nullptr, 0));
    act_trackers_sinks(handle_, 0, slots.data(), slots.size());
    sink_list all;
    for (const std::size_t slot : slots)
      all.emplace_back(slot, act_trackers_score(handle_, 0, slot));
    return all;
  }
  [[nodiscard]] nb::bytes save() const {
    std::string bytes(act_trackers_save(handle_, 0, nullptr, 0), '\0');
    act_trackers_save(handle_, 0, bytes.data(), bytes.size());
    return nb::bytes(bytes.data(), bytes.size());
  }
  void load(const nb::bytes& bytes) { demand(act_trackers_load(handle_, 0, bytes.c_str(), bytes.size())); }

 private:
  template <class Array>
  static void check_row(const Array& row) {
    if (row.ndim() != 1 || (row.shape(0) > 1 && row.stride(0) != 1))
      throw refused("row: must have one axis, contiguous");
  }
  act_trackers* handle_ = nullptr;
};

}  // namespace

NB_MODULE(_core, m) {
  m.attr("version") = act_version();
  m.def("instruction_set", [] { return act_instruction_set(); });
  m.def("set_thread_count", &act_set_thread_count, nb::arg("count"));

  nb::class_<options>(m, "Options")
      .def("__init__", [](options* made, std::int32_t rule, double alpha, double tau,
                          std::size_t min_visible_rows, double beta, std::int32_t redistribute, double theta,
                          positions subset, std::int32_t columns, positions span, double factor,
                          std::vector<double> strengths, bool authors, std::size_t position_limit) {
        new (made) options;
        made->of.rule = rule;
        made->of.alpha = alpha;
        made->of.tau = tau;
        made->of.min_visible_rows = min_visible_rows;
        made->of.beta = beta;
        made->of.redistribute = redistribute;
        made->of.theta = theta;
        made->of.columns = columns;
        made->of.factor = factor;
        made->of.authors = authors ? 1 : 0;
        made->of.position_limit = position_limit;
        made->subset = std::move(subset);
        made->span = std::move(span);
        made->strengths = std::move(strengths);
      });
  nb::class_<visibility>(m, "Visibility")
      .def("__init__",
           [](visibility* made, std::size_t query_offset, std::size_t window, positions first_key,
              positions query_offsets, positions query_counts, std::size_t all_keys, positions key_counts) {
             new (made) visibility{query_offset,
                                   window,
                                   std::move(first_key),
                                   std::move(query_offsets),
                                   std::move(query_counts),
                                   all_keys,
                                   std::move(key_counts)};
           });
  nb::class_<attention>(m, "Attention")
      .def("__init__", [](attention* made, double scale, double soft_cap, std::vector<float> slopes,
                          std::vector<float> sink_logits, const visibility& visible) {
        new (made) attention{scale, soft_cap, std::move(slopes), std::move(sink_logits), visible};
      });
  m.def("calibrate", &calibrate, nb::arg("map").noconvert(), nb::arg("heads").none(), nb::arg("options"),
        nb::arg("visible"), nb::arg("carried_sums").noconvert().none());
  m.def("calibrated_attention", &calibrated_attention, nb::arg("q").noconvert(), nb::arg("k").noconvert(),
        nb::arg("v").noconvert(), nb::arg("out").noconvert(), nb::arg("heads").none(), nb::arg("options"),
        nb::arg("attention"), nb::arg("plain").noconvert().none(),
        nb::arg("carried_sums").noconvert().none());
  m.def("correct_output", &correct_output, nb::arg("out").noconvert(), nb::arg("log_sum_exp").noconvert(),
        nb::arg("q").noconvert(), nb::arg("k").noconvert(), nb::arg("v").noconvert(), nb::arg("heads").none(),
        nb::arg("options"), nb::arg("attention"), nb::arg("scores").noconvert().none(),
        nb::arg("carried_sums").noconvert().none());
  nb::class_<tracker>(m, "Tracker")
      .def(nb::init<const options&>())
      .def(
          "copy", [](const tracker& of) { return new tracker(of); }, nb::rv_policy::take_ownership)
      .def("start", &tracker::start, nb::arg("sums").noconvert(), nb::arg("first_key"), nb::arg("window"),
           nb::arg("query_offset"))
      .def("calibrate_row", &tracker::calibrate_row, nb::arg("row").noconvert(), nb::arg("seen_begin").none())
      .def("retract", &tracker::retract, nb::arg("row").noconvert(), nb::arg("seen_begin").none())
      .def("evict", &tracker::evict, nb::arg("begin"), nb::arg("end"))
      .def("keys", &tracker::keys)
      .def("sinks", &tracker::sinks)
      .def("save", &tracker::save)
      .def("load", &tracker::load, nb::arg("state"));

  nb::exception<refused>(m, "Error", PyExc_ValueError);
}
