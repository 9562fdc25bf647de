// Chess. A mate ends the game, as do stalemate, the third occurrence of a position, fifty moves of each side without
// capture or pawn move, and pieces that cannot mate; these are draws without being claimed. Player 0 has White.
#pragma once

#include <algorithm>
#include <array>
#include <string>

#include "chess_moves.hpp"
#include "chess_random.hpp"
#include "chess_text.hpp"
#include "chess_worth.hpp"
#include "rlplat/game.hpp"

class Chess {
 public:
  using State = chess::Position;
  using Past = rlplat::Past<State>;
  static constexpr int kMaxHistory = 8, kFiftyMoves = 100;  // plies
  // A repetition reaches back to the last capture or pawn move, also that of the oldest position in the planes.
  static constexpr int kPastLength = kFiftyMoves + kMaxHistory - 1;
  static constexpr std::array<const char*, 2> kNotations{"san", "uci"};

  static std::span<const rlplat::Parameter> parameters() {
    static constexpr rlplat::Parameter kParameters[] = {
        {"history", kMaxHistory, 1, kMaxHistory, true, "positions in the planes, the present one included"},
        {"max_length", 512, 1, 12000, true, "plies after which the game is a draw"},
    };
    return kParameters;
  }

  explicit Chess(std::span<const double> values)
      : history_(static_cast<int>(values[0])), max_length_(static_cast<int>(values[1])) {}

  rlplat::Shape shape() const {
    return {.num_actions = 64 * chess::kNumPlanes,
            .max_legal_actions = chess::kMostMoves,
            .num_planes = kPlanesPerPosition * history_ + 7,
            .height = 8,
            .width = 8,
            .min_length = std::min(4, max_length_),
            .max_length = max_length_};
  }

  State initial_state() const { return chess::read_fen(chess::kStart); }
  int player(const State& state) const { return state.ply & 1; }
  int legal_actions(const State& state, std::int32_t* out) const { return chess::list_moves(state, out); }
  void apply(State& state, int action) const { chess::apply(state, chess::Move(state, action)); }

  std::optional<float> outcome(const State& state, Past past) const {
    if (!chess::has_move(state)) {
      if (!chess::in_check(state)) return 0.0f;
      return player(state) == 0 ? -1.0f : 1.0f;
    }
    if (state.clock >= kFiftyMoves || state.ply >= max_length_ || !can_mate(state) || count_before(state, past, 0) >= 2)
      return 0.0f;
    return std::nullopt;
  }

  // Random moves, drawn without a list, and compared only with positions that may come back.
  float rollout(State state, Past past, rlplat::Random& random) const {
    State before[kFiftyMoves];  // since the last capture or pawn move
    int known = std::min<int>({state.clock, past.size(), kFiftyMoves});
    for (int age = 0; age < known; ++age) before[known - 1 - age] = past[age];
    for (;;) {
      chess::RandomMove moves(state);
      const std::optional<chess::Move> move = moves.draw(random);
      if (!move) return !moves.in_check() ? 0.0f : player(state) == 0 ? -1.0f : 1.0f;
      int occurrences = 0;
      for (int at = known - 4; at >= 0; at -= 2) occurrences += before[at].repeats(state);
      if (state.clock >= kFiftyMoves || state.ply >= max_length_ || !can_mate(state) || occurrences >= 2) return 0.0f;
      before[known++] = state;
      chess::apply(state, *move);
      if (state.clock == 0) known = 0;
    }
  }

  // To look for a mate at every leaf of a search would cost more than it gives.
  int winning_action(const State&) const { return -1; }

  std::uint64_t hash(const State& state) const {
    return rlplat::hash_words(hash_board(state), std::uint64_t{state.ply} << 8 | state.clock);
  }

  // What is to come depends on the positions since the last capture or pawn move, which may occur again, in any order;
  // the planes on the order of the last positions, and on how often each had occurred.
  std::uint64_t evaluation_key(const State& state, Past past) const {
    std::uint64_t sum = 0;
    const int repeatable = std::min<int>(state.clock, past.size()), shown = std::min(history_ - 1, past.size());
    for (int age = 0; age < std::max(repeatable, shown); ++age) {
      std::uint64_t word = rlplat::hash_words(hash_board(past[age]), static_cast<std::uint64_t>(age & 1));
      if (age < shown)
        word *= static_cast<std::uint64_t>(8 * age + 2 * std::min(count_before(past[age], past, age + 1), 2) + 3);
      sum += word;
    }
    return rlplat::hash_words(hash(state), sum);
  }

  // Planes of the AlphaZero paper (Silver et al. 2018, supplement, table S1): for each of the last positions, newest
  // first, own pawns, knights, bishops, rooks, queens, king, those of the opponent, and ones if the position had
  // occurred before, and twice before; then ones if the player to move is White, the share of max_length played, own
  // rights to castle short and long, those of the opponent, and the share of the fifty moves. The far rank comes first.
  void encode(const State& state, Past past, float* planes) const {
    for (int age = 0; age < history_ && age <= past.size(); ++age) {
      const State& then = age == 0 ? state : past[age - 1];
      float* plane = planes + age * kPlanesPerPosition * 64;
      for (int side = 0; side < 2; ++side)
        for (const chess::Bits kind : then.kinds) {
          // In between the board was turned; and what was the other side's is now one's own.
          const chess::Bits bits = kind & ((age + side) % 2 == 0 ? then.own : ~then.own);
          const int to_far_first = age % 2 == 0 ? 56 : 0;
          chess::each(bits, [&](int square) { plane[square ^ to_far_first] = 1.0f; });
          plane += 64;
        }
      const int before = count_before(then, past, age);
      std::fill_n(plane, 64 * std::min(before, 2), 1.0f);
    }
    const float flags[] = {player(state) == 0 ? 1.0f : 0.0f,
                           static_cast<float>(state.ply) / static_cast<float>(max_length_),
                           state.castling & chess::kOwnShort ? 1.0f : 0.0f,
                           state.castling & chess::kOwnLong ? 1.0f : 0.0f,
                           state.castling & chess::kOtherShort ? 1.0f : 0.0f,
                           state.castling & chess::kOtherLong ? 1.0f : 0.0f,
                           static_cast<float>(state.clock) / kFiftyMoves};
    for (int i = 0; i < 7; ++i) std::fill_n(planes + (kPlanesPerPosition * history_ + i) * 64, 64, flags[i]);
  }

  // Material and where it stands, blended from the opening to the endgame by the pieces that are left.
  float heuristic(const State& state) const {
    const chess::Bits own = state.own, other = state.other();
    int opening = 0, endgame = 0, left = 0;
    for (int kind = 0; kind < chess::kNumKinds; ++kind) {
      const auto add = [&](int square, int sign) {
        const chess::Worth worth = chess::kWorth.of[kind][square];
        opening += sign * worth.opening;
        endgame += sign * worth.endgame;
        left += kPhase[kind];
      };
      chess::each(state.kinds[kind] & own, [&](int square) { add(square, 1); });
      chess::each(state.kinds[kind] & other, [&](int square) { add(square ^ 56, -1); });
    }
    left = std::min(left, kFullPhase);
    const auto lead = static_cast<float>(opening * left + endgame * (kFullPhase - left)) / kFullPhase;
    return lead / (kHalfway + std::abs(lead));
  }

  std::string action_text(const State& state, int action, int notation) const {
    return notation == 0 ? chess::write_san(state, action) : chess::write_uci(state, action);
  }
  int parse_action(const State& state, const std::string& text) const { return chess::read_move(state, text); }
  std::string text(const State& state) const { return chess::draw(state) + chess::write_fen(state) + "\n"; }

  // A FEN, or a board with one below it as `text` writes it.
  State parse_state(const std::string& text) const {
    const State state = chess::read_fen(text);
    if (state.ply >= max_length_)
      throw std::invalid_argument("its move number lies beyond max_length, " + std::to_string(max_length_) + " plies");
    return state;
  }

 private:
  static constexpr int kPlanesPerPosition = 14;

  // How often the position `age` plies ago had occurred before.
  static int count_before(const State& then, Past past, int age) {
    int count = 0;
    // Two plies cannot bring a position back, four can.
    for (int plies = 4; plies <= then.clock && age + plies <= past.size(); plies += 2)
      count += then.repeats(past[age + plies - 1]);
    return count;
  }

  // A lone king, or one with a single knight, or with bishops on squares of one colour only, on both sides together.
  static bool can_mate(const State& state) {
    using namespace chess;
    if (state.kinds[kPawn] | state.kinds[kRook] | state.kinds[kQueen]) return true;
    constexpr Bits kDark = 0xAA55AA55AA55AA55;
    const Bits bishops = state.kinds[kBishop];
    const int knights = std::popcount(state.kinds[kKnight]);
    if (bishops == 0) return knights > 1;
    return knights > 0 || ((bishops & kDark) != 0 && (bishops & ~kDark) != 0);
  }

  // Of what a position must have in common with another to be the same.
  static std::uint64_t hash_board(const State& state) {
    std::uint64_t sum = std::uint64_t{state.castling} << 8 | state.en_passant;
    const auto add = [&](std::uint64_t word) {
      sum = (sum ^ word) * 0x9E3779B97F4A7C15ull;
      sum ^= sum >> 32;
    };
    for (const chess::Bits kind : state.kinds) add(kind);
    add(state.own);
    return sum;
  }

  static constexpr int kPhase[] = {0, 1, 1, 2, 4, 0}, kFullPhase = 24;
  static constexpr float kHalfway = 500.0f;

  int history_, max_length_;
};

RLPLAT_GAME("chess", Chess)
