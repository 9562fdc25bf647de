// Breakthrough on boards of up to 8x8: pieces step one row forward, straight or diagonally, and capture diagonally. Who
// reaches the last row, or captures all, wins. Two rows of pieces each, on boards of fewer than six rows one.
//
// Actions and planes are from the view of the player to move, who goes up: player 1 sees the rows from the other side.
#pragma once

#include <bit>
#include <cmath>
#include <string>

#include "rlplat/game.hpp"

class Breakthrough {
 public:
  // Bit `8 * row + column`, row 0 the nearest to the player to move.
  struct State {
    std::uint64_t mover;  // pieces of the player to move
    std::uint64_t other;
    std::uint64_t player;
  };

  static std::span<const rlplat::Parameter> parameters() {
    static constexpr rlplat::Parameter kParameters[] = {
        {"rows", 8, 4, 8, true, "rows of the board"},
        {"columns", 8, 2, 8, true, "columns of the board"},
    };
    return kParameters;
  }

  explicit Breakthrough(std::span<const double> values)
      : rows_(static_cast<int>(values[0])), columns_(static_cast<int>(values[1])), home_rows_(rows_ < 6 ? 1 : 2) {
    for (int row = 0; row < rows_; ++row) all_ |= row_of(row);
  }

  rlplat::Shape shape() const {
    // A piece that walks across, unless two captures end it sooner: on 5x2 alone.
    const int walk = 2 * (rows_ - home_rows_) - 1, shortest = rows_ == 5 && columns_ == 2 ? 6 : walk;
    // Steps that do not win, of the front and of the back pieces of one player.
    const int steps = columns_ * ((rows_ - 1 - home_rows_) + (home_rows_ == 2 ? rows_ - 2 : 0));
    return {.num_actions = 3 * columns_ * (rows_ - 1),
            .max_legal_actions = 3 * columns_ * home_rows_,
            .num_planes = 2,
            .height = rows_,
            .width = columns_,
            .min_length = shortest,
            .max_length = 2 * steps + 1,
            .num_symmetries = 2};
  }

  State initial_state() const {
    State state{0, 0, 0};
    for (int row = 0; row < home_rows_; ++row) state.mover |= row_of(row), state.other |= row_of(rows_ - 1 - row);
    return state;
  }

  // Action `3 * (columns * row + column) + direction` of the piece that moves; directions left, straight, right as the
  // mover sees the board.
  int legal_actions(const State& state, std::int32_t* out) const {
    const std::uint64_t straight = state.mover & ~((state.mover | state.other) >> 8);
    const std::uint64_t left = state.mover & ~kFirstColumn & ~(state.mover >> 7);
    const std::uint64_t right = state.mover & ~row_end() & ~(state.mover >> 9);
    int count = 0;
    for (std::uint64_t pieces = left | straight | right; pieces != 0; pieces &= pieces - 1) {
      const int index = std::countr_zero(pieces), action = 3 * (columns_ * (index >> 3) + (index & 7));
      out[count] = action, count += static_cast<int>(left >> index & 1);
      out[count] = action + 1, count += static_cast<int>(straight >> index & 1);
      out[count] = action + 2, count += static_cast<int>(right >> index & 1);
    }
    return count;
  }

  void apply(State& state, int action) const {
    const std::uint64_t from = piece(action), to = target(action);
    state = {turned(state.other & ~to), turned((state.mover ^ from) | to), state.player ^ 1};
  }

  int player(const State& state) const { return static_cast<int>(state.player); }

  // After a winning move the opponent stands in the mover's first row, or nothing is left of the mover.
  std::optional<float> outcome(const State& state) const {
    if ((state.other & row_of(0)) == 0 && state.mover != 0) return std::nullopt;
    return state.player == 0 ? -1.0f : 1.0f;
  }

  std::uint64_t hash(const State& state) const { return rlplat::hash_words(state.mover, state.other) ^ -state.player; }

  // Planes: pieces of the player to move, pieces of the opponent; the mover's last row first.
  void encode(const State& state, float* planes) const {
    const int cells = rows_ * columns_;
    for (int cell = 0; cell < cells; ++cell) {
      const int index = 8 * (rows_ - 1 - cell / columns_) + cell % columns_;
      planes[cell] = static_cast<float>(state.mover >> index & 1);
      planes[cells + cell] = static_cast<float>(state.other >> index & 1);
    }
  }

  // The mirror image.
  void symmetry(int index, std::int32_t* cells, std::int32_t* actions) const {
    for (int row = 0; row < rows_; ++row)
      for (int column = 0; column < columns_; ++column) {
        const int cell = row * columns_ + column, source = index == 0 ? column : columns_ - 1 - column;
        cells[cell] = row * columns_ + source;
        if (row + 1 == rows_) continue;  // no piece moves on from the last row
        for (int direction = 0; direction < 3; ++direction)
          actions[3 * cell + direction] = 3 * cells[cell] + (index == 0 ? direction : 2 - direction);
      }
  }

  float rollout(State state, rlplat::Random& random) const {
    for (;;) {
      if (const std::optional<float> result = outcome(state)) return *result;
      std::int32_t legal[48];
      const int count = legal_actions(state, legal);
      apply(state, legal[random.below(static_cast<std::uint32_t>(count))]);
    }
  }

  // Pieces, each worth more the further it is, and more still if no opponent can meet or capture it on its way.
  float heuristic(const State& state) const {
    const float balance =
        strength(state.mover, state.other) - strength(turned(state.other), turned(state.mover)) + kMove;
    return balance / (kHalfway + std::abs(balance));
  }

  std::string action_text(const State& state, int action) const {
    const bool captures = (state.other & target(action)) != 0;
    return cell_text(state, piece(action)) + (captures ? "x" : "") + cell_text(state, target(action));
  }

  std::string text(const State& state) const {
    const std::uint64_t white = state.player == 0 ? state.mover : turned(state.other);
    const std::uint64_t black = state.player == 0 ? state.other : turned(state.mover);
    std::string board;
    for (int row = rows_ - 1; row >= 0; --row) {
      board += static_cast<char>('1' + row);
      for (int column = 0; column < columns_; ++column) {
        const int index = 8 * row + column;
        (board += ' ') += (white >> index & 1) ? 'W' : (black >> index & 1) ? 'B' : '.';
      }
      board += '\n';
    }
    board += ' ';
    for (int column = 0; column < columns_; ++column) (board += ' ') += static_cast<char>('a' + column);
    const bool is_white = (state.player == 0) != outcome(state).has_value();
    return board + (is_white ? "\nwhite" : "\nblack") + (outcome(state) ? " has won\n" : " to move\n");
  }

 private:
  std::uint64_t row_of(int row) const { return ((std::uint64_t{1} << columns_) - 1) << (8 * row); }
  std::uint64_t row_end() const { return kFirstColumn << (columns_ - 1); }

  // The board from the opponent's side: rows in reverse order.
  std::uint64_t turned(std::uint64_t cells) const { return __builtin_bswap64(cells) >> (64 - 8 * rows_); }

  std::uint64_t piece(int action) const {
    const int cell = action / 3;
    return std::uint64_t{1} << (8 * (cell / columns_) + cell % columns_);
  }
  std::uint64_t target(int action) const { return piece(action) << (7 + action % 3); }

  std::string cell_text(const State& state, std::uint64_t cell) const {
    const int index = std::countr_zero(cell), row = index >> 3;
    return std::string{static_cast<char>('a' + (index & 7)),
                       static_cast<char>('1' + (state.player == 0 ? row : rows_ - 1 - row))};
  }

  // Of the side that goes up.
  float strength(std::uint64_t mine, std::uint64_t theirs) const {
    // Cells from which, or on which, the opponent could still stop a piece: those at or above it in reach of theirs.
    std::uint64_t guarded = theirs;
    for (int row = 1; row < rows_; ++row)
      guarded |= (guarded >> 8 | (guarded & ~kFirstColumn) >> 9 | (guarded & ~row_end()) >> 7) & all_;
    float sum = 0.0f;
    for (int row = 0; row < rows_; ++row) {
      const std::uint64_t pieces = mine & row_of(row);
      const auto advance = static_cast<float>(row) / static_cast<float>(rows_ - 1);
      sum += static_cast<float>(std::popcount(pieces)) * (kPiece + kAdvance * advance * advance) +
             static_cast<float>(std::popcount(pieces & ~guarded)) * kFree * advance;
    }
    return sum;
  }

  static constexpr std::uint64_t kFirstColumn = 0x0101010101010101;
  static constexpr float kPiece = 4.0f, kAdvance = 6.0f, kFree = 12.0f, kMove = 1.0f, kHalfway = 20.0f;

  int rows_, columns_, home_rows_;
  std::uint64_t all_ = 0;
};

RLPLAT_GAME("breakthrough", Breakthrough)
