// Connect Four on boards up to 8x8 with lines of any length. A board is one 64-bit word per side, bit
// `column * rows + row` with row 0 at the bottom.
#pragma once

#include <bit>
#include <cmath>
#include <memory>
#include <mutex>
#include <string>

#include "connect_four_lines.hpp"
#include "connect_four_solver.hpp"
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
      : rows_(static_cast<int>(values[0])),
        columns_(static_cast<int>(values[1])),
        line_(static_cast<int>(values[2])),
        lines_(rows_, columns_, line_, rows_) {
    if (line_ > std::max(rows_, columns_)) throw std::invalid_argument("line is longer than both sides of the board");
    for (int column = 0; column < columns_; ++column) {
      bottoms_[column] = std::uint64_t{1} << (column * rows_);
      for (int row = 0; row < rows_; ++row) column_masks_[column] |= bit(row, column);
      all_ |= column_masks_[column];
      all_bottoms_ |= bottoms_[column];
    }
    for (int row = 0; row < rows_; row += 2)
      for (int column = 0; column < columns_; ++column) odd_rows_ |= bit(row, column);
  }

  rlplat::Shape shape() const {
    return {.num_actions = columns_,
            .max_legal_actions = columns_,
            .num_planes = 2,
            .height = rows_,
            .width = columns_,
            .min_length = std::min(2 * line_ - 1, rows_ * columns_),
            .max_length = rows_ * columns_,
            .num_symmetries = 2,
            .exact_score_from = is_solved() ? std::max(0, rows_ * columns_ - kSolvedEmpty) : -1};
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
    if (lines_.has_line(state.other)) return player(state) == 0 ? -1.0f : 1.0f;
    if ((state.mover | state.other) == all_) return 0.0f;
    return std::nullopt;
  }

  // The lowest column that completes a line.
  int winning_action(const State& state) const {
    const std::uint64_t stones = state.mover | state.other;
    const std::uint64_t reachable = all_ & ~stones & (stones << 1 | all_bottoms_);  // a top row's bit meets a bottom
    const std::uint64_t winning = lines_.completing(state.mover) & reachable;
    return winning == 0 ? -1 : std::countr_zero(winning) / rows_;
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
      if (lines_.has_line(mover)) return sign;
      if (--empty == 0) return 0.0f;
      std::swap(mover, other);
      sign = -sign;
    }
  }

  // See connect_four_solver.hpp. On every board but 8x8, which does not fit the solver's word.
  std::int32_t exact_score(const State& state) const {
    if (lines_.has_line(state.other)) return -(empty_cells(state) / 2 + 1);
    if (empty_cells(state) == 0) return 0;
    std::call_once(solver_made_, [this] { solver_ = std::make_unique<ConnectFourSolver>(rows_, columns_, line_); });
    return solver_->solve(state.mover, state.other);
  }

  // Lines that only one side can still complete, by the stones that they lack, and cells that complete one, worth more
  // where zugzwang brings them about: in the end the first player comes to fill odd rows, the second even ones.
  // Weights as found by matches at depth 5 against 2000 simulations with random rollouts (600 games each, +-0.04):
  // these scored 0.57. Own rows worth 16 and all threats 4: 0.53; all 16 and own rows nothing: 0.47; 2 and 4: 0.45;
  // lines that lack three stones worth nothing: 0.53; threats alone: 0.38.
  float heuristic(const State& state) const {
    const std::uint64_t first_rows = odd_rows_, second_rows = all_ & ~odd_rows_;
    const bool first = player(state) == 0;
    const float balance = strength(state.mover, state.other, first ? first_rows : second_rows) -
                          strength(state.other, state.mover, first ? second_rows : first_rows);
    return balance / (kHalfway + std::abs(balance));
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
  // The lowest empty cell of a column, 0 where it is full: the addition carries out of the column.
  std::uint64_t drop(std::uint64_t stones, int column) const {
    return ((stones & column_masks_[column]) + bottoms_[column]) & column_masks_[column];
  }

  float strength(std::uint64_t stones, std::uint64_t others, std::uint64_t own_rows) const {
    const std::array<int, 9> counts = lines_.counts(stones, others);
    const std::uint64_t winning = lines_.completing(stones) & all_ & ~(stones | others);
    float sum = 0.0f;
    for (int lacking = 2; lacking <= 3 && lacking < line_; ++lacking)
      sum += kLacking[lacking - 2] * static_cast<float>(counts[static_cast<std::size_t>(line_ - lacking)]);
    return sum + kThreat * static_cast<float>(std::popcount(winning)) +
           kOwnThreat * static_cast<float>(std::popcount(winning & own_rows));
  }

  int empty_cells(const State& state) const { return std::popcount(all_ & ~(state.mover | state.other)); }
  bool is_solved() const { return columns_ * (rows_ + 1) <= 64; }

  static constexpr float kLacking[] = {3.0f, 1.0f};  // lines that lack two stones, three stones
  static constexpr float kThreat = 8.0f, kOwnThreat = 8.0f, kHalfway = 40.0f;
  static constexpr int kSolvedEmpty = 30;  // solved in 0.05 s on average, 1 s at most

  int rows_, columns_, line_;
  Lines lines_;
  std::uint64_t all_ = 0, all_bottoms_ = 0, odd_rows_ = 0;  // rows 1, 3, 5, ... as people count them
  std::uint64_t column_masks_[8] = {};
  std::uint64_t bottoms_[8] = {};
  mutable std::once_flag solver_made_;  // its table is worth making only where a score is asked for
  mutable std::unique_ptr<const ConnectFourSolver> solver_;
};

RLPLAT_GAME("connect_four", ConnectFour)
