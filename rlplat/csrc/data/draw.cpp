#include "data/draw.hpp"

namespace rlplat {

void draw_position(const Game& game, const ReplayView& replay, const DrawnPosition& position, float* planes,
                   float* policy, bool* legal) {
  const auto state = [&](std::int64_t row) {
    return replay.states + static_cast<std::size_t>((row + replay.capacity) % replay.capacity) * game.state_size();
  };
  thread_local std::vector<const void*> earlier;
  earlier.clear();
  if (game.looks_back()) {
    const int reach = game.shape().past_length;
    const int length = reach < 0 ? position.plies : std::min(reach, position.plies);
    for (int age = 1; age <= length; ++age) earlier.push_back(state(position.row - age));
  }
  const RawPast past{earlier.data(), static_cast<std::int32_t>(earlier.size())};
  const auto cells = game.symmetry_cells(position.symmetry);
  const auto actions = game.symmetry_actions(position.symmetry);

  thread_local std::vector<float> encoded, dense;
  encoded.resize(game.observation_size());
  game.encode(state(position.row), past, encoded.data());
  for (std::size_t plane = 0; plane < encoded.size(); plane += cells.size())
    for (std::size_t i = 0; i < cells.size(); ++i)
      planes[plane + i] = encoded[plane + static_cast<std::size_t>(cells[i])];

  thread_local std::vector<std::int32_t> legal_actions;
  legal_actions.resize(static_cast<std::size_t>(game.shape().max_legal_actions));
  const int count = game.legal_actions(state(position.row), past, legal_actions.data());
  if (count != position.num_legal)
    throw std::invalid_argument("stored policy has " + std::to_string(position.num_legal) + " entries, the position " +
                                std::to_string(count) + " legal actions");
  dense.assign(actions.size(), -1.0f);  // -1: illegal
  float sum = 0.0f;
  for (int i = 0; i < count; ++i) {
    const float share = replay.policy[(position.policy_offset + i) % replay.policy_capacity];
    dense[static_cast<std::size_t>(legal_actions[static_cast<std::size_t>(i)])] = share;
    sum += share;
  }
  if (sum == 0.0f) throw std::invalid_argument("stored policy is of a position without a visit");
  for (std::size_t action = 0; action < actions.size(); ++action) {
    const float share = dense[static_cast<std::size_t>(actions[action])];
    legal[action] = share >= 0.0f;
    policy[action] = share >= 0.0f ? share / sum : 0.0f;
  }
}

}  // namespace rlplat
