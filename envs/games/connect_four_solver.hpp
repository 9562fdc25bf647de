// The exact score of any position of Connect Four: alpha-beta search on bitboards.
//
// A score is 0 for a draw; otherwise one more than the stones that the winner has left when the line is complete (on
// the 6x7 board 22 less the winner's stones), positive if the player to move wins. So the fastest win scores highest.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdint>
#include <memory>

#include "connect_four_lines.hpp"
#include "score_table.hpp"

// Solves positions of boards with columns * (rows + 1) <= 64, for lines of any length. Here a column has one bit more
// than rows, so that `mover + stones` is different for any two positions: the key of the table. Any number of threads
// may call `solve`.
class ConnectFourSolver {
 public:
  ConnectFourSolver(int rows, int columns, int line)
      : rows_(rows), columns_(columns), stride_(rows + 1), lines_(rows, columns, line, rows + 1) {
    for (int column = 0; column < columns; ++column) {
      const std::uint64_t mask = ((std::uint64_t{1} << rows) - 1) << (column * stride_);
      bottoms_ |= std::uint64_t{1} << (column * stride_);
      all_ |= mask;
      // From the sides to the middle: of equally good moves, those of the middle come to stand last and are tried
      // first.
      const int place = column < columns / 2 ? 2 * column : 2 * (columns - 1 - column) + 1;
      by_place_[place < columns ? place : columns - 1] = mask;
    }
  }

  // `mover` and `other`: the stones of both sides, bit `column * rows + row`. The game may not be over.
  int solve(std::uint64_t mover, std::uint64_t other) const {
    mover = spread(mover);
    const std::uint64_t stones = mover | spread(other);
    const int empty = rows_ * columns_ - std::popcount(stones);
    if (lines_.completing(mover) & reachable(stones)) return (empty + 1) / 2;
    Search search{solutions_.fetch_add(1, std::memory_order_relaxed), 0};
    // Each round asks whether the score is above the middle of what is still possible. While both signs are, the
    // question lies nearer to a draw: it is the cheaper one, and most scores are small.
    int low = -(empty / 2), high = (empty - 1) / 2;
    while (low < high) {
      int middle = low + (high - low) / 2;
      if (middle <= 0 && low / 2 < middle) middle = low / 2;
      else if (middle >= 0 && high / 2 > middle) middle = high / 2;
      const int bound = explore(search, mover, stones, empty, middle + 1);
      if (bound > middle) low = bound;
      else high = bound;
    }
    return low;
  }

 private:
  struct Search {
    unsigned number;
    std::uint64_t num_nodes;
  };

  // Is the score at least `beta`? Returns a lower bound of it that is, or an upper bound that is not. The mover has no
  // stone that wins at once.
  int explore(Search& search, std::uint64_t mover, std::uint64_t stones, int empty, int beta) const {
    ++search.num_nodes;
    const std::uint64_t other = mover ^ stones, threats = lines_.completing(other) & ~stones;
    std::uint64_t moves = reachable(stones);
    if (const std::uint64_t forced = moves & threats; forced != 0) {
      if (!std::has_single_bit(forced)) return -(empty / 2);  // two threats cannot both be met
      moves = forced;
    }
    moves &= ~(threats >> 1);  // a stone below a threat lets it happen
    if (moves == 0) return -(empty / 2);
    if (empty <= 2) return 0;
    // Nobody wins with the next stone.
    const int low = -((empty - 2) / 2), high = (empty - 1) / 2;
    if (low >= beta) return low;
    if (high < beta) return high;
    const std::uint64_t key = canonical(mover + stones, empty);
    ScoreTable::Bounds bounds = table_.find(key, {low, high});
    if (bounds.low >= beta) return bounds.low;
    if (bounds.high < beta) return bounds.high;
    if (empty > kFewEmpty)
      for (std::uint64_t left = moves; left != 0; left &= left - 1) {
        const std::uint64_t after = stones | (left & -left);
        const int known = -table_.find(canonical(other + after, empty - 1), {-kUnknown, kUnknown}).high;
        if (known >= beta) return known;
      }
    Candidate candidates[8];
    int count = order(mover, stones, moves, candidates);
    const std::uint64_t nodes_before = search.num_nodes;
    int best = -kUnknown;
    while (count > 0 && best < beta)
      best = std::max(best, -explore(search, other, stones | candidates[--count].stone, empty - 1, 1 - beta));
    best = std::min(best, bounds.high);
    (best >= beta ? bounds.low : bounds.high) = best;
    table_.put(key, bounds, search.num_nodes - nodes_before + 1, search.number);
    return best;
  }

  struct Candidate {
    std::uint64_t stone;
    int threats;
  };

  // The moves, the one that leaves most winning cells open last.
  int order(std::uint64_t mover, std::uint64_t stones, std::uint64_t moves, Candidate* out) const {
    int count = 0;
    for (int place = 0; place < columns_; ++place) {
      const std::uint64_t stone = moves & by_place_[place];
      if (stone == 0) continue;
      const int threats = std::popcount(lines_.completing(mover | stone) & ~(stones | stone));
      int at = count++;
      for (; at > 0 && out[at - 1].threats > threats; --at) out[at] = out[at - 1];
      out[at] = {stone, threats};
    }
    return count;
  }

  // Where the next stone of each column comes to lie.
  std::uint64_t reachable(std::uint64_t stones) const { return (stones + bottoms_) & all_; }

  // One key for a position and its mirror image, except near the end, where making it costs more than it saves.
  std::uint64_t canonical(std::uint64_t key, int empty) const {
    if (empty <= kMirrorEmpty) return key;
    std::uint64_t mirrored = 0;
    for (std::uint64_t rest = key, column = 0; column < static_cast<std::uint64_t>(columns_); ++column) {
      mirrored = mirrored << stride_ | (rest & ((std::uint64_t{1} << stride_) - 1));
      rest >>= stride_;
    }
    return std::min(key, mirrored);
  }

  std::uint64_t spread(std::uint64_t stones) const {
    std::uint64_t out = 0;
    for (int column = 0; column < columns_; ++column)
      out |= (stones >> (column * rows_) & ((std::uint64_t{1} << rows_) - 1)) << (column * stride_);
    return out;
  }

  // With so few empty cells, looking for the answers to all moves in the table first costs more than it saves.
  static constexpr int kFewEmpty = 10, kMirrorEmpty = 23, kUnknown = 63;

  int rows_, columns_, stride_;
  Lines lines_;
  std::uint64_t all_ = 0, bottoms_ = 0;
  std::uint64_t by_place_[8] = {};
  mutable ScoreTable table_;
  mutable std::atomic<unsigned> solutions_{1};
};
