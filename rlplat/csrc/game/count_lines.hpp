// Lines of play, counted: the usual proof that a move generator is right ("perft").
#pragma once

#include "game/game.hpp"

namespace rlplat {

// The number of lines of exactly `num_plies` moves from the last state of `position`. A line that ends the game with
// its last move counts, one that ends it before does not. The moves of the last ply are counted without being made;
// with `one_by_one` they are made, as the speed of move generators is measured.
std::int64_t count_lines(const Game& game, const History& position, int num_plies, bool one_by_one = false);

}  // namespace rlplat
