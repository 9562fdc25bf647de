// Chess positions as bits, and what moves do to them. Everything is seen by the player to move: bit
// `rank * 8 + file`, where ranks are counted from that player's side, so that own pawns always go up, and a move ends
// with the board turned around.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstdlib>

namespace chess {

using Bits = std::uint64_t;

enum Kind { kPawn, kKnight, kBishop, kRook, kQueen, kKing, kNumKinds };

constexpr Bits bit(int square) { return Bits{1} << square; }
constexpr Bits kFileA = 0x0101010101010101, kFileH = kFileA << 7, kRank3 = Bits{0xFF} << 16, kRank8 = Bits{0xFF} << 56;
constexpr Bits turned(Bits bits) { return __builtin_bswap64(bits); }
template <class Visit>
void each(Bits bits, Visit visit) {
  for (; bits != 0; bits &= bits - 1) visit(std::countr_zero(bits));
}

enum Castling : std::uint8_t { kOwnShort = 1, kOwnLong = 2, kOtherShort = 4, kOtherLong = 8 };
constexpr std::uint8_t kNoFile = 8;

struct Position {
  Bits kinds[kNumKinds];  // of both sides
  Bits own;
  std::uint16_t ply;   // of the game: even for White
  std::uint8_t clock;  // plies since the last capture or pawn move
  std::uint8_t castling;
  std::uint8_t en_passant;  // file where a pawn can legally be taken so, or kNoFile
  std::uint8_t gap[3];

  Bits all() const { return kinds[0] | kinds[1] | kinds[2] | kinds[3] | kinds[4] | kinds[5]; }
  Bits other() const { return all() ^ own; }
  int king() const { return std::countr_zero(kinds[kKing] & own); }
  Kind kind_at(int square) const {
    int kind = 0;
    while (!(kinds[kind] & bit(square))) ++kind;
    return static_cast<Kind>(kind);
  }
  // Same pieces, same rights, same player's turn (if an even number of plies lies in between).
  bool repeats(const Position& before) const {
    return own == before.own && kinds[0] == before.kinds[0] && kinds[1] == before.kinds[1] &&
           kinds[2] == before.kinds[2] && kinds[3] == before.kinds[3] && kinds[4] == before.kinds[4] &&
           kinds[5] == before.kinds[5] && castling == before.castling && en_passant == before.en_passant;
  }
  // Seen by the other player.
  void turn() {
    own = turned(other());
    for (Bits& bits : kinds) bits = turned(bits);
    castling = static_cast<std::uint8_t>((castling << 2 | castling >> 2) & 15);
  }
};

// Actions are those of the AlphaZero paper: 73 planes of 64 squares that a piece leaves. Planes 0-55 are moves of a
// queen (8 directions by 7 distances; a pawn that gets to the last rank becomes a queen), 56-63 of a knight, 64-72 of a
// pawn that becomes a knight, bishop or rook (to the left, ahead, to the right). Castling is a king's move by two
// squares.
constexpr int kNumPlanes = 73, kFirstKnight = 56, kFirstUnderpromotion = 64;
enum Direction { kNorth, kNorthEast, kEast, kSouthEast, kSouth, kSouthWest, kWest, kNorthWest };
constexpr int kFileSteps[] = {0, 1, 1, 1, 0, -1, -1, -1}, kRankSteps[] = {1, 1, 0, -1, -1, -1, 0, 1};
constexpr int kKnightSteps[8][2] = {{1, 2}, {2, 1}, {2, -1}, {1, -2}, {-1, -2}, {-2, -1}, {-2, 1}, {-1, 2}};
constexpr int plane_of(Direction direction, int distance) { return direction * 7 + distance - 1; }

struct Geometry {
  Bits knight[64]{}, king[64]{}, files[64]{}, diagonals[64]{}, antidiagonals[64]{};  // lines without the square itself
  Bits rook_rays[64]{}, bishop_rays[64]{};                                           // on an empty board
  std::uint8_t first_rank[8][64]{};  // attacks along a rank, by file and the six inner squares
  Bits between[64][64]{}, line[64][64]{};
  std::uint8_t plane[64][64]{};  // of the move from one square to another
  std::int8_t step[kNumPlanes]{};

  Geometry() {
    for (int d = 0; d < 8; ++d)
      for (int n = 1; n <= 7; ++n)
        step[plane_of(static_cast<Direction>(d), n)] =
            static_cast<std::int8_t>(n * (8 * kRankSteps[d] + kFileSteps[d]));
    for (int k = 0; k < 8; ++k)
      step[kFirstKnight + k] = static_cast<std::int8_t>(8 * kKnightSteps[k][1] + kKnightSteps[k][0]);
    for (int k = 0; k < 9; ++k) step[kFirstUnderpromotion + k] = static_cast<std::int8_t>(8 + k / 3 - 1);
    for (int from = 0; from < 64; ++from) look_around(from);
    for (int file = 0; file < 8; ++file)
      for (int inner = 0; inner < 64; ++inner)
        for (const int way : {-1, 1})
          for (int at = file + way; at >= 0 && at < 8; at += way) {
            first_rank[file][inner] |= static_cast<std::uint8_t>(1 << at);
            if (inner << 1 >> at & 1) break;
          }
  }

 private:
  void look_around(int from) {
    const int file = from % 8, rank = from / 8;
    const auto on_board = [](int f, int r) { return f >= 0 && f < 8 && r >= 0 && r < 8; };
    for (int k = 0; k < 8; ++k) {
      const int f = file + kKnightSteps[k][0], r = rank + kKnightSteps[k][1];
      if (!on_board(f, r)) continue;
      knight[from] |= bit(8 * r + f);
      plane[from][8 * r + f] = static_cast<std::uint8_t>(kFirstKnight + k);
    }
    for (int d = 0; d < 8; ++d) {
      Bits ray = 0;
      for (int n = 1, f = file + kFileSteps[d], r = rank + kRankSteps[d]; on_board(f, r);
           ++n, f += kFileSteps[d], r += kRankSteps[d]) {
        const int to = 8 * r + f;
        if (n == 1) king[from] |= bit(to);
        plane[from][to] = static_cast<std::uint8_t>(plane_of(static_cast<Direction>(d), n));
        between[from][to] = ray;
        ray |= bit(to);
      }
      (d % 2 == 0 ? rook_rays : bishop_rays)[from] |= ray;
      if (d % 4 == 0) files[from] |= ray;
      if (d % 4 == 1) diagonals[from] |= ray;
      if (d % 4 == 3) antidiagonals[from] |= ray;
    }
    const Bits rank_line = rook_rays[from] ^ files[from];
    for (const Bits whole : {files[from], diagonals[from], antidiagonals[from], rank_line})
      each(whole, [&](int to) { line[from][to] = whole | bit(from); });
  }
};

inline const Geometry kGeometry;

// Attacks along a line, not a rank, by subtraction from both ends ("o^(o-2r)", Isenberg's hyperbola quintessence).
inline Bits along(Bits all, int square, Bits line) {
  const Bits ahead = all & line, behind = turned(ahead);
  return ((ahead - bit(square)) ^ turned(behind - turned(bit(square)))) & line;
}
inline Bits rook_attacks(int square, Bits all) {
  const int shift = square & 56;
  return along(all, square, kGeometry.files[square]) | Bits{kGeometry.first_rank[square & 7][all >> (shift + 1) & 63]}
                                                           << shift;
}
inline Bits bishop_attacks(int square, Bits all) {
  return along(all, square, kGeometry.diagonals[square]) | along(all, square, kGeometry.antidiagonals[square]);
}

// The pieces of `theirs`, who move down, that attack a square.
inline Bits attackers(const Position& position, int square, Bits all, Bits theirs) {
  const Bits at = bit(square), queens = position.kinds[kQueen];
  Bits found = ((at & ~kFileA) << 7 | (at & ~kFileH) << 9) & position.kinds[kPawn];
  found |= kGeometry.knight[square] & position.kinds[kKnight];
  found |= kGeometry.king[square] & position.kinds[kKing];
  const Bits straight = (position.kinds[kRook] | queens) & theirs,
             oblique = (position.kinds[kBishop] | queens) & theirs;
  if (kGeometry.rook_rays[square] & straight) found |= rook_attacks(square, all) & straight;
  if (kGeometry.bishop_rays[square] & oblique) found |= bishop_attacks(square, all) & oblique;
  return found & theirs;
}
inline bool in_check(const Position& position) {
  return attackers(position, position.king(), position.all(), position.other()) != 0;
}

// Whether the pawn at `from` may take en passant on `file`.
inline bool may_take_en_passant(const Position& position, int from, int file) {
  const Bits taken = bit(32 + file), all = (position.all() ^ bit(from) ^ taken) | bit(40 + file);
  return attackers(position, position.king(), all, position.other() & ~taken) == 0;
}
inline Bits en_passant_pawns(const Position& position, int file) {
  const Bits at = bit(32 + file);
  return ((at & ~kFileA) >> 1 | (at & ~kFileH) << 1) & position.kinds[kPawn] & position.own;
}

// What an action does.
struct Move {
  int from, to;
  Kind kind;       // of the piece that moves
  Kind promotion;  // what a pawn becomes; otherwise kPawn

  Move(int from_square, int to_square, Kind of, Kind becomes)
      : from(from_square), to(to_square), kind(of), promotion(becomes) {}
  Move(const Position& position, int action) {
    const int plane = action >> 6;
    from = (action & 63) ^ 56;  // cells are counted from the far rank
    to = from + kGeometry.step[plane];
    kind = position.kind_at(from);
    promotion = kind != kPawn || to < 56        ? kPawn
                : plane >= kFirstUnderpromotion ? static_cast<Kind>(kKnight + (plane - kFirstUnderpromotion) % 3)
                                                : kQueen;
  }
};

// Sets `en_passant` if a pawn that has just come to rank 4 of the other side can be taken so.
inline void open_en_passant(Position& position, int file) {
  position.en_passant = kNoFile;
  each(en_passant_pawns(position, file), [&](int square) {
    if (may_take_en_passant(position, square, file)) position.en_passant = static_cast<std::uint8_t>(file);
  });
}

inline void apply(Position& position, const Move& move) {
  const Bits from = bit(move.from), to = bit(move.to);
  const bool takes = position.all() & to;
  if (takes)
    for (Bits& bits : position.kinds) bits &= ~to;
  position.kinds[move.kind] ^= from;
  position.kinds[move.promotion == kPawn ? move.kind : move.promotion] |= to;
  position.own ^= from | to;
  if (move.kind == kPawn && !takes && (move.to - move.from) % 8 != 0) position.kinds[kPawn] ^= to >> 8;  // en passant
  if (move.kind == kKing && std::abs(move.to - move.from) == 2) {
    const Bits rook = move.to > move.from ? bit(7) | bit(5) : bit(0) | bit(3);
    position.kinds[kRook] ^= rook;
    position.own ^= rook;
  }
  static constexpr auto kLost = [] {
    std::array<std::uint8_t, 64> lost{};
    lost[4] = kOwnShort | kOwnLong, lost[7] = kOwnShort, lost[0] = kOwnLong, lost[63] = kOtherShort,
    lost[56] = kOtherLong;
    return lost;
  }();
  position.castling &= static_cast<std::uint8_t>(
      ~(kLost[static_cast<std::size_t>(move.from)] | kLost[static_cast<std::size_t>(move.to)]));
  position.clock = takes || move.kind == kPawn ? 0 : static_cast<std::uint8_t>(position.clock + 1);
  ++position.ply;
  position.turn();
  if (move.kind == kPawn && move.to - move.from == 16) open_en_passant(position, move.to & 7);
  else position.en_passant = kNoFile;
}

}  // namespace chess
