// Legal moves of chess: found as sets of squares, and listed as actions.
#pragma once

#include "chess_board.hpp"

namespace chess {

// Finds the legal moves of a position and hands them, sets of target squares at a time, to the class that derives from
// it, which has
//     piece(square, targets)            moves of one piece or pawn, without promotion; there may be none
//     king(targets)                     steps of the king, some of which `safe` may refuse
//     pawns(targets, direction, files)  of pawns by one rank and `files` files, which promote on the last rank
//     jumps(targets)                    of pawns by two ranks
template <class Taker>
class MoveFinder {
 public:
  bool in_check() const { return checkers_ != 0; }

 protected:
  explicit MoveFinder(const Position& position)
      : position_(position),
        own_(position.own),
        all_(position.all()),
        theirs_(all_ ^ own_),
        king_(position.king()),
        checkers_(attackers(position, king_, all_, theirs_)) {}

  void find() {
    taker().king(kGeometry.king[king_] & ~own_);
    if (checkers_ == 0) castle();
    else if (!std::has_single_bit(checkers_)) return;
    const Bits allowed = checkers_ == 0 ? ~Bits{0} : checkers_ | kGeometry.between[king_][std::countr_zero(checkers_)];
    const Bits pinned = pins(), free = own_ & ~pinned;
    move_pawns(free & position_.kinds[kPawn], allowed);
    each(pinned & position_.kinds[kPawn],
         [&](int square) { move_pawns(bit(square), allowed & kGeometry.line[king_][square]); });
    take_en_passant();
    each(free & position_.kinds[kKnight],
         [&](int square) { taker().piece(square, kGeometry.knight[square] & allowed & ~own_); });
    slide(own_ & (position_.kinds[kRook] | position_.kinds[kQueen]), rook_attacks, pinned, allowed & ~own_);
    slide(own_ & (position_.kinds[kBishop] | position_.kinds[kQueen]), bishop_attacks, pinned, allowed & ~own_);
  }

  // Whether the king may stand there.
  bool safe(int square) const { return attackers(position_, square, all_ ^ bit(king_), theirs_) == 0; }

  const Position& position_;
  const Bits own_, all_, theirs_;
  const int king_;

 private:
  Taker& taker() { return static_cast<Taker&>(*this); }

  void slide(Bits pieces, Bits (*attacks)(int, Bits), Bits pinned, Bits allowed) {
    each(pieces, [&](int square) {
      const Bits line = pinned & bit(square) ? kGeometry.line[king_][square] : ~Bits{0};
      taker().piece(square, attacks(square, all_) & allowed & line);
    });
  }

  void castle() {
    if ((position_.castling & kOwnShort) && !(all_ & (bit(5) | bit(6))) && safe(5) && safe(6))
      taker().piece(king_, bit(6));
    if ((position_.castling & kOwnLong) && !(all_ & (bit(1) | bit(2) | bit(3))) && safe(3) && safe(2))
      taker().piece(king_, bit(2));
  }

  // Own pieces that alone stand between the king and a piece that would attack it.
  Bits pins() const {
    const Bits queens = position_.kinds[kQueen];
    const Bits snipers = theirs_ & ((kGeometry.rook_rays[king_] & (position_.kinds[kRook] | queens)) |
                                    (kGeometry.bishop_rays[king_] & (position_.kinds[kBishop] | queens)));
    Bits pinned = 0;
    each(snipers, [&](int square) {
      const Bits blockers = kGeometry.between[king_][square] & all_;
      if (std::has_single_bit(blockers)) pinned |= blockers & own_;
    });
    return pinned;
  }

  void move_pawns(Bits pawns, Bits allowed) {
    const Bits steps = pawns << 8 & ~all_;
    taker().jumps((steps & kRank3) << 8 & ~all_ & allowed);
    taker().pawns(steps & allowed, kNorth, 0);
    taker().pawns((pawns & ~kFileA) << 7 & theirs_ & allowed, kNorthWest, -1);
    taker().pawns((pawns & ~kFileH) << 9 & theirs_ & allowed, kNorthEast, 1);
  }

  void take_en_passant() {
    if (position_.en_passant == kNoFile) return;
    const int file = position_.en_passant;
    each(en_passant_pawns(position_, file), [&](int square) {
      if (may_take_en_passant(position_, square, file)) taker().piece(square, bit(40 + file));
    });
  }

  const Bits checkers_;
};

// For each plane of actions the squares that pieces leave.
class Moves : MoveFinder<Moves> {
 public:
  Bits from[kNumPlanes]{};

  explicit Moves(const Position& position) : MoveFinder(position) { find(); }

  bool any() const {
    Bits sum = 0;
    for (const Bits bits : from) sum |= bits;
    return sum != 0;
  }

 private:
  friend MoveFinder;

  void piece(int square, Bits targets) {
    each(targets, [&](int to) { from[kGeometry.plane[square][to]] |= bit(square); });
  }

  void king(Bits targets) {
    each(targets, [&](int to) {
      if (safe(to)) from[kGeometry.plane[king_][to]] |= bit(king_);
    });
  }

  void pawns(Bits targets, Direction direction, int files) {
    from[plane_of(direction, 1)] |= targets >> (8 + files);
    if (const Bits last = (targets & kRank8) >> (8 + files))
      for (int kind = 0; kind < 3; ++kind) from[kFirstUnderpromotion + 3 * (files + 1) + kind] |= last;
  }

  void jumps(Bits targets) { from[plane_of(kNorth, 2)] |= targets >> 16; }
};

constexpr int kMostMoves = 218;  // of any position with no more promoted pieces than missing pawns (Petrovic 1964)

// Legal actions in ascending order; returns how many.
inline int list_moves(const Position& position, std::int32_t* out) {
  const Moves moves(position);
  int count = 0;
  for (int plane = 0; plane < kNumPlanes; ++plane)
    each(turned(moves.from[plane]), [&](int cell) { out[count++] = 64 * plane + cell; });
  return count;
}

// Whether there is a legal move; mostly found without looking for all.
inline bool has_move(const Position& position) {
  if (!in_check(position)) {
    const int king = position.king();
    const Bits all = position.all();
    const Bits unpinned = position.own & ~(kGeometry.rook_rays[king] | kGeometry.bishop_rays[king]);
    if ((unpinned & position.kinds[kPawn]) << 8 & ~all) return true;
    for (Bits knights = unpinned & position.kinds[kKnight]; knights != 0; knights &= knights - 1)
      if (kGeometry.knight[std::countr_zero(knights)] & ~position.own) return true;
  }
  return Moves(position).any();
}

}  // namespace chess
