// Makes training batches from stored games: planes, symmetries and policy targets in one go.
#pragma once

#include "game/game.hpp"

namespace rlplat {

// Rings of positions and policy entries, as the replay keeps them.
struct ReplayView {
  const std::byte* states;  // [capacity][state_size]
  std::int64_t capacity;
  const std::uint16_t* policy;  // scaled to 65535, over the legal actions
  std::int64_t policy_capacity;
};

struct DrawnPosition {
  std::int64_t row;            // in the ring of states
  std::int32_t plies;          // so many earlier states of the game lie before it
  std::int64_t policy_offset;  // in the ring of policies
  std::int32_t num_legal;
  std::int32_t symmetry;
};

// Fills planes[num_planes][height][width], policy[num_actions] (sums to one) and legal[num_actions].
void draw_position(const Game& game, const ReplayView& replay, const DrawnPosition& position, float* planes,
                   float* policy, bool* legal);

}  // namespace rlplat
