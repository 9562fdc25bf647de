// What solvers of games know of positions: bounds on their scores, in a table that any number of threads share.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdint>
#include <memory>

// Bounds from -64 to 63 by a key: one that differs between any two positions, or a good hash. 64 MiB, whatever is
// solved. Any number of threads may read and write without a lock: an entry is one word, and every bound is true for
// good.
class ScoreTable {
 public:
  struct Bounds {
    int low, high;
  };

  ScoreTable() : words_(new std::atomic<std::uint64_t>[std::size_t{2} << kIndexBits] {}) {}

  Bounds find(std::uint64_t key, Bounds otherwise) const {
    const std::uint64_t mixed = key * kMultiplier;
    const std::atomic<std::uint64_t>* pair = &words_[2 * (mixed >> (64 - kIndexBits))];
    for (int i = 0; i < 2; ++i) {
      const std::uint64_t word = pair[i].load(std::memory_order_relaxed);
      if (same_tag(word, mixed) && word != 0)
        return {static_cast<int>(word >> 7 & 127) - kOffset, static_cast<int>(word & 127) - kOffset};
    }
    return otherwise;
  }

  // `work`: nodes that the bounds took. Of a pair, the first place keeps what took most in the same solution, the
  // second what came last.
  void put(std::uint64_t key, Bounds bounds, std::uint64_t work, unsigned solution) {
    const std::uint64_t mixed = key * kMultiplier;
    std::atomic<std::uint64_t>* pair = &words_[2 * (mixed >> (64 - kIndexBits))];
    const std::uint64_t effort = std::min<std::uint64_t>(static_cast<std::uint64_t>(std::bit_width(work)), 31);
    const std::uint64_t word = mixed << kIndexBits | std::uint64_t{solution & 7} << 19 | effort << 14 |
                               static_cast<std::uint64_t>(bounds.low + kOffset) << 7 |
                               static_cast<std::uint64_t>(bounds.high + kOffset);
    const std::uint64_t old = pair[0].load(std::memory_order_relaxed);
    const bool same = same_tag(old, mixed);
    if (same || (old >> 19 & 7) != (solution & 7) || (old >> 14 & 31) <= effort) {
      if (!same) pair[1].store(old, std::memory_order_relaxed);
      pair[0].store(word, std::memory_order_relaxed);
    } else {
      pair[1].store(word, std::memory_order_relaxed);
    }
  }

 private:
  // An odd multiplier permutes the words, so the upper bits of the product choose the pair and the lower ones, kept in
  // the entry, tell all keys of that pair apart. Entry: 42 bits tag, 3 solution, 5 effort, 7 low, 7 high.
  static constexpr int kIndexBits = 22, kOffset = 64;
  static constexpr std::uint64_t kMultiplier = 0x9E3779B97F4A7C15ull;
  static bool same_tag(std::uint64_t word, std::uint64_t mixed) {
    return ((word ^ mixed << kIndexBits) & ~((std::uint64_t{1} << kIndexBits) - 1)) == 0;
  }

  std::unique_ptr<std::atomic<std::uint64_t>[]> words_;
};
