// Who wins a position of Hex: a search that proves wins together with the cells that they need.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "rlplat/random.hpp"

// Boards of up to 7x7. A board is one word per player, bit `row * (size + 1) + column`: the column beyond the last one
// stays empty, so shifts do not wrap around. Any number of threads may call `mover_wins`.
class HexSolver {
 public:
  static constexpr int kLargest = 7;

  explicit HexSolver(int size)
      : size_(size), entries_(new std::atomic<std::uint64_t>[std::size_t{2} << kIndexBits] {}) {
    for (int i = 0; i < size; ++i) {
      edges_[0][0] |= bit(0, i);
      edges_[0][1] |= bit(size - 1, i);
      edges_[1][0] |= bit(i, 0);
      edges_[1][1] |= bit(i, size - 1);
      for (int j = 0; j < size; ++j) {
        all_ |= bit(i, j);
        const int rows = 2 * i - size + 1, columns = 2 * j - size + 1;
        from_centre_[index(bit(i, j))] = std::max({std::abs(rows), std::abs(columns), std::abs(rows + columns)});
      }
    }
  }

  std::uint64_t bit(int row, int column) const { return std::uint64_t{1} << (row * (size_ + 1) + column); }

  // `stones` of the player who connects top and bottom, and of the other. The game may not be over.
  bool mover_wins(std::uint64_t first, std::uint64_t second, int mover) const {
    const std::uint64_t stones[2] = {first, second};
    return explore(stones[mover], stones[1 - mover], mover).wins;
  }

 private:
  // The winner wins even if all empty cells outside the carrier belong to the loser.
  struct Proof {
    bool wins;  // the mover does
    std::uint64_t carrier;
  };

  // A losing move leaves its refutation's carrier: whatever lies outside it loses for the same reason, so only moves
  // inside all carriers found so far are tried ("must-play", Hayward, van Rijswijck 2006, "Hex and combinatorics").
  Proof explore(std::uint64_t mine, std::uint64_t theirs, int mover) const {
    const std::uint64_t empty = all_ & ~(mine | theirs);
    if (const std::uint64_t now = completing(mine, empty, mover); now != 0) return {true, now & -now};
    if (const std::uint64_t safe = bridged(mine, empty, mover); safe != 0) return {true, safe};
    if (const std::uint64_t safe = bridged(theirs, empty, 1 - mover); safe != 0) return {false, safe};
    const std::uint64_t threats = completing(theirs, empty, 1 - mover);
    if (const std::uint64_t pair = two_of(threats); pair != 0) return {false, pair};
    const std::uint64_t key = rlplat::hash_words(mine << 1 | static_cast<std::uint64_t>(mover), theirs);
    if (const Proof known = find(key); known.carrier != 0) return known;
    std::uint64_t candidates = threats != 0 ? threats : empty;
    Proof proof{false, threats};
    std::array<int, 64> remoteness = from_centre_;
    add_distances(mine, empty, mover, remoteness);
    add_distances(theirs, empty, 1 - mover, remoteness);
    while (candidates != 0) {
      const std::uint64_t stone = nearest(candidates, remoteness);
      const Proof reply = explore(theirs, mine | stone, 1 - mover);
      if (!reply.wins) {
        proof = {true, stone | reply.carrier};
        break;
      }
      candidates &= reply.carrier;
      proof.carrier |= reply.carrier;
    }
    put(key, proof);
    return proof;
  }

  std::uint64_t around(std::uint64_t cells) const {
    const int down = size_ + 1;
    return (cells << 1 | cells >> 1 | cells << down | cells >> down | cells << (down - 1) | cells >> (down - 1)) & all_;
  }

  // `cells` and what is linked with them over `stones`.
  std::uint64_t grown(std::uint64_t cells, std::uint64_t stones) const {
    for (;;) {
      const std::uint64_t more = cells | (around(cells) & stones);
      if (more == cells) return cells;
      cells = more;
    }
  }

  // Empty cells that link both edges of `player`.
  std::uint64_t completing(std::uint64_t stones, std::uint64_t empty, int player) const {
    std::uint64_t cells = empty;
    for (const std::uint64_t edge : edges_[player]) cells &= edge | around(grown(edge & stones, stones));
    return cells;
  }

  // The cells of bridges that link both edges of `player`, who need not move: of two cells between the same stones one
  // will do, and no two bridges share a cell. 0 if none such are found.
  std::uint64_t bridged(std::uint64_t stones, std::uint64_t empty, int player) const {
    const auto [first, last] = edges_[player];
    std::uint64_t linked = grown(first & stones, stones), used = 0;
    for (bool found = true; found;) {
      found = false;
      for (std::uint64_t rest = stones & ~linked; rest != 0;) {
        const std::uint64_t group = grown(rest & -rest, stones);
        rest &= ~group;
        const std::uint64_t pair = two_of(around(group) & (first | around(linked)) & empty & ~used);
        if (pair == 0) continue;
        used |= pair;
        linked |= group;
        found = true;
      }
    }
    if (linked & last) return used;
    const std::uint64_t pair = two_of(last & around(linked) & empty & ~used);
    return pair == 0 ? 0 : used | pair;
  }

  // Two of the cells, 0 if there is but one.
  static std::uint64_t two_of(std::uint64_t cells) {
    const std::uint64_t lowest = cells & -cells, rest = cells ^ lowest, next = rest & -rest;
    return next == 0 ? 0 : lowest | next;
  }

  // Adds to each empty cell how many stones link it with each edge of `player`: cells on short ways for both players
  // come first.
  void add_distances(std::uint64_t stones, std::uint64_t empty, int player, std::array<int, 64>& remoteness) const {
    for (const std::uint64_t edge : edges_[player]) {
      std::uint64_t linked = grown(edge & stones, stones), left = empty, front = edge & empty;
      front |= around(linked) & empty;
      for (int distance = 1; left != 0; ++distance) {
        if (front == 0) front = left;  // cut off by the other player
        for (std::uint64_t cells = front; cells != 0; cells &= cells - 1)
          remoteness[index(cells)] += kDistance * distance;
        left &= ~front;
        linked = grown(front, stones);
        front = around(linked) & left;
      }
    }
  }

  static std::uint64_t nearest(std::uint64_t candidates, const std::array<int, 64>& remoteness) {
    std::uint64_t best = candidates & -candidates;
    for (std::uint64_t rest = candidates; rest != 0; rest &= rest - 1)
      if (remoteness[index(rest)] < remoteness[index(best)]) best = rest & -rest;
    return best;
  }

  // An entry is two words, written and read without a lock: the proof, and the key combined with it, so that halves of
  // two entries do not pass for one (Hyatt and Mann 2002). A carrier is never empty, so neither is a proof's word.
  Proof find(std::uint64_t key) const {
    const std::atomic<std::uint64_t>* entry = &entries_[2 * (key >> (64 - kIndexBits))];
    const std::uint64_t proof = entry[1].load(std::memory_order_relaxed);
    if ((entry[0].load(std::memory_order_relaxed) ^ proof) != key) return {false, 0};
    return {(proof >> 63) != 0, proof & ~(std::uint64_t{1} << 63)};
  }

  void put(std::uint64_t key, const Proof& proof) const {
    std::atomic<std::uint64_t>* entry = &entries_[2 * (key >> (64 - kIndexBits))];
    const std::uint64_t word = proof.carrier | static_cast<std::uint64_t>(proof.wins) << 63;
    entry[0].store(key ^ word, std::memory_order_relaxed);
    entry[1].store(word, std::memory_order_relaxed);
  }

  static std::size_t index(std::uint64_t cells) { return static_cast<std::size_t>(std::countr_zero(cells)); }

  static constexpr int kIndexBits = 20;  // 16 MiB
  static constexpr int kDistance = 4;    // a stone more counts as much as half so many cells from the centre

  int size_;
  std::uint64_t all_ = 0;
  std::uint64_t edges_[2][2] = {};     // of each player
  std::array<int, 64> from_centre_{};  // twice the distance
  std::unique_ptr<std::atomic<std::uint64_t>[]> entries_;
};
