// Games and a network for the tests.
#pragma once

#include <initializer_list>
#include <memory>

#include "game/game.hpp"

inline std::shared_ptr<const rlplat::Game> load(const std::string& name, std::initializer_list<double> values) {
  const std::vector<double> list(values);
  return std::make_shared<rlplat::Game>(GAMES_FOLDER "/" + name + ".so", list);
}

inline std::shared_ptr<const rlplat::Game> ladder(double width, double length, double turns = 1, double winner = -1) {
  return load("ladder", {width, length, turns, winner});
}

inline rlplat::History play(const rlplat::Game& game, std::initializer_list<int> moves) {
  rlplat::History history(game);
  for (const int move : moves) history.apply(move);
  return history;
}

// Logits[num_actions] and a value that depend on the planes alone, and on every one of their bytes.
inline float evaluate(const rlplat::Game& game, const float* planes, float* logits) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < game.observation_size(); ++i)
    word = rlplat::hash_words(word, static_cast<std::uint64_t>(planes[i] * 64.0f) + 1);
  rlplat::Random random(word);
  for (int a = 0; a < game.shape().num_actions; ++a) logits[a] = 3.0f * static_cast<float>(random.uniform());
  return static_cast<float>(2.0 * random.uniform() - 1.0);
}
