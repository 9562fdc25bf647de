// A game for tests, whose shape is chosen at will: every move is legal everywhere and adds its number to a sum, which
// decides the game after a fixed number of plies. A player can have two moves in a row, and one move can win at once.
#pragma once

#include <string>

#include "rlplat/game.hpp"

class Ladder {
 public:
  struct State {
    std::int32_t ply;
    std::int32_t sum;
    std::int32_t winner;  // of the winning move; -1: nobody yet
  };

  static std::span<const rlplat::Parameter> parameters() {
    static constexpr rlplat::Parameter kParameters[] = {
        {"width", 3, 1, 64, true, "legal moves"},
        {"length", 8, 1, 500, true, "plies"},
        {"turns", 1, 1, 2, true, "moves of a player in a row"},
        {"winning_move", -1, -1, 63, true, "a move that wins at once; -1: none"},
    };
    return kParameters;
  }

  explicit Ladder(std::span<const double> values)
      : width_(static_cast<int>(values[0])),
        length_(static_cast<int>(values[1])),
        turns_(static_cast<int>(values[2])),
        winning_move_(static_cast<int>(values[3])) {}

  rlplat::Shape shape() const {
    return {.num_actions = width_,
            .max_legal_actions = width_,
            .num_planes = 1,
            .height = 1,
            .width = 2,
            .min_length = winning_move_ >= 0 ? 1 : length_,
            .max_length = length_};
  }

  State initial_state() const { return {0, 0, -1}; }

  int legal_actions(const State&, std::int32_t* out) const {
    for (int move = 0; move < width_; ++move) out[move] = move;
    return width_;
  }

  void apply(State& state, int move) const {
    if (move == winning_move_) state.winner = player(state);
    ++state.ply;
    state.sum += move;
  }

  int player(const State& state) const { return state.ply / turns_ % 2; }

  std::optional<float> outcome(const State& state) const {
    if (state.winner >= 0) return state.winner == 0 ? 1.0f : -1.0f;
    if (state.ply < length_) return std::nullopt;
    return static_cast<float>(state.sum % 3 - 1);
  }

  std::uint64_t hash(const State& state) const {
    return rlplat::hash_words(static_cast<std::uint64_t>(state.ply) << 32 | static_cast<std::uint32_t>(state.sum),
                              static_cast<std::uint64_t>(state.winner + 1));
  }

  void encode(const State& state, float* planes) const {
    planes[0] = static_cast<float>(state.ply);
    planes[1] = static_cast<float>(state.sum);
  }

  std::string action_text(const State&, int move) const { return std::to_string(move); }

  std::string text(const State& state) const {
    return "ply " + std::to_string(state.ply) + " sum " + std::to_string(state.sum) + "\n";
  }

 private:
  int width_, length_, turns_, winning_move_;
};

RLPLAT_GAME("ladder", Ladder)
