// Go on boards from 5x5 to 19x19: area scoring with komi, positional superko (a stone may not bring back any earlier
// position of the board, whoever is to move), no suicide. Two passes in a row end the game, as does its maximum length,
// and all stones on the board then count as alive. Player 0 has the black stones.
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <string>
#include <variant>

#include "go_board.hpp"
#include "rlplat/game.hpp"

class Go {
 public:
  static constexpr int kPastLength = -1;  // superko
  static constexpr int kMaxSize = 19, kMaxWords = 6, kMaxHistory = 8;

  struct State {
    std::uint64_t board_hash;  // of the stones alone
    std::uint16_t num_stones[2];
    std::uint16_t ply;
    std::uint16_t num_passes;            // in a row
    std::uint64_t stones[2][kMaxWords];  // black, white; see go_board.hpp, row 0 at the top
  };
  using Past = rlplat::Past<State>;

  static std::span<const rlplat::Parameter> parameters() {
    static constexpr rlplat::Parameter kParameters[] = {
        {"size", 9, 5, kMaxSize, true, "rows and columns of the board"},
        {"komi", 7.5, -361, 361, false, "points that White gets for moving second, a multiple of 0.5"},
        {"history", kMaxHistory, 1, kMaxHistory, true, "positions in the planes, the present one included"},
        {"max_length", 0, 0, 4000, true, "plies after which the game is scored as it stands; 0: 2 size^2"},
    };
    return kParameters;
  }

  explicit Go(std::span<const double> values)
      : size_(static_cast<int>(values[0])),
        history_(static_cast<int>(values[2])),
        max_length_(static_cast<int>(values[3])),
        board_(make_board(size_)) {
    if (max_length_ == 0) max_length_ = 2 * size_ * size_;
    if (values[1] * 2 != std::floor(values[1] * 2)) throw std::invalid_argument("komi must be a multiple of 0.5");
    double_komi_ = static_cast<int>(values[1] * 2);
    rlplat::Random random(20);
    for (int cell = 0; cell < size_ * size_; ++cell) cell_of_[bit_of(cell)] = static_cast<std::int16_t>(cell);
    for (auto& keys : stone_keys_)
      for (std::uint64_t& key : keys) key = random.next();
  }

  rlplat::Shape shape() const {
    return {.num_actions = size_ * size_ + 1,
            .max_legal_actions = size_ * size_ + 1,
            .num_planes = 2 * history_ + 1,
            .height = size_,
            .width = size_,
            .min_length = std::min(2, max_length_),
            .max_length = max_length_,
            .num_symmetries = 8};
  }

  State initial_state() const { return {}; }
  int player(const State& state) const { return state.ply & 1; }

  int legal_actions(const State& state, Past past, std::int32_t* out) const {
    int count = 0;
    with_board(
        [&](const auto& board) { playable(board, state, past).each([&](int bit) { out[count++] = cell_of_[bit]; }); });
    out[count++] = pass();
    return count;
  }

  void apply(State& state, int action) const {
    if (action == pass()) ++state.num_passes;
    else with_board([&](const auto& board) { place(board, state, bit_of(action)); });
    ++state.ply;
  }

  std::optional<float> outcome(const State& state) const {
    if (state.num_passes < 2 && state.ply < max_length_) return std::nullopt;
    return result(state);
  }

  // Passing, after a pass or with the last move. That a stone can win with the last move is left to the search.
  int winning_action(const State& state) const {
    if (state.num_passes == 0 && state.ply + 1 < max_length_) return -1;
    return result(state) == (player(state) == 0 ? 1.0f : -1.0f) ? pass() : -1;
  }

  std::uint64_t hash(const State& state) const {
    return rlplat::hash_words(state.board_hash, std::uint64_t{state.ply} << 2 | state.num_passes);
  }

  // Superko makes the moves that are legal now or later depend on the set of all earlier positions, the planes on the
  // order of the last ones.
  std::uint64_t evaluation_key(const State& state, Past past) const {
    std::uint64_t sum = 0;
    for (int age = 0; age < past.size(); ++age) {
      const std::uint64_t word = (past[age].board_hash + kOdd) * kOdd;
      const int place = age + 1 < history_ ? age + 1 : 0;
      sum += (word ^ word >> 32) * static_cast<std::uint64_t>(2 * place + 1);
    }
    return rlplat::hash_words(hash(state), sum);
  }

  // Planes: stones of the player to move and of the opponent, now and after each of the moves before, newest first;
  // ones if the player to move is Black (AlphaGo Zero paper, Methods, "Neural network architecture").
  void encode(const State& state, Past past, float* planes) const {
    const int cells = size_ * size_, mover = player(state);
    for (int age = 0; age < history_ && age <= past.size(); ++age) {
      const State& then = age == 0 ? state : past[age - 1];
      for (int side = 0; side < 2; ++side) {
        float* plane = planes + (2 * age + side) * cells;
        for (int w = 0; w < kMaxWords; ++w)
          for (std::uint64_t rest = then.stones[mover ^ side][w]; rest != 0; rest &= rest - 1)
            plane[cell_of_[64 * w + std::countr_zero(rest)]] = 1.0f;
      }
    }
    if (mover == 0) std::fill_n(planes + 2 * history_ * cells, cells, 1.0f);
  }

  // Bit 0 mirrors left and right, bit 1 mirrors top and bottom, bit 2 transposes.
  void symmetry(int index, std::int32_t* cells, std::int32_t* actions) const {
    const int last = size_ - 1;
    for (int row = 0; row < size_; ++row)
      for (int column = 0; column < size_; ++column) {
        int from_row = index & 2 ? last - row : row, from_column = index & 1 ? last - column : column;
        if (index & 4) std::swap(from_row, from_column);
        actions[row * size_ + column] = cells[row * size_ + column] = from_row * size_ + from_column;
      }
    actions[pass()] = pass();
  }

  // Random legal moves that do not fill an eye of the player's own; a pass where there is none.
  float rollout(State state, Past past, rlplat::Random& random) const {
    thread_local SeenPositions seen;
    seen.clear();
    seen.add(state.board_hash);
    for (int age = 0; age < past.size(); ++age) seen.add(past[age].board_hash);
    return with_board([&](const auto& board) {
      while (state.num_passes < 2 && state.ply < max_length_) {
        if (!place_at_random(board, state, seen, random)) ++state.num_passes;
        ++state.ply;
      }
      return result(state);
    });
  }

  // GTP's vertices, where columns are letters without I: A1 is at the lower left.
  std::string action_text(const State&, int action) const {
    if (action == pass()) return "pass";
    return kLetters[action % size_] + std::to_string(size_ - action / size_);
  }

  int parse_action(const State&, const std::string& text) const {
    std::string upper;
    for (const char c : text) upper += static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    if (upper == "PASS") return pass();
    if (upper.size() < 2 || upper.size() > 3 || upper[1] == '0') return -1;
    const std::size_t column = std::string(kLetters).find(upper[0]);
    int number = 0;
    for (const char digit : upper.substr(1)) {
      if (digit < '0' || digit > '9') return -1;
      number = 10 * number + digit - '0';
    }
    if (column >= static_cast<std::size_t>(size_) || number > size_) return -1;
    return (size_ - number) * size_ + static_cast<int>(column);
  }

  std::string text(const State& state) const {
    const std::string letters = letter_row();
    std::string out = letters;
    for (int row = 0; row < size_; ++row) {
      const std::string number = std::to_string(size_ - row);
      out += (number.size() < 2 ? " " : "") + number;
      for (int column = 0; column < size_; ++column) {
        const int bit = bit_of(row * size_ + column);
        const auto has = [&](int side) { return state.stones[side][bit >> 6] >> (bit & 63) & 1; };
        out += has(0) ? " X" : has(1) ? " O" : " .";
      }
      out += " " + number + "\n";
    }
    out += letters + "move " + std::to_string(state.ply + 1) + ", " + (player(state) == 0 ? "X" : "O") + " to play";
    constexpr const char* kPasses[] = {"\n", ", after a pass\n", ", after two passes\n"};
    return out + kPasses[state.num_passes];
  }

 private:
  using AnyBoard = std::variant<Board<1>, Board<2>, Board<3>, Board<4>, Board<6>>;

  // The positions of one game, by hash, for random play.
  class SeenPositions {
   public:
    void clear() {
      if (++game_ == 0) entries_ = {}, game_ = 1;
      count_ = 0;
    }
    bool has(std::uint64_t hash) const { return entries_[find(hash)].game == game_; }
    void add(std::uint64_t hash) {
      Entry& entry = entries_[find(hash)];
      if (entry.game != game_ && ++count_ < kSize) entry = {hash, game_};
    }

   private:
    static constexpr unsigned kSize = 1 << 13;  // more than twice the plies of any game, so a search soon ends
    struct Entry {
      std::uint64_t hash;
      std::uint32_t game;
    };
    std::size_t find(std::uint64_t hash) const {
      std::size_t place = hash % kSize;
      while (entries_[place].game == game_ && entries_[place].hash != hash) place = (place + 1) % kSize;
      return place;
    }
    std::array<Entry, kSize> entries_{};
    std::uint32_t game_ = 0, count_ = 0;
  };

  static AnyBoard make_board(int size) {
    const int bits = size * (size + 1);
    if (bits <= 64) return Board<1>(size);
    if (bits <= 128) return Board<2>(size);
    if (bits <= 192) return Board<3>(size);
    if (bits <= 256) return Board<4>(size);
    return Board<6>(size);
  }

  template <class Work>
  auto with_board(Work work) const -> std::invoke_result_t<Work, const Board<1>&> {
    return std::visit(work, board_);
  }

  template <int Words>
  static Points<Words> stones(const Board<Words>&, const State& state, int side) {
    Points<Words> out;
    std::copy_n(state.stones[side], Words, out.words);
    return out;
  }

  int pass() const { return size_ * size_; }
  int bit_of(int cell) const { return cell / size_ * (size_ + 1) + cell % size_; }

  template <int Words>
  void place(const Board<Words>& board, State& state, int bit) const {
    const int mover = player(state), other = 1 - mover;
    const auto point = Points<Words>::one(bit);
    const auto ours = stones(board, state, mover) | point, theirs = stones(board, state, other);
    put(board, state, bit, ours, theirs, board.captured(point, theirs, board.all().without(ours | theirs)));
  }

  // Writes the position after a stone at `bit` into `state`: `ours` with that stone, `theirs` before `taken` are.
  template <int Words>
  void put(const Board<Words>&, State& state, int bit, const Points<Words>& ours, const Points<Words>& theirs,
           const Points<Words>& taken) const {
    const int mover = player(state), other = 1 - mover;
    std::copy_n(ours.words, Words, state.stones[mover]);
    std::copy_n(theirs.without(taken).words, Words, state.stones[other]);
    state.board_hash ^= stone_keys_[mover][bit];
    ++state.num_stones[mover];
    taken.each([&](int at) {
      state.board_hash ^= stone_keys_[other][at];
      --state.num_stones[other];
    });
    state.num_passes = 0;
  }

  template <int Words>
  Points<Words> playable(const Board<Words>& board, const State& state, Past past) const {
    const int mover = player(state), other = 1 - mover;
    const auto ours = stones(board, state, mover), theirs = stones(board, state, other);
    const auto empty = board.all().without(ours | theirs);
    auto allowed = board.playable(ours, theirs, empty);
    // A position can come back only after a capture; and all plies are stones where none was taken and nobody passed.
    if (state.num_stones[0] + state.num_stones[1] == state.ply) return allowed;
    for (int age = 0; age < past.size(); ++age) {
      const State& then = past[age];
      if (then.num_stones[mover] != state.num_stones[mover] + 1 || then.num_stones[other] > state.num_stones[other])
        continue;
      // It comes back exactly by that one stone of ours that it has and the present does not.
      const auto point = stones(board, then, mover) ^ ours, kept = stones(board, then, other);
      if (point.without(allowed).any() || point.count() != 1 || kept.without(theirs).any()) continue;
      if (theirs.without(board.captured(point, theirs, empty.without(point))) == kept) allowed = allowed.without(point);
    }
    return allowed;
  }

  // A random point that fits, if any; false: none.
  template <int Words>
  bool place_at_random(const Board<Words>& board, State& state, SeenPositions& seen, rlplat::Random& random) const {
    const int mover = player(state), other = 1 - mover;
    const auto ours = stones(board, state, mover), theirs = stones(board, state, other);
    const auto empty = board.all().without(ours | theirs);
    auto untried = empty;
    for (int left = untried.count(); left > 0; --left) {
      const int bit = untried.number(static_cast<int>(random.below(static_cast<std::uint32_t>(left))));
      const auto point = Points<Words>::one(bit);
      untried = untried.without(point);
      if (board.is_eye(point, ours)) continue;
      const auto with = ours | point, free = empty.without(point);
      const auto taken = board.captured(point, theirs, free);
      Points<Words> chain;
      if (!taken.any() && !board.reaches(point, with, free, chain)) continue;  // suicide
      std::uint64_t hash = state.board_hash ^ stone_keys_[mover][bit];
      taken.each([&](int at) { hash ^= stone_keys_[other][at]; });
      if (seen.has(hash)) continue;
      put(board, state, bit, with, theirs, taken);
      seen.add(hash);
      return true;
    }
    return false;
  }

  float result(const State& state) const {
    const int lead = with_board([&](const auto& board) {
      const auto black = stones(board, state, 0), white = stones(board, state, 1);
      return 2 * (board.area(black, white).count() - board.area(white, black).count()) - double_komi_;
    });
    return lead > 0 ? 1.0f : lead < 0 ? -1.0f : 0.0f;
  }

  std::string letter_row() const {
    std::string out = "  ";
    for (int column = 0; column < size_; ++column) out += std::string(" ") + kLetters[column];
    return out + "\n";
  }

  static constexpr const char* kLetters = "ABCDEFGHJKLMNOPQRST";
  static constexpr std::uint64_t kOdd = 0x9E3779B97F4A7C15ull;

  int size_, history_, max_length_, double_komi_ = 0;
  AnyBoard board_;
  std::array<std::int16_t, 64 * kMaxWords> cell_of_{};
  std::array<std::array<std::uint64_t, 64 * kMaxWords>, 2> stone_keys_{};
};

RLPLAT_GAME("go", Go)
