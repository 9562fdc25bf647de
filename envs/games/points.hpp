// Sets of points of a board as bits.
#pragma once

#include <bit>
#include <cstdint>

// Points of a board are the bits of `Words` 64-bit words, in an order that the game chooses.
template <int Words>
struct Points {
  std::uint64_t words[Words];

  static Points none() { return Points{}; }
  static Points one(int bit) {
    Points out{};
    out.add(bit);
    return out;
  }

  bool has(int bit) const { return words[bit >> 6] >> (bit & 63) & 1; }
  void add(int bit) { words[bit >> 6] |= std::uint64_t{1} << (bit & 63); }
  bool any() const {
    std::uint64_t all = 0;
    for (int w = 0; w < Words; ++w) all |= words[w];
    return all != 0;
  }
  int count() const {
    int sum = 0;
    for (int w = 0; w < Words; ++w) sum += std::popcount(words[w]);
    return sum;
  }
  int first() const {
    for (int w = 0; w < Words; ++w)
      if (words[w] != 0) return 64 * w + std::countr_zero(words[w]);
    return -1;
  }
  // The bit of number `index`, counted from 0.
  int number(int index) const {
    int w = 0;
    for (int count = std::popcount(words[0]); index >= count; count = std::popcount(words[++w])) index -= count;
    std::uint64_t rest = words[w];
    while (index-- > 0) rest &= rest - 1;
    return 64 * w + std::countr_zero(rest);
  }
  // In ascending order.
  template <class Visit>
  void each(Visit visit) const {
    for (int w = 0; w < Words; ++w)
      for (std::uint64_t rest = words[w]; rest != 0; rest &= rest - 1) visit(64 * w + std::countr_zero(rest));
  }

  // Writes them to `out` in ascending order; returns how many there are.
  int list(std::int32_t* out) const {
    int count = 0;
    each([&](int bit) { out[count++] = bit; });
    return count;
  }

  Points up(int by) const {  // by < 64
    Points out;
    out.words[0] = words[0] << by;
    for (int w = 1; w < Words; ++w) out.words[w] = words[w] << by | words[w - 1] >> (64 - by);
    return out;
  }
  Points down(int by) const {
    Points out;
    for (int w = 0; w + 1 < Words; ++w) out.words[w] = words[w] >> by | words[w + 1] << (64 - by);
    out.words[Words - 1] = words[Words - 1] >> by;
    return out;
  }

  Points& operator|=(const Points& other) {
    for (int w = 0; w < Words; ++w) words[w] |= other.words[w];
    return *this;
  }
  Points& operator&=(const Points& other) {
    for (int w = 0; w < Words; ++w) words[w] &= other.words[w];
    return *this;
  }
  friend Points operator|(Points a, const Points& b) { return a |= b; }
  friend Points operator&(Points a, const Points& b) { return a &= b; }
  friend Points operator^(Points a, const Points& b) {
    for (int w = 0; w < Words; ++w) a.words[w] ^= b.words[w];
    return a;
  }
  Points without(const Points& other) const {
    Points out = *this;
    for (int w = 0; w < Words; ++w) out.words[w] &= ~other.words[w];
    return out;
  }
  friend bool operator==(const Points&, const Points&) = default;
};
