// Tic-tac-toe with one fault, which the parameter `fault` chooses; 0: none. For the tests of rlplat.testing.
#pragma once

#include <bit>
#include <cmath>
#include <string>

#include "rlplat/game.hpp"

class Faulty {
 public:
  enum Fault {
    kNone,
    kMaxLegalAboveActions,
    kMinAboveMax,
    kStartsFinished,
    kStartVaries,
    kDescendingLegal,
    kActionOutOfRange,
    kStuck,
    kThirdPlayer,
    kOnePlayer,
    kHugeReturn,
    kEndsEarly,
    kEndsLate,
    kSharedMemory,
    kMovesVary,
    kEqualActionTexts,
    kSpacedActionText,
    kEmptyText,
    kHiddenMove,
    kConstantHash,
    kHashOfLastMove,
    kCoarseEvaluationKey,
    kKeyForgetsShownMove,
    kNanPlane,
    kNoPermutation,
    kNoIdentity,
    kNoGroup,
    kEqualSymmetries,
    kSymmetryForgetsActions,
    kAsymmetricRules,
    kRolloutForTheMover,
    kHopefulWinningAction,
    kHeuristicTooLarge,
    kHeuristicVaries,
    kLopsidedHeuristic,
    kHeuristicOfFirstPlayer,
    kScoreOfFirstPlayer,
    kScoreForgetsChildren,
    kLopsidedScore,
    kThrows,
    kThrowsHeuristic,
    kMaxLegalTooSmall,
  };

  struct State {
    std::uint16_t mover;
    std::uint16_t other;
    std::uint16_t last;
  };

  static std::span<const rlplat::Parameter> parameters() {
    static constexpr rlplat::Parameter kParameters[] = {{"fault", 0, 0, kMaxLegalTooSmall, true, "what is wrong"}};
    return kParameters;
  }

  explicit Faulty(std::span<const double> values) : fault_(static_cast<Fault>(static_cast<int>(values[0]))) {}

  rlplat::Shape shape() const {
    return {.num_actions = 9,
            .max_legal_actions = fault_ == kMaxLegalAboveActions ? 10
                                 : fault_ == kMaxLegalTooSmall   ? 8
                                                                 : 9,
            .num_planes = 2,
            .height = 3,
            .width = 3,
            .min_length = fault_ == kMinAboveMax ? 10
                          : fault_ == kEndsEarly ? 6
                                                 : 5,
            .max_length = fault_ == kEndsLate ? 8 : 9,
            .num_symmetries = fault_ == kNoGroup ? 3 : 8,
            .exact_score_from = 5};
  }

  State initial_state() const {
    ++num_calls_;
    return {static_cast<std::uint16_t>(fault_ == kStartVaries ? num_calls_ & 1 : 0), 0, 9};
  }

  int legal_actions(const State& state, std::int32_t* out) const {
    const int stones = state.mover | state.other;
    if (fault_ == kStuck && std::popcount(static_cast<unsigned>(stones)) == 4) return 0;
    int count = 0;
    for (int cell = 0; cell < 9; ++cell)
      if (!(stones >> cell & 1)) out[count++] = cell;
    if (fault_ == kAsymmetricRules && stones == 0) --count;  // no game starts in the last corner
    if (fault_ == kDescendingLegal) std::reverse(out, out + count);
    if (fault_ == kActionOutOfRange && count == 3) out[2] = 9;
    return count;
  }

  void apply(State& state, int cell) const {
    ++num_calls_;
    if (fault_ == kThrows && state.other != 0) throw std::runtime_error("no cell");
    const int shown = fault_ == kMovesVary ? num_calls_ % 1000 : cell;
    state = {state.other, static_cast<std::uint16_t>(state.mover | 1 << cell), static_cast<std::uint16_t>(shown)};
  }

  int player(const State& state) const {
    const int turn = std::popcount(static_cast<unsigned>(state.mover | state.other)) & 1;
    return fault_ == kOnePlayer ? 0 : fault_ == kThirdPlayer ? turn + 1 : turn;
  }

  std::optional<float> outcome(const State& state) const {
    if (fault_ == kStartsFinished && (state.mover | state.other) == 0) return 0.0f;
    const float win = fault_ == kHugeReturn ? 2.0f : 1.0f;
    for (const int line : kLines)
      if ((state.other & line) == line) return turn_of(state) == 0 ? -win : win;
    if ((state.mover | state.other) == 0b111111111) return 0.0f;
    return std::nullopt;
  }

  std::uint64_t hash(const State& state) const {
    if (fault_ == kConstantHash) return 1;
    return rlplat::hash_words(state.mover,
                              state.other | (fault_ == kHashOfLastMove || fault_ == kMovesVary ? state.last << 16 : 0));
  }

  std::uint64_t evaluation_key(const State& state) const {
    return fault_ == kCoarseEvaluationKey ? rlplat::hash_words(state.mover, 0)
                                          : rlplat::hash_words(state.mover, state.other);
  }

  void encode(const State& state, float* planes) const {
    for (int cell = 0; cell < 9; ++cell) {
      planes[cell] = static_cast<float>(state.mover >> cell & 1);
      planes[9 + cell] = static_cast<float>(state.other >> cell & 1);
    }
    if (fault_ == kKeyForgetsShownMove && state.last < 9) planes[9 + state.last] = 0.5f;
    if (fault_ == kNanPlane && state.last == 4) planes[4] = std::nanf("");
  }

  void symmetry(int index, std::int32_t* cells, std::int32_t* actions) const {
    if (fault_ == kNoIdentity) index = (index + 1) % 8;
    if (fault_ == kEqualSymmetries) index = index == 7 ? 6 : index;
    for (int row = 0; row < 3; ++row)
      for (int column = 0; column < 3; ++column) {
        int source_row = index & 2 ? 2 - row : row, source_column = index & 1 ? 2 - column : column;
        if (index & 4) std::swap(source_row, source_column);
        actions[row * 3 + column] = cells[row * 3 + column] = source_row * 3 + source_column;
      }
    if (fault_ == kNoPermutation && index == 3) cells[0] = cells[1];
    if (fault_ == kSymmetryForgetsActions)
      for (int cell = 0; cell < 9; ++cell) actions[cell] = cell;
  }

  float rollout(const State& state, rlplat::Random& random) const {
    const float result = rlplat::detail::Adapter<Faulty>::random_game(*this, state, {nullptr, 0}, random);
    return fault_ == kRolloutForTheMover && turn_of(state) == 1 ? -result : result;
  }

  // Lines that only the player to move can still complete, less those that only the other can.
  float heuristic(const State& state) const {
    ++num_calls_;
    if (fault_ == kThrowsHeuristic) throw std::runtime_error("no view");
    int open = 0;
    for (const int line : kLines) open += ((state.other & line) == 0) - ((state.mover & line) == 0);
    float value = static_cast<float>(open) / (fault_ == kHeuristicTooLarge ? 1.0f : 8.0f);
    if (fault_ == kHeuristicVaries) value /= static_cast<float>(1 + (num_calls_ & 1));
    if (fault_ == kLopsidedHeuristic && (state.mover & 1)) value = 0.0f;
    return fault_ == kHeuristicOfFirstPlayer && turn_of(state) == 1 ? -value : value;
  }

  // The cell that completes a line.
  int winning_action(const State& state) const {
    const int stones = state.mover | state.other;
    for (int cell = 0; cell < 9; ++cell) {
      if (stones >> cell & 1) continue;
      const int mover = state.mover | 1 << cell;
      if (fault_ == kHopefulWinningAction) return cell;
      for (const int line : kLines)
        if ((mover & line) == line) return cell;
    }
    return -1;
  }

  // 1, 0 or -1: whether the player to move wins.
  int exact_score(const State& state) const {
    const int score = solve(state);
    if (fault_ == kScoreForgetsChildren && !outcome(state)) return 0;
    return fault_ == kScoreOfFirstPlayer && turn_of(state) == 1 ? -score : score;
  }

  std::string action_text(const State&, int action) const {
    if (fault_ == kEqualActionTexts && action == 8) return "8";
    if (fault_ == kSpacedActionText) return "cell " + std::to_string(action);
    return std::to_string(action + 1);
  }

  std::string text(const State& state) const {
    if (fault_ == kEmptyText) return "";
    const bool first = turn_of(state) == 0;
    std::string board;
    for (int cell = 0; cell < 9; ++cell) {
      const bool hidden = fault_ == kHiddenMove && cell == 4;
      board += hidden                      ? '.'
               : (state.mover >> cell & 1) ? (first ? 'X' : 'O')
               : (state.other >> cell & 1) ? (first ? 'O' : 'X')
                                           : '.';
      board += cell % 3 < 2 ? ' ' : '\n';
    }
    if (fault_ == kSharedMemory) board += std::to_string(num_calls_) + "\n";
    return board;
  }

 private:
  static constexpr int kLines[] = {0b111000000, 0b000111000, 0b000000111, 0b100100100,
                                   0b010010010, 0b001001001, 0b100010001, 0b001010100};

  int solve(const State& state) const {
    for (const int line : kLines)
      if ((state.other & line) == line) return fault_ == kLopsidedScore && (state.other & 1) ? -2 : -1;
    int best = -2;
    const int stones = state.mover | state.other;
    if (stones == 0b111111111) return 0;
    for (int cell = 0; cell < 9; ++cell)
      if (!(stones >> cell & 1))
        best = std::max(best, -solve({state.other, static_cast<std::uint16_t>(state.mover | 1 << cell), 0}));
    return best;
  }

  static int turn_of(const State& state) { return std::popcount(static_cast<unsigned>(state.mover | state.other)) & 1; }

  Fault fault_;
  mutable int num_calls_ = 0;
};

RLPLAT_GAME("faulty", Faulty)
