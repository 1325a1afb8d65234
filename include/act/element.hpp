// Which types an attention map may hold, and how its elements are read, accumulated and written.
// A door for other storage types: specialise act::element_traits for yours and every call of the core takes
// it. Not arithmetic: the library computes in `accumulator`, never in the storage type.
#pragma once

#include <act/version.hpp>

#include <concepts>
#include <type_traits>

namespace act::inline ACT_ABI {

/// Customisation point. A specialisation gives
///   using accumulator = float or double;                    what one element is computed in, at least float
///   static accumulator load(const T&) noexcept;              exact
///   static T store(accumulator) noexcept;                    rounded to nearest even
/// T has a default constructor, whose value doesn't matter: the kernels make short arrays of it.
template <class T>
struct element_traits;

/// float, computed in float.
template <>
struct element_traits<float> {
  using accumulator = float;  ///< what one element is computed in
  /// @param stored an element
  /// @return its value
  static constexpr float load(float stored) noexcept { return stored; }
  /// @param value a result
  /// @return the element that holds it
  static constexpr float store(float value) noexcept { return value; }
};

/// double, computed in double.
template <>
struct element_traits<double> {
  using accumulator = double;  ///< what one element is computed in
  /// @param stored an element
  /// @return its value
  static constexpr double load(double stored) noexcept { return stored; }
  /// @param value a result
  /// @return the element that holds it
  static constexpr double store(double value) noexcept { return value; }
};

/// A type (const or not) that element_traits knows.
template <class T>
concept attention_element = std::default_initializable<std::remove_const_t<T>> &&
    requires(const std::remove_const_t<T>& stored) {
  typename element_traits<std::remove_const_t<T>>::accumulator;
  { element_traits<std::remove_const_t<T>>::load(stored) }
  noexcept->std::floating_point;
};

/// The type that elements of `T` are computed in.
template <attention_element T>
using accumulator_t = typename element_traits<std::remove_const_t<T>>::accumulator;

/// Element types of one call: outputs of `T`, queries of `Q`, a cache of `C` (const or not), each of which is
/// computed in the same type: float outputs and queries beside a cache of halves, but nothing beside double.
template <class T, class Q, class C>
concept attention_elements = attention_element<T> && attention_element<Q> && attention_element<C> &&
    std::is_same_v<accumulator_t<T>, accumulator_t<Q>> && std::is_same_v<accumulator_t<T>, accumulator_t<C>>;

}  // namespace act::inline ACT_ABI
