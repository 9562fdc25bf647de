// A game for tests whose rules fail: the third move throws.
#pragma once

#include <string>

#include "rlplat/game.hpp"

class Thrower {
 public:
  struct State {
    std::int32_t ply;
  };

  static std::span<const rlplat::Parameter> parameters() {
    static constexpr rlplat::Parameter kParameters[] = {{"refuse", 0, 0, 1, true, "1: refuse to be made"}};
    return kParameters;
  }

  explicit Thrower(std::span<const double> values) {
    if (values[0] != 0) throw std::invalid_argument("refuse is 1");
  }

  rlplat::Shape shape() const {
    return {.num_actions = 2,
            .max_legal_actions = 2,
            .num_planes = 1,
            .height = 1,
            .width = 1,
            .min_length = 9,
            .max_length = 9};
  }

  State initial_state() const { return {0}; }

  int legal_actions(const State&, std::int32_t* out) const {
    out[0] = 0;
    out[1] = 1;
    return 2;
  }

  void apply(State& state, int) const {
    if (++state.ply == 3) throw std::runtime_error("thrown by the rules");
  }

  int player(const State& state) const { return state.ply % 2; }
  std::optional<float> outcome(const State& state) const {
    return state.ply < 9 ? std::nullopt : std::optional<float>(0.0f);
  }
  std::uint64_t hash(const State& state) const { return static_cast<std::uint64_t>(state.ply); }
  void encode(const State& state, float* planes) const { planes[0] = static_cast<float>(state.ply); }
  std::string action_text(const State&, int action) const { return std::to_string(action); }
  std::string text(const State&) const { return std::string(1000, 'x'); }
};

RLPLAT_GAME("thrower", Thrower)
