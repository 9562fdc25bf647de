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
  std::string action_text(const void* state, int action) const;
  std::string text(const void* state) const;

  // Permutations of symmetry k; see GameTable::symmetry.
  std::span<const std::int32_t> symmetry_cells(int k) const;
  std::span<const std::int32_t> symmetry_actions(int k) const;

 private:
  void* library_ = nullptr;
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

// A game from its start: every state in order, and the actions between them.
class History {
 public:
  explicit History(const Game& game);
  History(const History&) = default;
  History& operator=(const History&) = default;

  void restart();
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
