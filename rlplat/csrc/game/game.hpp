// A loaded game: the shared library, its table, and one instance with its parameters set.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "rlplat/game.hpp"

namespace rlplat {

class Game {
 public:
  // Loads the library and makes an instance; `values` are the parameters in the table's order. Throws
  // std::runtime_error when the library is none of ours, std::invalid_argument when the game refuses the parameters.
  Game(const std::string& library, std::span<const double> values);
  // Rules that are not in a library. The game owns `instance`, and gives it back to the table's `destroy`.
  Game(const GameTable& table, void* instance);
  ~Game();
  Game(const Game&) = delete;
  Game& operator=(const Game&) = delete;

  const GameTable& table() const { return *table_; }
  const Shape& shape() const { return shape_; }
  std::size_t state_size() const { return static_cast<std::size_t>(shape_.state_size); }
  std::size_t num_cells() const { return static_cast<std::size_t>(shape_.height * shape_.width); }
  std::size_t observation_size() const { return static_cast<std::size_t>(shape_.num_planes) * num_cells(); }
  bool looks_back() const { return shape_.past_length != 0; }

  void initial_state(void* state) const { table_->initial_state(instance_, state); }
  int legal_actions(const void* state, RawPast past, std::int32_t* out) const {
    return table_->legal_actions(instance_, state, past, out);
  }
  void apply(void* state, int action) const { table_->apply(instance_, state, action); }
  void step(const void* parent, RawPast past, int action, void* child, Step& out) const {
    table_->step(instance_, parent, past, action, child, &out);
  }
  // A legal action that wins at once, or -1; see GameTable::winning_action. `past` begins with the state itself.
  int winning_action(const void* state, RawPast past, std::span<const std::int32_t> legal) const {
    return table_->winning_action(instance_, state, past, legal.data(), static_cast<std::int32_t>(legal.size()));
  }
  int player(const void* state) const { return table_->player(instance_, state); }
  bool outcome(const void* state, RawPast past, float returns[2]) const {
    return table_->outcome(instance_, state, past, returns) != 0;
  }
  std::uint64_t hash(const void* state) const { return table_->hash(instance_, state); }
  std::uint64_t evaluation_key(const void* state, RawPast past) const {
    return table_->evaluation_key(instance_, state, past);
  }
  // Overwrites `planes`, float[num_planes][height][width].
  void encode(const void* state, RawPast past, float* planes) const;
  float rollout(const void* state, RawPast past, Random& random) const;
  bool has_heuristic() const { return table_->heuristic != nullptr; }
  float heuristic(const void* state) const { return table_->heuristic(instance_, state); }
  bool has_exact_score() const { return shape_.exact_score_from >= 0; }
  int exact_score(const void* state, RawPast past) const { return table_->exact_score(instance_, state, past); }
  std::span<const char* const> notations() const {
    return {table_->notations, static_cast<std::size_t>(table_->num_notations)};
  }
  std::string action_text(const void* state, int action, int notation = 0) const;
  std::string text(const void* state) const;
  bool parses_actions() const { return table_->parse_action != nullptr; }
  int parse_action(const void* state, const std::string& text) const {
    return table_->parse_action(instance_, state, text.c_str());
  }
  bool parses_states() const { return table_->parse_state != nullptr; }
  // Throws std::invalid_argument with the game's words if the text describes no position.
  void parse_state(const std::string& text, void* state) const;

  // Permutations of symmetry k; see GameTable::symmetry.
  std::span<const std::int32_t> symmetry_cells(int k) const;
  std::span<const std::int32_t> symmetry_actions(int k) const;

 private:
  void read_shape();

  void* library_ = nullptr;  // null: the rules are in none
  const GameTable* table_ = nullptr;
  void* instance_ = nullptr;
  Shape shape_{};
  std::vector<std::int32_t> symmetry_cells_, symmetry_actions_;
};

// The table of a library, for a look at its name and parameters before an instance is made.
class GameLibrary {
 public:
  explicit GameLibrary(const std::string& path);
  ~GameLibrary();
  GameLibrary(const GameLibrary&) = delete;
  GameLibrary& operator=(const GameLibrary&) = delete;
  const GameTable& table() const { return *table_; }
  void* release();  // the caller closes the library

 private:
  void* handle_ = nullptr;
  const GameTable* table_ = nullptr;
};

// A game from its start, or from another state: every state in order, and the actions between them.
class History {
 public:
  explicit History(const Game& game);
  History(const History&) = default;
  History& operator=(const History&) = default;

  void restart();
  void restart(const void* state);
  void apply(int action);
  int num_moves() const { return static_cast<int>(actions_.size()); }
  std::span<const std::int32_t> actions() const { return actions_; }
  const std::byte* state(int index) const { return states_.data() + static_cast<std::size_t>(index) * stride_; }
  const std::byte* current() const { return state(num_moves()); }
  // The states before number `index`, newest first; valid until the next call on this thread. Empty for rules that
  // do not look back.
  RawPast past_of(int index) const;
  RawPast past() const { return past_of(num_moves()); }

 private:
  const Game* game_;
  std::size_t stride_;
  std::vector<std::byte> states_;
  std::vector<std::int32_t> actions_;
};

}  // namespace rlplat
