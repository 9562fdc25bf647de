// Random moves of chess, drawn without listing all of them.
#pragma once

#include <optional>

#include "chess_moves.hpp"
#include "rlplat/random.hpp"

namespace chess {

// Draws among the legal moves, each as likely as any other. Whether the king may make a step is looked at only once it
// is drawn: one that may not is taken out, and the draw repeated.
class RandomMove : MoveFinder<RandomMove> {
 public:
  explicit RandomMove(const Position& position) : MoveFinder(position) { find(); }
  using MoveFinder::in_check;

  // Nothing where there is no legal move.
  std::optional<Move> draw(rlplat::Random& random) {
    while (num_moves_ > 0) {
      int index = static_cast<int>(random.below(static_cast<std::uint32_t>(num_moves_)));
      Group* group = groups_;
      for (; index >= group->num_moves; ++group) index -= group->num_moves;
      const int kind = group->promotes ? kKnight + index % 4 : kPawn;
      Bits rest = group->targets;
      for (int skipped = group->promotes ? index / 4 : index; skipped > 0; --skipped) rest &= rest - 1;
      const int to = std::countr_zero(rest);
      const int from = group->is_pawns ? to - group->from : group->from;
      if (group == groups_ && !safe(to)) {  // the king's
        group->targets ^= bit(to);
        --group->num_moves;
        --num_moves_;
        continue;
      }
      return Move(from, to, group->is_pawns ? kPawn : position_.kind_at(from), static_cast<Kind>(kind));
    }
    return std::nullopt;
  }

 private:
  friend MoveFinder;

  // Moves of one piece from a square, or of several pawns that all move alike.
  struct Group {
    Bits targets;
    int from;  // the square; of pawns what lies between it and the target
    int num_moves;
    bool is_pawns, promotes;
  };
  // One for the king and for each of 15 pieces and pawns, twice for queens, and for pawns: seven that are free, and
  // seven of each that is pinned; two of castling and two en passant.
  static constexpr int kMostGroups = 1 + 2 * 15 + 7 * 9 + 4;

  void add(Bits targets, int from, bool is_pawns, bool promotes) {
    const int count = std::popcount(targets) * (promotes ? 4 : 1);
    groups_[num_groups_++] = {targets, from, count, is_pawns, promotes};
    num_moves_ += count;
  }

  void king(Bits targets) { add(targets, king_, false, false); }  // always the first
  void piece(int square, Bits targets) {
    if (targets != 0) add(targets, square, false, false);
  }
  void pawns(Bits targets, Direction, int files) {
    if (targets & ~kRank8) add(targets & ~kRank8, 8 + files, true, false);
    if (targets & kRank8) add(targets & kRank8, 8 + files, true, true);
  }
  void jumps(Bits targets) {
    if (targets != 0) add(targets, 16, true, false);
  }

  int num_groups_ = 0, num_moves_ = 0;
  Group groups_[kMostGroups];
};

}  // namespace chess
