// What finished games have shown of the results of positions, for a search that meets positions by several ways.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

namespace rlplat {

// Of a result from the view of the player to move. Results are in [-1, 1].
struct Bounds {
  float lower = -1.0f, upper = 1.0f;
  bool meet() const { return lower == upper; }
  float clamp(float value) const { return std::min(std::max(value, lower), upper); }
  bool operator==(const Bounds&) const = default;
};

// Bounds by the hash of a position. Of a fixed size: a new entry may take the place of another.
class KnownResults {
 public:
  explicit KnownResults(std::size_t num_positions) : entries_(std::bit_ceil(num_positions)) {}

  Bounds find(std::uint64_t hash) const {
    const Entry& entry = entries_[hash & (entries_.size() - 1)];
    return entry.hash == hash && entry.era == era_ ? entry.bounds : Bounds{};
  }
  void insert(std::uint64_t hash, Bounds bounds) { entries_[hash & (entries_.size() - 1)] = {hash, era_, bounds}; }
  void clear() { ++era_; }

 private:
  struct Entry {
    std::uint64_t hash = 0;
    std::uint64_t era = 0;
    Bounds bounds;
  };
  std::vector<Entry> entries_;
  std::uint64_t era_ = 1;
};

}  // namespace rlplat
