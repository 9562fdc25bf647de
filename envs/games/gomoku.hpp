// Gomoku on boards of 5x5 to 19x19: five stones in a line win. Free-style lets longer lines win too, the exact rule
// does not, for either player. No opening rules, no forbidden moves; a full board is a draw.
#pragma once

#include <algorithm>
#include <string>

#include "cells.hpp"
#include "rlplat/game.hpp"

class Gomoku {
 public:
  // Cells row by row, the top row first.
  struct State {
    Cells stones[2];
    std::uint64_t key;
    std::uint32_t num_moves;
    std::uint32_t is_won;  // by the player who moved last
  };

  static std::span<const rlplat::Parameter> parameters() {
    static constexpr rlplat::Parameter kParameters[] = {
        {"size", 9, 5, 19, true, "rows and columns of the board"},
        {"exact", 0, 0, 1, true, "0: five or more stones in a line win; 1: exactly five"},
    };
    return kParameters;
  }

  explicit Gomoku(std::span<const double> values)
      : size_(static_cast<int>(values[0])),
        num_cells_(size_ * size_),
        is_exact_(values[1] != 0),
        all_(first_cells(num_cells_)) {
    rlplat::Random random(0);
    const int reach = is_exact_ ? kLine : kLine - 1;  // a sixth stone tells too long a line
    for (int cell = 0; cell < num_cells_; ++cell) {
      const int row = cell / size_, column = cell % size_;
      const int up = row, down = size_ - 1 - row, left = column, right = size_ - 1 - column;
      const int ways[4][2] = {{left, right},
                              {up, down},
                              {std::min(up, left), std::min(down, right)},
                              {std::min(up, right), std::min(down, left)}};
      Place& place = places_[cell];
      for (const int player : {0, 1}) place.keys[player] = random.next();
      for (int d = 0; d < 4; ++d)
        for (const int way : {0, 1}) place.reach[d][way] = static_cast<std::uint8_t>(std::min(reach, ways[d][way]));
    }
    const int steps[4] = {1, size_, size_ + 1, size_ - 1};
    std::copy_n(steps, 4, steps_);
  }

  rlplat::Shape shape() const {
    return {.num_actions = num_cells_,
            .max_legal_actions = num_cells_,
            .num_planes = 2,
            .height = size_,
            .width = size_,
            .min_length = 2 * kLine - 1,
            .max_length = num_cells_,
            .num_symmetries = 8};
  }

  State initial_state() const { return {}; }

  int legal_actions(const State& state, std::int32_t* out) const {
    return all_.without(state.stones[0] | state.stones[1]).list(out);
  }

  void apply(State& state, int cell) const {
    const int mover = player(state);
    state.stones[mover].add(cell);
    state.key ^= places_[cell].keys[mover];
    state.is_won = completes_line(state.stones[mover], cell);
    ++state.num_moves;
  }

  int player(const State& state) const { return static_cast<int>(state.num_moves & 1); }

  std::optional<float> outcome(const State& state) const {
    if (state.is_won) return player(state) == 0 ? -1.0f : 1.0f;
    if (static_cast<int>(state.num_moves) == num_cells_) return 0.0f;
    return std::nullopt;
  }

  std::uint64_t hash(const State& state) const { return state.key; }

  // Planes: stones of the player to move, stones of the opponent.
  void encode(const State& state, float* planes) const {
    const int mover = player(state);
    state.stones[mover].each([&](int cell) { planes[cell] = 1.0f; });
    state.stones[1 - mover].each([&](int cell) { planes[num_cells_ + cell] = 1.0f; });
  }

  // Bit 0 mirrors left and right, bit 1 mirrors top and bottom, bit 2 transposes.
  void symmetry(int index, std::int32_t* cells, std::int32_t* actions) const {
    for (int row = 0; row < size_; ++row)
      for (int column = 0; column < size_; ++column) {
        int source_row = index & 2 ? size_ - 1 - row : row, source_column = index & 1 ? size_ - 1 - column : column;
        if (index & 4) std::swap(source_row, source_column);
        actions[row * size_ + column] = cells[row * size_ + column] = source_row * size_ + source_column;
      }
  }

  float rollout(const State& state, rlplat::Random& random) const {
    if (const std::optional<float> result = outcome(state)) return *result;
    std::int32_t empty[kMostCells];
    const int count = legal_actions(state, empty);
    Cells stones[2] = {state.stones[0], state.stones[1]};
    int mover = player(state);
    for (int i = 0; i < count; ++i, mover = 1 - mover) {
      std::swap(empty[i], empty[i + static_cast<int>(random.below(static_cast<std::uint32_t>(count - i)))]);
      stones[mover].add(empty[i]);
      if (completes_line(stones[mover], empty[i])) return mover == 0 ? 1.0f : -1.0f;
    }
    return 0.0f;
  }

  std::string action_text(const State&, int cell) const { return cell_name(cell % size_, size_ - 1 - cell / size_); }

  std::string text(const State& state) const {
    std::string board;
    for (int row = 0; row < size_; ++row) {
      const std::string number = std::to_string(size_ - row);
      board += std::string(2 - number.size(), ' ') + number;
      for (int column = 0; column < size_; ++column) {
        const int cell = row * size_ + column;
        (board += ' ') += state.stones[0].has(cell) ? 'X' : state.stones[1].has(cell) ? 'O' : '.';
      }
      board += '\n';
    }
    return board + "   " + column_letters(size_) + "\n";
  }

 private:
  static constexpr int kLine = 5;

  struct Place {
    std::uint8_t reach[4][2];  // cells to look at in each direction, backwards and forwards
    std::uint64_t keys[2];
  };

  // Whether the stone on `cell` is one of a line that wins.
  bool completes_line(const Cells& stones, int cell) const {
    const Place& place = places_[cell];
    for (int d = 0; d < 4; ++d) {
      int back = 0, ahead = 0;
      while (back < place.reach[d][0] && stones.has(cell - (back + 1) * steps_[d])) ++back;
      while (ahead < place.reach[d][1] && stones.has(cell + (ahead + 1) * steps_[d])) ++ahead;
      const int length = back + 1 + ahead;
      if (is_exact_ ? length == kLine : length >= kLine) return true;
    }
    return false;
  }

  int size_, num_cells_;
  bool is_exact_;
  int steps_[4] = {};  // right, down, down and right, down and left
  Cells all_;
  Place places_[kMostCells] = {};
};

RLPLAT_GAME("gomoku", Gomoku)
