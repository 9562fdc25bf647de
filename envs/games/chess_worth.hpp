// What chess pieces are worth, by where they stand.
#pragma once

#include <algorithm>
#include <cstdint>

#include "chess_board.hpp"

namespace chess {

struct Worth {
  std::int16_t opening, endgame;  // in hundredths of a pawn
};

// Our own numbers: a bonus by the distance from the middle, from the edge (0) to the four central squares (3), one
// for the advance of pawns, and a king that hides on its first rank until few pieces are left.
struct WorthTable {
  Worth of[kNumKinds][64];

  constexpr WorthTable() : of{} {
    constexpr int kMaterial[][2] = {{90, 110}, {320, 300}, {330, 320}, {490, 520}, {960, 980}, {0, 0}};
    constexpr int kRing[][4] = {{0, 0, 6, 16}, {-30, -8, 10, 18}, {-12, 4, 10, 14},
                                {0, 0, 4, 6},  {-4, 0, 4, 6},     {0, -30, -60, -80}};
    constexpr int kEndgameRing[][4] = {{0, 0, 0, 0}, {-30, -10, 6, 14}, {-14, 0, 6, 10},
                                       {0, 0, 2, 2}, {-16, 0, 10, 18},  {-40, -8, 16, 28}};
    constexpr int kAdvance[] = {0, 0, 2, 6, 14, 28, 50, 0}, kEndgameAdvance[] = {0, 0, 6, 16, 32, 60, 100, 0};
    for (int kind = 0; kind < kNumKinds; ++kind)
      for (int square = 0; square < 64; ++square) {
        const int file = square % 8, rank = square / 8;
        const int ring = std::min(std::min(file, 7 - file), std::min(rank, 7 - rank));
        int opening = kMaterial[kind][0] + kRing[kind][ring], endgame = kMaterial[kind][1] + kEndgameRing[kind][ring];
        if (kind == kPawn) opening += kAdvance[rank], endgame += kEndgameAdvance[rank];
        if (kind == kRook && rank == 6) opening += 20, endgame += 20;
        if (kind == kKing) opening += rank > 0 ? -25 : file == 6 || file <= 2 ? 25 : 0;
        of[kind][square] = {static_cast<std::int16_t>(opening), static_cast<std::int16_t>(endgame)};
      }
  }
};

inline constexpr WorthTable kWorth;

}  // namespace chess
