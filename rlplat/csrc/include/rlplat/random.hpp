// The one random generator of the project: SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number
// generators", OOPSLA 2014). Its whole state is one 64-bit word, so a game's generator is saved as one number.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>

namespace rlplat {

class Random {
 public:
  explicit Random(std::uint64_t state = 0) : state_(state) {}

  // An independent stream for each (seed, index).
  static Random stream(std::uint64_t seed, std::uint64_t index) {
    return Random(mix(mix(seed + kGamma) ^ (index * 0xD1B54A32D192ED03ull + 0x8CB92BA72F3D8DD7ull)));
  }

  std::uint64_t next() { return mix(state_ += kGamma); }

  // Uniform in [0, 1), 53 bits.
  double uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

  // Uniform in [0, bound), bound >= 1, by multiplication (Lemire 2019, without the rejection: the bias is below
  // bound / 2^32 and bounds here are action counts).
  std::uint32_t below(std::uint32_t bound) {
    return static_cast<std::uint32_t>(((next() >> 32) * static_cast<std::uint64_t>(bound)) >> 32);
  }

  // Standard normal (Box and Muller 1958, one of the pair).
  double normal() {
    const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
    return radius * std::cos(6.283185307179586 * uniform());
  }

  // Gamma(shape, 1) (Marsaglia and Tsang, "A simple method for generating gamma variables", 2000; shapes below one by
  // their boost: Gamma(a) = Gamma(a + 1) * U^(1/a)).
  double gamma(double shape) {
    if (shape < 1.0) {  // the order of the two draws is part of what a seed means
      const double boosted = gamma(shape + 1.0);
      return boosted * std::pow(1.0 - uniform(), 1.0 / shape);
    }
    const double d = shape - 1.0 / 3.0;
    const double c = 1.0 / std::sqrt(9.0 * d);
    for (;;) {
      const double x = normal();
      const double root = 1.0 + c * x;
      if (root <= 0.0) continue;
      const double v = root * root * root;
      if (std::log(1.0 - uniform()) < 0.5 * x * x + d - d * v + d * std::log(v)) return d * v;
    }
  }

  // Fills `out` with one draw of a symmetric Dirichlet distribution.
  void dirichlet(double alpha, std::span<float> out) {
    std::fill(out.begin(), out.end(), static_cast<float>(alpha));
    dirichlet(out);
  }

  // Replaces concentrations by one draw of their Dirichlet distribution.
  void dirichlet(std::span<float> out) {
    double sum = 0.0;
    for (float& value : out) sum += value = static_cast<float>(gamma(value));
    if (sum <= 0.0) {  // every gamma underflowed, which tiny alphas make possible: all mass on one entry
      out[below(static_cast<std::uint32_t>(out.size()))] = 1.0f;
      return;
    }
    for (float& value : out) value = static_cast<float>(value / sum);
  }

  std::uint64_t state() const { return state_; }

 private:
  static constexpr std::uint64_t kGamma = 0x9E3779B97F4A7C15ull;

  static std::uint64_t mix(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
  }

  std::uint64_t state_;
};

// A 64-bit finaliser for hashing positions that fit into a few words.
inline std::uint64_t hash_words(std::uint64_t a, std::uint64_t b) {
  return Random(a * 0x9E3779B97F4A7C15ull ^ Random(b).next()).next();
}

}  // namespace rlplat
