// Othello on boards of 4x4 to 8x8. Who flips nothing passes; once neither player can move, more discs win.
#pragma once

#include <bit>
#include <cmath>
#include <memory>
#include <mutex>
#include <string>

#include "othello_board.hpp"
#include "othello_solver.hpp"
#include "rlplat/game.hpp"

class Othello {
 public:
  // Boards as in othello_board.hpp.
  struct State {
    std::uint64_t mover;  // discs of the player to move
    std::uint64_t other;
    std::uint64_t moves;  // where the mover may play, kept because every call asks for it
    std::uint64_t player;
  };

  static std::span<const rlplat::Parameter> parameters() {
    static constexpr rlplat::Parameter kParameters[] = {
        {"size", 8, 4, 8, true, "rows and columns of the board, an even number"},
    };
    return kParameters;
  }

  explicit Othello(std::span<const double> values) : size_(static_cast<int>(values[0])), board_(size_) {
    if (size_ % 2 != 0) throw std::invalid_argument("the board's size must be even: four discs stand in its middle");
    const int last = size_ - 1, before = size_ - 2;
    for (const int row : {0, last})
      for (const int column : {0, last}) {
        corners_[2 * (row != 0) + (column != 0)] = OthelloBoard::bit(row, column);
        diagonal_[2 * (row != 0) + (column != 0)] = OthelloBoard::bit(row ? before : 1, column ? before : 1);
      }
  }

  rlplat::Shape shape() const {
    const int cells = size_ * size_;
    return {.num_actions = cells + 1,
            .max_legal_actions = cells - 4,
            .num_planes = 2,
            .height = size_,
            .width = size_,
            .min_length = size_ == 4 ? 7 : 9,  // all discs of one side are flipped
            .max_length = 2 * (cells - 4),     // no two passes follow each other
            .num_symmetries = 4,
            .exact_score_from = std::max(0, cells - 4 - kSolvedEmpty)};
  }

  // The first player has the discs at e4 and d5, as on the standard board.
  State initial_state() const {
    const int low = size_ / 2 - 1, high = size_ / 2;
    const std::uint64_t mover = OthelloBoard::bit(low, high) | OthelloBoard::bit(high, low);
    const std::uint64_t other = OthelloBoard::bit(low, low) | OthelloBoard::bit(high, high);
    return {mover, other, board_.moves(mover, other), 0};
  }

  int legal_actions(const State& state, std::int32_t* out) const {
    if (state.moves == 0) {
      *out = pass();
      return 1;
    }
    int count = 0;
    for (std::uint64_t moves = state.moves; moves != 0; moves &= moves - 1) {
      const int index = std::countr_zero(moves);
      out[count++] = (index >> 3) * size_ + (index & 7);
    }
    return count;
  }

  void apply(State& state, int action) const {
    std::uint64_t mover = state.mover, other = state.other;
    if (action != pass()) place(mover, other, bit(action));
    state = {other, mover, board_.moves(other, mover), state.player ^ 1};
  }

  int player(const State& state) const { return static_cast<int>(state.player); }

  std::optional<float> outcome(const State& state) const {
    if (state.moves != 0 || board_.moves(state.other, state.mover) != 0) return std::nullopt;
    return result(state.mover, state.other, state.player == 0 ? 1.0f : -1.0f);
  }

  std::uint64_t hash(const State& state) const { return rlplat::hash_words(state.mover, state.other) ^ -state.player; }

  // Planes: discs of the player to move, discs of the opponent; the top row first.
  void encode(const State& state, float* planes) const {
    const int cells = size_ * size_;
    for (int cell = 0; cell < cells; ++cell) {
      planes[cell] = (state.mover & bit(cell)) != 0;
      planes[cells + cell] = (state.other & bit(cell)) != 0;
    }
  }

  // Those that keep the start as it is: bit 0 transposes, bit 1 turns by 180 degrees. The other four of the square
  // exchange the colours of the start.
  void symmetry(int index, std::int32_t* cells, std::int32_t* actions) const {
    for (int row = 0; row < size_; ++row)
      for (int column = 0; column < size_; ++column) {
        int source = index & 1 ? column * size_ + row : row * size_ + column;
        if (index & 2) source = size_ * size_ - 1 - source;
        actions[row * size_ + column] = cells[row * size_ + column] = source;
      }
    actions[pass()] = pass();
  }

  float rollout(const State& state, rlplat::Random& random) const {
    std::uint64_t mover = state.mover, other = state.other, moves = state.moves;
    float sign = state.player == 0 ? 1.0f : -1.0f;
    for (;;) {
      if (moves == 0) {
        if (board_.moves(other, mover) == 0) return result(mover, other, sign);
      } else {
        for (auto skipped = random.below(static_cast<std::uint32_t>(std::popcount(moves))); skipped > 0; --skipped)
          moves &= moves - 1;
        place(mover, other, moves & -moves);
      }
      std::swap(mover, other);
      sign = -sign;
      moves = board_.moves(mover, other);
    }
  }

  // See othello_solver.hpp. With 16 empty cells on the standard board: 0.1 s on average, 0.3 s at worst of 40.
  std::int32_t exact_score(const State& state) const {
    std::call_once(solver_made_, [this] { solver_ = std::make_unique<OthelloSolver>(board_, size_); });
    return solver_->solve(state.mover, state.other);
  }

  // Moves to choose from, discs beside empty cells (which give the opponent moves), corners, and discs diagonally
  // beside empty corners (which give those away).
  float heuristic(const State& state) const {
    const float balance = strength(state.mover, state.other, state.moves) -
                          strength(state.other, state.mover, board_.moves(state.other, state.mover));
    return balance / (kHalfway + std::abs(balance));
  }

  std::string action_text(const State&, int action) const {
    if (action == pass()) return "pass";
    return static_cast<char>('a' + action % size_) + std::to_string(action / size_ + 1);
  }

  std::string text(const State& state) const {
    const std::uint64_t discs[2] = {state.player == 0 ? state.mover : state.other,
                                    state.player == 0 ? state.other : state.mover};
    std::string board = " ";
    for (int column = 0; column < size_; ++column) (board += ' ') += static_cast<char>('a' + column);
    board += '\n';
    for (int row = 0; row < size_; ++row) {
      board += static_cast<char>('1' + row);
      for (int column = 0; column < size_; ++column) {
        const std::uint64_t cell = OthelloBoard::bit(row, column);
        (board += ' ') += (discs[0] & cell) ? 'X' : (discs[1] & cell) ? 'O' : '.';
      }
      board += '\n';
    }
    return board + "X " + std::to_string(std::popcount(discs[0])) + ", O " + std::to_string(std::popcount(discs[1])) +
           (outcome(state)      ? "\n"
            : state.player == 0 ? ", X to move\n"
                                : ", O to move\n");
  }

 private:
  int pass() const { return size_ * size_; }
  std::uint64_t bit(int cell) const { return OthelloBoard::bit(cell / size_, cell % size_); }

  void place(std::uint64_t& mover, std::uint64_t& other, std::uint64_t disc) const {
    const std::uint64_t flips = board_.flips(mover, other, disc);
    mover |= flips | disc;
    other &= ~flips;
  }

  static float result(std::uint64_t mover, std::uint64_t other, float sign) {
    const int balance = std::popcount(mover) - std::popcount(other);
    return balance > 0 ? sign : balance < 0 ? -sign : 0.0f;
  }

  float strength(std::uint64_t mover, std::uint64_t other, std::uint64_t moves) const {
    const std::uint64_t empty = board_.all() & ~(mover | other);
    int own_corners = 0, given_away = 0;
    for (int i = 0; i < 4; ++i) {
      own_corners += (mover & corners_[i]) != 0;
      given_away += (mover & diagonal_[i]) != 0 && (empty & corners_[i]) != 0;
    }
    return kMove * static_cast<float>(std::popcount(moves)) + kCorner * static_cast<float>(own_corners) -
           kFrontier * static_cast<float>(std::popcount(mover & OthelloBoard::widened(empty))) -
           kGivenAway * static_cast<float>(given_away);
  }

  static constexpr float kMove = 2.0f, kFrontier = 1.0f, kCorner = 16.0f, kGivenAway = 8.0f, kHalfway = 40.0f;
  static constexpr int kSolvedEmpty = 16;

  int size_;
  OthelloBoard board_;
  std::uint64_t corners_[4] = {}, diagonal_[4] = {};  // corners, and their diagonal neighbours
  mutable std::once_flag solver_made_;                // its table is worth making only where a score is asked for
  mutable std::unique_ptr<const OthelloSolver> solver_;
};

RLPLAT_GAME("othello", Othello)
