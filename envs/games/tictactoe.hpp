// Tic-tac-toe. One bit per cell, cell 0 at the upper left, row by row.
#pragma once

#include <array>
#include <bit>
#include <string>

#include "rlplat/game.hpp"

class TicTacToe {
 public:
  struct State {
    std::uint16_t mover;  // stones of the player to move
    std::uint16_t other;
  };

  static std::span<const rlplat::Parameter> parameters() { return {}; }

  explicit TicTacToe(std::span<const double>) { solve(initial_state()); }

  rlplat::Shape shape() const {
    return {.num_actions = 9,
            .max_legal_actions = 9,
            .num_planes = 2,
            .height = 3,
            .width = 3,
            .min_length = 5,
            .max_length = 9,
            .num_symmetries = 8};
  }

  State initial_state() const { return {0, 0}; }

  int legal_actions(const State& state, std::int32_t* out) const {
    int count = 0;
    for (int cell = 0; cell < 9; ++cell)
      if (!((state.mover | state.other) >> cell & 1)) out[count++] = cell;
    return count;
  }

  void apply(State& state, int cell) const {
    state = {state.other, static_cast<std::uint16_t>(state.mover | 1 << cell)};
  }

  int player(const State& state) const { return std::popcount(static_cast<unsigned>(state.mover | state.other)) & 1; }

  std::optional<float> outcome(const State& state) const {
    constexpr int kLines[] = {0b111000000, 0b000111000, 0b000000111, 0b100100100,
                              0b010010010, 0b001001001, 0b100010001, 0b001010100};
    for (const int line : kLines)
      if ((state.other & line) == line) return player(state) == 0 ? -1.0f : 1.0f;
    if ((state.mover | state.other) == 0b111111111) return 0.0f;
    return std::nullopt;
  }

  std::uint64_t hash(const State& state) const { return rlplat::hash_words(state.mover, state.other); }

  // Planes: stones of the player to move, stones of the opponent.
  void encode(const State& state, float* planes) const {
    for (int cell = 0; cell < 9; ++cell) {
      planes[cell] = static_cast<float>(state.mover >> cell & 1);
      planes[9 + cell] = static_cast<float>(state.other >> cell & 1);
    }
  }

  // Bit 0 mirrors left and right, bit 1 mirrors top and bottom, bit 2 transposes.
  void symmetry(int index, std::int32_t* cells, std::int32_t* actions) const {
    for (int row = 0; row < 3; ++row)
      for (int column = 0; column < 3; ++column) {
        int source_row = index & 2 ? 2 - row : row, source_column = index & 1 ? 2 - column : column;
        if (index & 4) std::swap(source_row, source_column);
        actions[row * 3 + column] = cells[row * 3 + column] = source_row * 3 + source_column;
      }
  }

  // 0 for a draw; otherwise one more than the stones that the winner has left when the line is complete: 1 to 3.
  std::int32_t exact_score(const State& state) const { return scores_[index(state)]; }

  std::string action_text(const State&, int action) const { return std::to_string(action + 1); }

  std::string text(const State& state) const {
    const bool first = player(state) == 0;
    std::string board;
    for (int cell = 0; cell < 9; ++cell) {
      board += (state.mover >> cell & 1) ? (first ? 'X' : 'O') : (state.other >> cell & 1) ? (first ? 'O' : 'X') : '.';
      board += cell % 3 < 2 ? ' ' : '\n';
    }
    return board;
  }

 private:
  static constexpr std::int8_t kUnknown = -128;

  static std::size_t index(const State& state) { return static_cast<std::size_t>(state.mover << 9 | state.other); }

  // Fills the table with the position and all that can follow.
  int solve(const State& state) {
    std::int8_t& score = scores_[index(state)];
    if (score != kUnknown) return score;
    const int empty = 9 - std::popcount(static_cast<unsigned>(state.mover | state.other));
    std::int32_t legal[9];
    int best = kUnknown;
    if (const std::optional<float> result = outcome(state)) best = *result == 0.0f ? 0 : -(empty / 2 + 1);
    else
      for (int i = legal_actions(state, legal) - 1; i >= 0; --i) {
        State after = state;
        apply(after, legal[i]);
        best = std::max(best, -solve(after));
      }
    return score = static_cast<std::int8_t>(best);
  }

  std::array<std::int8_t, 1 << 18> scores_ = [] {
    std::array<std::int8_t, 1 << 18> unknown;
    unknown.fill(kUnknown);
    return unknown;
  }();
};

RLPLAT_GAME("tictactoe", TicTacToe)
