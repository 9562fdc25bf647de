// The exact score of endings of Othello: alpha-beta search with a table of bounds.
//
// A score is half the difference of discs at the end from the view of the player to move, where the winner also gets
// the cells that stay empty (so it is whole): 0 for a draw, half the cells of the board for a wipe-out.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>

#include "othello_board.hpp"
#include "rlplat/random.hpp"
#include "score_table.hpp"

// Any number of threads may call `solve`.
class OthelloSolver {
 public:
  OthelloSolver(const OthelloBoard& board, int size) : board_(board), half_(size * size / 2) {
    for (int row = 0; row < size; ++row)
      for (int column = 0; column < size; ++column)
        quadrants_[(2 * row >= size) * 2 + (2 * column >= size)] |= OthelloBoard::bit(row, column);
    const int last = size - 1;
    corners_ = OthelloBoard::bit(0, 0) | OthelloBoard::bit(0, last) | OthelloBoard::bit(last, 0) |
               OthelloBoard::bit(last, last);
  }

  int solve(std::uint64_t mover, std::uint64_t other) const {
    Search search{solutions_.fetch_add(1, std::memory_order_relaxed), 0};
    // Each round asks whether the score is at least the bound that the last one left open, first whether anyone wins.
    int low = -half_, high = half_, beta = 1;
    while (low < high) {
      const int bound = explore(search, mover, other, board_.moves(mover, other), beta);
      (bound >= beta ? low : high) = bound;
      beta = std::max(bound, low + 1);
    }
    return low;
  }

 private:
  struct Search {
    unsigned number;
    std::uint64_t num_nodes;
  };

  // Is the score at least `beta`? Returns a lower bound of it that is, or an upper bound that is not.
  int explore(Search& search, std::uint64_t mover, std::uint64_t other, std::uint64_t moves, int beta) const {
    ++search.num_nodes;
    if (moves == 0) {
      const std::uint64_t replies = board_.moves(other, mover);
      return replies == 0 ? final_score(mover, other) : -explore(search, other, mover, replies, 1 - beta);
    }
    const std::uint64_t empty = board_.all() & ~(mover | other);
    return std::popcount(empty) <= kFewEmpty ? explore_few(search, mover, other, moves, empty, beta)
                                             : explore_many(search, mover, other, moves, beta);
  }

  // Where little is left, moves in regions with an odd number of empty cells come first: they tend to give the last
  // move there to the mover.
  int explore_few(Search& search, std::uint64_t mover, std::uint64_t other, std::uint64_t moves, std::uint64_t empty,
                  int beta) const {
    std::uint64_t odd = 0;
    for (const std::uint64_t quadrant : quadrants_)
      if (std::popcount(empty & quadrant) & 1) odd |= quadrant;
    int best = -kUnknown;
    for (std::uint64_t group : {moves & odd, moves & ~odd})
      for (; group != 0; group &= group - 1) {
        const After after = play(mover, other, group & -group);
        best = std::max(best, -explore(search, after.mover, after.other, after.moves, 1 - beta));
        if (best >= beta) return best;
      }
    return best;
  }

  int explore_many(Search& search, std::uint64_t mover, std::uint64_t other, std::uint64_t moves, int beta) const {
    const std::uint64_t key = rlplat::hash_words(mover, other);
    ScoreTable::Bounds bounds = table_.find(key, {-half_, half_});
    if (bounds.low >= beta) return bounds.low;
    if (bounds.high < beta) return bounds.high;
    After candidates[kMostMoves];
    int count = 0;
    for (; moves != 0; moves &= moves - 1) {
      const std::uint64_t disc = moves & -moves;
      const After after = play(mover, other, disc);
      int at = count++;
      for (; at > 0 && candidates[at - 1].order > after.order; --at) candidates[at] = candidates[at - 1];
      candidates[at] = after;
    }
    const std::uint64_t nodes_before = search.num_nodes;
    int best = -kUnknown;
    for (int i = 0; i < count && best < beta; ++i) {
      const After& after = candidates[i];
      best = std::max(best, -explore(search, after.mover, after.other, after.moves, 1 - beta));
    }
    best = std::min(best, bounds.high);
    (best >= beta ? bounds.low : bounds.high) = best;
    table_.put(key, bounds, search.num_nodes - nodes_before + 1, search.number);
    return best;
  }

  // A position after a move, from the view of who moves then.
  struct After {
    std::uint64_t mover, other, moves;
    int order;  // small if it leaves the opponent few moves, corners counted twice
  };

  After play(std::uint64_t mover, std::uint64_t other, std::uint64_t disc) const {
    const std::uint64_t flips = board_.flips(mover, other, disc);
    After after{other & ~flips, mover | flips | disc, 0, 0};
    after.moves = board_.moves(after.mover, after.other);
    after.order = std::popcount(after.moves) + std::popcount(after.moves & corners_) - 2 * ((disc & corners_) != 0);
    return after;
  }

  int final_score(std::uint64_t mover, std::uint64_t other) const {
    const int mine = std::popcount(mover), theirs = std::popcount(other);
    return mine > theirs ? half_ - theirs : mine < theirs ? mine - half_ : 0;
  }

  static constexpr int kFewEmpty = 6, kUnknown = 63;
  static constexpr int kMostMoves = 60;  // cells that can ever be played on

  OthelloBoard board_;
  int half_;
  std::uint64_t quadrants_[4] = {}, corners_ = 0;
  mutable ScoreTable table_;
  mutable std::atomic<unsigned> solutions_{1};
};
