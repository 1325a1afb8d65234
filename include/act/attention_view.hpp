// Non-owning 4-D attention maps [batch, head, query, key] and what each of their rows can see.
// For engine authors who have the softmaxed map in memory. Not a container, and not a general tensor: keys
// are always contiguous, the other three axes have any stride that keeps the rows apart.
#pragma once

#include <act/element.hpp>
#include <act/error.hpp>
#include <act/version.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <span>
#include <type_traits>
#include <utility>

namespace act::inline ACT_ABI {

/// Half-open range of key positions.
struct key_range {
  std::size_t begin = 0;  ///< first key
  std::size_t end = 0;    ///< one behind the last key

  /// @return whether no key is in it
  [[nodiscard]] constexpr bool empty() const noexcept { return begin >= end; }
  /// @return how many keys are in it
  [[nodiscard]] constexpr std::size_t size() const noexcept { return empty() ? 0 : end - begin; }
  /// @param key a position
  /// @return whether it is in the range
  [[nodiscard]] constexpr bool contains(std::size_t key) const noexcept { return begin <= key && key < end; }
};

/// Which keys a row sees: row i stands at position p = query_offset + i and sees the keys first_key .. p,
/// with a window only the last `window` of them. Everything else is masked.
///
/// Ragged batches: prompts of different length, right padding, caches of different length. `query_offsets`
/// and `query_counts` then say for each batch entry where its first row stands and how many of its rows are
/// real, the first ones; its real keys are those up to its last real row's own. What lies behind them is
/// padding: it is neither read nor counted, nor in a column sum.
///
/// Encoders, vision and cross attention: with `all_keys` (or `key_counts`, of each batch entry) nothing is
/// causal. Every row sees the keys first_key .. all_keys - 1, a key's column score is its mean weight over
/// all rows, and N of the relative rule is the number of these keys. The initial token, a [CLS] for one, is
/// spared as ever. No window, no slopes, no tracker and no compatibility::authors, which are about what came
/// before.
struct visibility {
  std::size_t query_offset = 0;  ///< position of the first row: keys already in the cache before it
  std::span<const std::size_t> first_key =
      {};                  ///< per batch entry, the keys of left padding; empty = no padding
  std::size_t window = 0;  ///< sliding window in keys, the row's own included; 0 = unlimited
  std::span<const std::size_t> query_offsets =
      {};  ///< per batch entry, instead of query_offset, which stays 0; empty = the same for all
  std::span<const std::size_t> query_counts =
      {};  ///< per batch entry, its real rows; 0: it has none in this call; empty = all rows
  std::size_t all_keys = 0;  ///< not causal: every row sees the keys before this one; 0 = causal
  std::span<const std::size_t> key_counts =
      {};  ///< per batch entry, instead of all_keys, which stays 0; empty = the same for all

  /// @return whether rows see no further than their own position
  [[nodiscard]] constexpr bool causal() const noexcept { return all_keys == 0 && key_counts.empty(); }
  /// @return whether batch entries have offsets or numbers of rows of their own
  [[nodiscard]] constexpr bool ragged() const noexcept {
    return !query_offsets.empty() || !query_counts.empty() || !key_counts.empty();
  }
  /// @param batch a batch entry
  /// @return the position of its first row
  [[nodiscard]] constexpr std::size_t offset(std::size_t batch) const noexcept {
    return query_offsets.empty() ? query_offset : query_offsets[batch];
  }
  /// @param batch a batch entry
  /// @param queries rows of the map
  /// @return how many of them are real
  [[nodiscard]] constexpr std::size_t rows(std::size_t batch, std::size_t queries) const noexcept {
    return query_counts.empty() ? queries : std::min(queries, query_counts[batch]);
  }
  /// @param batch a batch entry
  /// @return what its real rows see, as batch entry 0 of a batch of one
  [[nodiscard]] constexpr visibility entry(std::size_t batch) const noexcept {
    return {offset(batch),
            first_key.empty() ? first_key : first_key.subspan(batch, 1),
            window,
            {},
            {},
            all_keys_of(batch),
            {}};
  }

  /// @param batch a batch entry
  /// @param last_row one behind its last row's position
  /// @return one behind the last key that a row sees
  [[nodiscard]] constexpr std::size_t keys_seen(std::size_t batch, std::size_t last_row) const noexcept {
    return causal() ? last_row : all_keys_of(batch);
  }
  /// @param key a position in a batch of one entry
  /// @return the first row that may see it, counted in the map
  [[nodiscard]] constexpr std::size_t first_row_seeing(std::size_t key) const noexcept {
    return causal() && key > query_offset ? key - query_offset : 0;
  }

  /// The sequence's initial token in `batch`, which is never calibrated.
  /// @param batch a batch entry
  /// @return its position, the first that isn't padding
  [[nodiscard]] constexpr std::size_t initial_key(std::size_t batch) const noexcept {
    return first_key.empty() ? 0 : first_key[batch];
  }

  /// The keys that row `query` of `batch` sees.
  /// @param batch a batch entry
  /// @param query a row of the map, from 0
  /// @return a range of key positions; empty for rows of padding
  [[nodiscard]] constexpr key_range row(std::size_t batch, std::size_t query) const noexcept {
    if (ragged()) {
      if (query >= rows(batch, query + 1)) {
        const std::size_t behind = keys_seen(batch, offset(batch) + query_counts[batch]);
        return {behind, behind};
      }
      return entry(batch).row(0, query);
    }
    if (!causal()) return {initial_key(batch), all_keys};
    const std::size_t end = query_offset + query + 1;
    const std::size_t windowed = window != 0 && end > window ? end - window : 0;
    return {std::max(initial_key(batch), windowed), end};
  }

  /// How many of the rows at positions [first_row, last_row) see `key`: the divisor of its column score.
  /// @param batch a batch entry
  /// @param key a key position
  /// @param first_row,last_row positions of rows, all of them real: the first, and one behind the last
  /// @return a number of rows
  [[nodiscard]] constexpr std::size_t rows_seeing(std::size_t batch, std::size_t key, std::size_t first_row,
                                                  std::size_t last_row) const noexcept {
    if (key < initial_key(batch)) return 0;
    if (!causal()) return key < all_keys_of(batch) ? last_row - first_row : 0;
    const std::size_t from = std::max(first_row, key);
    const std::size_t to =
        window == 0 || window >= last_row - std::min(key, last_row) ? last_row : key + window;
    return from < to ? to - from : 0;
  }

  /// The part of validate() that holds for empty maps too.
  /// @param batches batch entries of the map
  /// @return the member that is wrong and how to mend it; false when nothing is
  [[nodiscard]] constexpr problem validate_sizes(std::size_t batches) const noexcept {
    if (!first_key.empty() && first_key.size() != batches) {
      return {"visible.first_key", "needs one entry for each batch entry, or none at all"};
    }
    if (!query_offsets.empty() && query_offsets.size() != batches) {
      return {"visible.query_offsets", "need one entry for each batch entry, or none at all"};
    }
    if (!query_counts.empty() && query_counts.size() != batches) {
      return {"visible.query_counts", "need one entry for each batch entry, or none at all"};
    }
    if (!key_counts.empty() && key_counts.size() != batches) {
      return {"visible.key_counts", "need one entry for each batch entry, or none at all"};
    }
    return {};
  }

  /// What is wrong with it for a map of this shape, if anything.
  /// @param batches,queries,keys extents of the map
  /// @return the member that is wrong and how to mend it; false when nothing is
  [[nodiscard]] constexpr problem validate(std::size_t batches, std::size_t queries,
                                           std::size_t keys) const noexcept {
    if (const problem found = validate_sizes(batches)) return found;
    if (!query_offsets.empty() && query_offset != 0) {
      return {"visible.query_offset", "must stay 0 where query_offsets say where each entry's rows stand"};
    }
    for (const std::size_t count : query_counts) {
      if (count > queries) return {"visible.query_counts", "an entry exceeds the map's rows"};
    }
    if (const problem found = validate_all_keys(batches, queries, keys)) return found;
    for (std::size_t b = 0; causal() && b < (ragged() ? batches : 1); ++b) {
      if (offset(b) > keys || rows(b, queries) > keys - offset(b)) {
        return {query_offsets.empty() ? "visible.query_offset" : "visible.query_offsets",
                "query_offset + queries exceeds keys: each row's own key is one of the keys"};
      }
    }
    for (const std::size_t key : first_key) {
      if (key > keys) return {"visible.first_key", "an entry exceeds keys"};
    }
    return {};
  }

 private:
  [[nodiscard]] constexpr std::size_t all_keys_of(std::size_t batch) const noexcept {
    return key_counts.empty() ? all_keys : key_counts[batch];
  }
  [[nodiscard]] constexpr problem validate_all_keys(std::size_t batches, std::size_t queries,
                                                    std::size_t keys) const noexcept {
    if (causal()) return {};
    if (window != 0) return {"visible.window", "needs causal rows: all_keys and key_counts stay away"};
    if (!key_counts.empty() && all_keys != 0)
      return {"visible.all_keys", "must stay 0 where key_counts say it for each entry"};
    constexpr std::size_t most = std::numeric_limits<std::size_t>::max();
    for (std::size_t b = 0; b < batches; ++b) {
      if (all_keys_of(b) == 0 || all_keys_of(b) > keys) {
        return {key_counts.empty() ? "visible.all_keys" : "visible.key_counts",
                "must be 1 or more and at most keys; an entry without rows has a query_counts of 0"};
      }
      if (offset(b) > most - queries) return {"visible.query_offset", "is out of range"};
    }
    return {};
  }
};

/// A map that may be written (`T` not const) or only read (`const T`); see attention_view. Strides in
/// elements. Row (b, h, i) is the `keys` elements from data + b * batch_stride + h * head_stride + i *
/// query_stride.
template <class T>
struct attention_span {
  T* data = nullptr;             ///< element [0, 0, 0, 0]; null in an empty map
  std::size_t batches = 0;       ///< batch entries
  std::size_t heads = 0;         ///< heads, H
  std::size_t queries = 0;       ///< rows of a head
  std::size_t keys = 0;          ///< elements of a row
  std::size_t batch_stride = 0;  ///< from a batch entry to the next
  std::size_t head_stride = 0;   ///< from a head to the next
  std::size_t query_stride = 0;  ///< from a row to the next
  visibility visible = {};       ///< what each row sees

  /// A contiguous row-major map of batches x heads x queries x keys elements.
  /// @param data its first element
  /// @param batches,heads,queries,keys the four extents
  /// @param visible what each row sees
  /// @return the map; owns nothing
  [[nodiscard]] static constexpr attention_span packed(T* data, std::size_t batches, std::size_t heads,
                                                       std::size_t queries, std::size_t keys,
                                                       visibility visible = {}) noexcept {
    return {data, batches, heads, queries, keys, heads * queries * keys, queries * keys, keys, visible};
  }

  /// @param batch,head,query which row
  /// @return its first element, that of key 0
  [[nodiscard]] constexpr T* row(std::size_t batch, std::size_t head, std::size_t query) const noexcept {
    return data + (batch * batch_stride + head * head_stride + query * query_stride);
  }

  /// @param batch a batch entry
  /// @return its real rows, as a map of one batch entry
  [[nodiscard]] constexpr attention_span entry(std::size_t batch) const noexcept {
    return {data + batch * batch_stride,
            1,
            heads,
            visible.rows(batch, queries),
            keys,
            batch_stride,
            head_stride,
            query_stride,
            visible.entry(batch)};
  }

  /// @return whether an extent is 0
  [[nodiscard]] constexpr bool empty() const noexcept {
    return batches == 0 || heads == 0 || queries == 0 || keys == 0;
  }

  /// A span reads as a view.
  /// @return the same map, read-only
  constexpr operator attention_span<const T>() const noexcept requires(!std::is_const_v<T>) {
    return {data, batches, heads, queries, keys, batch_stride, head_stride, query_stride, visible};
  }

  /// What is wrong with the shape, if anything. Rows must not overlap: the three outer axes, in some order of
  /// nesting, keep them apart (any transposition or padding of a packed map does). Reads no element.
  /// @return the member that is wrong and how to mend it; false when nothing is
  [[nodiscard]] constexpr problem validate() const noexcept {
    if (empty()) return visible.validate_sizes(batches);
    if (data == nullptr) return {"data", "is null, but the map isn't empty"};
    constexpr std::size_t limit = std::numeric_limits<std::size_t>::max() / sizeof(T);
    if (const problem found = visible.validate(batches, queries, keys)) return found;
    struct axis {
      std::size_t stride, extent;
      std::string_view name;
    };
    std::array<axis, 3> axes{axis{query_stride, queries, "query_stride"},
                             axis{head_stride, heads, "head_stride"},
                             axis{batch_stride, batches, "batch_stride"}};
    std::sort(axes.begin(), axes.end(), [](const axis& a, const axis& b) { return a.stride < b.stride; });
    std::size_t extent = keys;  // elements that the axes so far span
    for (const axis& outer : axes) {
      if (outer.extent == 1) continue;
      if (outer.stride < extent) return {outer.name, "is too small: rows of the map would overlap"};
      if (outer.stride > limit / outer.extent)
        return {outer.name, "is too large: the map exceeds the address space"};
      extent += outer.stride * (outer.extent - 1);
      if (extent > limit) return {outer.name, "is too large: the map exceeds the address space"};
    }
    return {};
  }
};

/// The read-only form.
template <class T>
using attention_view = attention_span<const T>;

}  // namespace act::inline ACT_ABI
