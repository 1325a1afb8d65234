#include <act/statistics/student_t.hpp>

#include <cmath>

namespace act::statistics {

namespace {

// The continued fraction of the incomplete beta function, evaluated from its front (Lentz's method); it
// converges fast for x < (a + 1) / (a + b + 2).
double beta_fraction(double a, double b, double x) noexcept {
  constexpr double tiny = 1e-300;
  const auto away_from_zero = [](double value) { return std::fabs(value) < tiny ? tiny : value; };
  double c = 1;
  double d = 1 / away_from_zero(1 - (a + b) * x / (a + 1));
  double fraction = d;
  for (int step = 1; step < 10000; ++step) {
    const double m = step;
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away_from_zero(1 + even * d);
    c = away_from_zero(1 + even / c);
    fraction *= d * c;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away_from_zero(1 + odd * d);
    c = away_from_zero(1 + odd / c);
    fraction *= d * c;
    if (std::fabs(d * c - 1) < 1e-15) break;
  }
  return fraction;
}

// I_x(a, b), with y = 1 - x given apart: it may be far smaller than x's rounding.
double regularised_beta(double a, double b, double x, double y) noexcept {
  if (x <= 0) return 0;
  if (y <= 0) return 1;
  const double front =
      std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) + a * std::log(x) + b * std::log(y));
  if (x < (a + 1) / (a + b + 2)) return front * beta_fraction(a, b, x) / a;
  return 1 - front * beta_fraction(b, a, y) / b;
}

}  // namespace

double student_t_upper_tail(double t, double freedom) noexcept {
  if (std::isinf(t)) return t > 0 ? 0 : 1;
  const double scale = freedom + t * t;
  const double half = regularised_beta(freedom / 2, 0.5, freedom / scale, t * t / scale) / 2;
  return t >= 0 ? half : 1 - half;
}

}  // namespace act::statistics
