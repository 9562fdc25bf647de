// Connect Four on boards up to 8x8 with lines of any length. A board is one 64-bit word per side, bit
// `column * rows + row` with row 0 at the bottom. A line of L stones in direction d (a shift) starts at a cell of
// `starts[d]` exactly when all L of its cells are on the board, so no sentinel bits are needed.
#pragma once

#include <bit>
#include <string>

#include "rlplat/game.hpp"

class ConnectFour {
 public:
  struct State {
    std::uint64_t mover;  // stones of the player to move
    std::uint64_t other;
  };

  static std::span<const rlplat::Parameter> parameters() {
    static constexpr rlplat::Parameter kParameters[] = {
        {"rows", 6, 1, 8, true, "rows of the board"},
        {"columns", 7, 1, 8, true, "columns of the board"},
        {"line", 4, 2, 8, true, "stones in a line that win"},
    };
    return kParameters;
  }

  explicit ConnectFour(std::span<const double> values)
      : rows_(static_cast<int>(values[0])), columns_(static_cast<int>(values[1])), line_(static_cast<int>(values[2])) {
    if (line_ > std::max(rows_, columns_)) throw std::invalid_argument("line is longer than both sides of the board");
    for (int column = 0; column < columns_; ++column) {
      bottoms_[column] = std::uint64_t{1} << (column * rows_);
      for (int row = 0; row < rows_; ++row) column_masks_[column] |= bit(row, column);
      all_ |= column_masks_[column];
    }
    constexpr int kSteps[4][2] = {{1, 0}, {0, 1}, {1, 1}, {-1, 1}};  // row and column steps
    for (int d = 0; d < 4; ++d) {
      const auto [row_step, column_step] = kSteps[d];
      shifts_[d] = column_step * rows_ + row_step;
      for (int row = 0; row < rows_; ++row)
        for (int column = 0; column < columns_; ++column)
          if (on_board(row + (line_ - 1) * row_step, column + (line_ - 1) * column_step))
            starts_[d] |= bit(row, column);
    }
  }

  rlplat::Shape shape() const {
    return {.num_actions = columns_,
            .max_legal_actions = columns_,
            .num_planes = 2,
            .height = rows_,
            .width = columns_,
            .min_length = std::min(2 * line_ - 1, rows_ * columns_),
            .max_length = rows_ * columns_,
            .num_symmetries = 2};
  }

  State initial_state() const { return {0, 0}; }

  int legal_actions(const State& state, std::int32_t* out) const {
    const std::uint64_t stones = state.mover | state.other;
    int count = 0;
    for (int column = 0; column < columns_; ++column) {
      out[count] = column;
      count += (stones & column_masks_[column]) != column_masks_[column];
    }
    return count;
  }

  void apply(State& state, int column) const {
    const std::uint64_t stone = drop(state.mover | state.other, column);
    state = {state.other, state.mover | stone};
  }

  int player(const State& state) const { return std::popcount(state.mover | state.other) & 1; }

  std::optional<float> outcome(const State& state) const {
    if (has_line(state.other)) return player(state) == 0 ? -1.0f : 1.0f;
    if ((state.mover | state.other) == all_) return 0.0f;
    return std::nullopt;
  }

  std::uint64_t hash(const State& state) const { return rlplat::hash_words(state.mover, state.other); }

  // Planes: stones of the player to move, stones of the opponent; the top row first.
  void encode(const State& state, float* planes) const {
    const int cells = rows_ * columns_;
    for (int row = 0; row < rows_; ++row)
      for (int column = 0; column < columns_; ++column) {
        const int cell = (rows_ - 1 - row) * columns_ + column;
        const int index = column * rows_ + row;
        planes[cell] = static_cast<float>(state.mover >> index & 1);
        planes[cells + cell] = static_cast<float>(state.other >> index & 1);
      }
  }

  // The mirror image.
  void symmetry(int index, std::int32_t* cells, std::int32_t* actions) const {
    for (int column = 0; column < columns_; ++column) {
      const int source = index == 0 ? column : columns_ - 1 - column;
      actions[column] = source;
      for (int row = 0; row < rows_; ++row) cells[row * columns_ + column] = row * columns_ + source;
    }
  }

  // Sixteen bits of randomness choose a column; a full column is drawn again.
  float rollout(const State& state, rlplat::Random& random) const {
    std::uint64_t mover = state.mover, other = state.other;
    float sign = player(state) == 0 ? 1.0f : -1.0f;
    int empty = std::popcount(all_ & ~(mover | other));
    std::uint64_t bits = 0;
    for (int draws_left = 0;; --draws_left) {
      if (draws_left == 0) bits = random.next(), draws_left = 4;
      const std::uint64_t stone = drop(mover | other, static_cast<int>((bits & 0xFFFF) * columns_ >> 16));
      bits >>= 16;
      if (stone == 0) continue;
      mover |= stone;
      if (has_line(mover)) return sign;
      if (--empty == 0) return 0.0f;
      std::swap(mover, other);
      sign = -sign;
    }
  }

  std::string action_text(const State&, int action) const { return std::to_string(action + 1); }

  std::string text(const State& state) const {
    const bool first = player(state) == 0;
    const std::uint64_t stones[2] = {first ? state.mover : state.other, first ? state.other : state.mover};
    std::string board;
    for (int row = rows_ - 1; row >= 0; --row) {
      for (int column = 0; column < columns_; ++column) {
        board += (stones[0] & bit(row, column)) ? 'X' : (stones[1] & bit(row, column)) ? 'O' : '.';
        board += column + 1 < columns_ ? ' ' : '\n';
      }
    }
    for (int column = 0; column < columns_; ++column) {
      board += static_cast<char>('1' + column);
      board += column + 1 < columns_ ? ' ' : '\n';
    }
    return board;
  }

 private:
  std::uint64_t bit(int row, int column) const { return std::uint64_t{1} << (column * rows_ + row); }
  bool on_board(int row, int column) const { return row >= 0 && row < rows_ && column >= 0 && column < columns_; }

  // The lowest empty cell of a column, 0 where it is full: the addition carries out of the column.
  std::uint64_t drop(std::uint64_t stones, int column) const {
    return ((stones & column_masks_[column]) + bottoms_[column]) & column_masks_[column];
  }

  bool has_line(std::uint64_t stones) const {
    std::uint64_t lines = 0;
    if (line_ == 4) {
      for (int d = 0; d < 4; ++d) {
        const std::uint64_t pairs = stones & (stones >> shifts_[d]);
        lines |= pairs & (pairs >> 2 * shifts_[d]) & starts_[d];
      }
      return lines != 0;
    }
    for (int d = 0; d < 4; ++d) {
      if (starts_[d] == 0) continue;
      std::uint64_t line = stones;
      for (int k = 1; k < line_; ++k) line &= stones >> k * shifts_[d];
      lines |= line & starts_[d];
    }
    return lines != 0;
  }

  int rows_, columns_, line_;
  std::uint64_t all_ = 0;
  std::uint64_t column_masks_[8] = {};
  std::uint64_t bottoms_[8] = {};
  int shifts_[4] = {};
  std::uint64_t starts_[4] = {};  // cells where a line in each direction fits on the board
};

RLPLAT_GAME("connect_four", ConnectFour)
