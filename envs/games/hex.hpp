// Hex on boards of 3x3 to 19x19. Player 0 (X) connects top and bottom, player 1 (O) left and right. With the swap rule,
// player 1 may answer the first stone by taking it over: it becomes a stone of O, reflected in the long diagonal.
//
// Actions and planes are from the view of the player to move: player 1 sees the board reflected in the long diagonal,
// so that whoever moves connects top and bottom. That is Hex's exchange of colours, so nothing is learned twice.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "cells.hpp"
#include "hex_solver.hpp"
#include "rlplat/game.hpp"

class Hex {
 public:
  // Cells row by row, a1 first, whoever moves.
  struct State {
    Cells stones[2];
    Cells linked[2];  // stones linked with the first edge of their owner (top, left), and with the second
    std::uint64_t key;
    std::uint32_t num_moves;
    std::uint32_t is_won;  // by the player who moved last
  };

  static std::span<const rlplat::Parameter> parameters() {
    static constexpr rlplat::Parameter kParameters[] = {
        {"size", 9, 3, 19, true, "rows and columns of the board"},
        {"swap", 0, 0, 1, true, "1: the second player may take over the first stone"},
    };
    return kParameters;
  }

  explicit Hex(std::span<const double> values)
      : size_(static_cast<int>(values[0])),
        num_cells_(size_ * size_),
        has_swap_(values[1] != 0),
        all_(first_cells(num_cells_)) {
    rlplat::Random random(0);
    constexpr int kSteps[6][2] = {{-1, 0}, {-1, 1}, {0, -1}, {0, 1}, {1, -1}, {1, 0}};  // rows and columns
    for (int cell = 0; cell < num_cells_; ++cell) {
      const int row = cell / size_, column = cell % size_;
      Place& place = places_[cell];
      place.reflected = static_cast<std::int16_t>(column * size_ + row);
      for (const int player : {0, 1}) {
        place.keys[player] = random.next();
        const int along = player == 0 ? row : column;
        place.edges[player] = static_cast<std::uint8_t>((along == 0) | (along == size_ - 1) << 1);
      }
      for (const auto [row_step, column_step] : kSteps)
        if (row + row_step >= 0 && row + row_step < size_ && column + column_step >= 0 && column + column_step < size_)
          place.neighbours[place.num_neighbours++] = static_cast<std::int16_t>(cell + row_step * size_ + column_step);
    }
  }

  rlplat::Shape shape() const {
    return {.num_actions = num_cells_ + has_swap_,
            .max_legal_actions = num_cells_,  // where a swap is legal, a cell is not
            .num_planes = 2 + has_swap_,
            .height = size_,
            .width = size_,
            .min_length = 2 * size_ - 1,
            .max_length = num_cells_ + has_swap_,
            .num_symmetries = 2,
            .exact_score_from = size_ <= 5                     ? 0
                                : size_ <= HexSolver::kLargest ? num_cells_ - kSolvedEmpty
                                                               : -1};
  }

  State initial_state() const { return {}; }

  int legal_actions(const State& state, std::int32_t* out) const {
    int count;
    if (player(state) == 0) {
      count = all_.without(state.stones[0] | state.stones[1]).list(out);
    } else {
      Cells taken{};
      for (const Cells& stones : state.stones) stones.each([&](int cell) { taken.add(places_[cell].reflected); });
      count = all_.without(taken).list(out);
    }
    if (can_swap(state)) out[count++] = num_cells_;
    return count;
  }

  void apply(State& state, int action) const {
    const int mover = player(state);
    const std::uint32_t num_moves = state.num_moves + 1;
    if (action == num_cells_) {
      int taken = 0;
      state.stones[0].each([&](int cell) { taken = cell; });
      state = State{};
      place_stone(state, 1, places_[taken].reflected);
    } else {
      place_stone(state, mover, view(action, mover));
    }
    state.num_moves = num_moves;
  }

  int player(const State& state) const { return static_cast<int>(state.num_moves & 1); }

  std::optional<float> outcome(const State& state) const {
    if (state.is_won) return player(state) == 0 ? -1.0f : 1.0f;
    return std::nullopt;
  }

  std::uint64_t hash(const State& state) const { return state.key ^ -static_cast<std::uint64_t>(player(state)); }

  // Planes: stones of the player to move, stones of the opponent, and with the swap rule one that is set where a swap
  // is legal.
  void encode(const State& state, float* planes) const {
    const int mover = player(state);
    state.stones[mover].each([&](int cell) { planes[view(cell, mover)] = 1.0f; });
    state.stones[1 - mover].each([&](int cell) { planes[num_cells_ + view(cell, mover)] = 1.0f; });
    if (can_swap(state)) std::fill_n(planes + 2 * num_cells_, num_cells_, 1.0f);
  }

  // The board turned by 180 degrees.
  void symmetry(int index, std::int32_t* cells, std::int32_t* actions) const {
    for (int cell = 0; cell < num_cells_; ++cell)
      actions[cell] = cells[cell] = index == 0 ? cell : num_cells_ - 1 - cell;
    if (has_swap_) actions[num_cells_] = num_cells_;
  }

  // Stones that come after the winning one cannot change who has won, so the board is filled at once.
  float rollout(const State& state, rlplat::Random& random) const {
    if (state.is_won) return *outcome(state);
    if (can_swap(state) && random.below(static_cast<std::uint32_t>(num_cells_)) == 0) {
      State swapped = state;
      apply(swapped, num_cells_);
      return rollout(swapped, random);
    }
    std::int32_t empty[kMostCells];
    const int count = all_.without(state.stones[0] | state.stones[1]).list(empty);
    Cells first = state.stones[0];
    // Of an odd number of cells the mover fills one more.
    const int share = player(state) == 0 ? (count + 1) / 2 : count / 2;
    for (int i = 0; i < share; ++i) {
      std::swap(empty[i], empty[i + static_cast<int>(random.below(static_cast<std::uint32_t>(count - i)))]);
      first.add(empty[i]);
    }
    return first_connects(first) ? 1.0f : -1.0f;
  }

  // 1 for a win, -1 for a loss: how fast it comes does not matter. Boards of up to 7x7.
  std::int32_t exact_score(const State& state) const {
    if (state.is_won) return -1;
    // Whatever the first stone is worth, the second player may choose to have it or to play against it.
    if (has_swap_ && state.num_moves == 0) return -1;
    std::call_once(solver_made_, [this] { solver_ = std::make_unique<HexSolver>(size_); });
    bool wins = solved(state);
    if (can_swap(state) && !wins) {
      State swapped = state;
      apply(swapped, num_cells_);
      wins = !solved(swapped);
    }
    return wins ? 1 : -1;
  }

  std::string action_text(const State& state, int action) const {
    if (action == num_cells_) return "swap";
    const int cell = view(action, player(state));
    return cell_name(cell % size_, cell / size_);
  }

  std::string text(const State& state) const {
    std::string board = "   " + column_letters(size_) + "\n";
    for (int row = 0; row < size_; ++row) {
      const std::string number = std::to_string(row + 1);
      board += std::string(static_cast<std::size_t>(row + 2) - number.size(), ' ') + number;
      for (int column = 0; column < size_; ++column) {
        const int cell = row * size_ + column;
        (board += ' ') += state.stones[0].has(cell) ? 'X' : state.stones[1].has(cell) ? 'O' : '.';
      }
      board += '\n';
    }
    const bool first = (player(state) == 0) != (state.is_won != 0);
    return board + (first ? "X (top to bottom)" : "O (left to right)") + (state.is_won ? " has won\n" : " to move\n");
  }

 private:
  struct Place {
    std::int16_t reflected;
    std::int16_t neighbours[6];
    std::uint8_t num_neighbours;
    std::uint8_t edges[2];  // of each player: bit 0 the first, bit 1 the second
    std::uint64_t keys[2];
  };

  bool can_swap(const State& state) const { return has_swap_ && state.num_moves == 1; }

  // From the board to the view of a player and back.
  int view(int cell, int player) const { return player == 0 ? cell : places_[cell].reflected; }

  void place_stone(State& state, int player, int cell) const {
    const Place& place = places_[cell];
    const Cells& stones = state.stones[player];
    state.stones[player].add(cell);
    state.key ^= place.keys[player];
    unsigned links = place.edges[player];
    for (int i = 0; i < place.num_neighbours; ++i)
      if (const int next = place.neighbours[i]; stones.has(next))
        links |= static_cast<unsigned>(state.linked[0].has(next)) | static_cast<unsigned>(state.linked[1].has(next))
                                                                        << 1;
    for (int edge = 0; edge < 2; ++edge)
      if (links >> edge & 1) link(state.linked[edge], stones, cell);
    state.is_won = links == 3;
  }

  // Each stone is linked with each edge once in a game.
  void link(Cells& linked, const Cells& stones, int cell) const {
    int waiting[kMostCells], count = 0;
    linked.add(waiting[count++] = cell);
    while (count > 0) {
      const Place& place = places_[waiting[--count]];
      for (int i = 0; i < place.num_neighbours; ++i)
        if (const int next = place.neighbours[i]; stones.has(next) && !linked.has(next))
          linked.add(waiting[count++] = next);
    }
  }

  // Who has connected on a full board: a walk between the players' cells, from the upper left corner to where X meets
  // the bottom or O the right (Gale 1979, "The game of Hex and the Brouwer fixed-point theorem").
  bool first_connects(const Cells& first) const {
    constexpr int kSteps[6][2] = {{0, 1}, {1, 0}, {1, -1}, {0, -1}, {-1, 0}, {-1, 1}};  // in a circle
    int row = -1, column = 0, other = 2;  // beside X's cell lies O's, in direction `other`; ahead is one before that
    for (;;) {
      const int ahead = other == 0 ? 5 : other - 1;
      const int next_row = row + kSteps[ahead][0], next_column = column + kSteps[ahead][1];
      if (next_column == size_) return false;
      if (next_row == size_) return true;
      if (next_column >= 0 && (next_row < 0 || first.has(next_row * size_ + next_column))) {
        row = next_row, column = next_column;
        other = other == 5 ? 0 : other + 1;
      } else {
        other = ahead;
      }
    }
  }

  bool solved(const State& state) const {
    std::uint64_t boards[2] = {};
    for (const int owner : {0, 1})
      state.stones[owner].each([&](int cell) { boards[owner] |= solver_->bit(cell / size_, cell % size_); });
    return solver_->mover_wins(boards[0], boards[1], player(state));
  }

  static constexpr int kSolvedEmpty = 30;

  int size_, num_cells_;
  bool has_swap_;
  Cells all_;
  Place places_[kMostCells] = {};
  mutable std::once_flag solver_made_;  // its table is worth making only where a score is asked for
  mutable std::unique_ptr<const HexSolver> solver_;
};

RLPLAT_GAME("hex", Hex)
