// A game for tests whose rules look back: a token walks on a ring and may not enter a cell where it stood in any of the
// last `Reach` states (-1: in any). Who cannot move loses; after `length` plies it is a draw.
//
// Every call that is given the past checks all of it: its length, its order, and that each state is the parent of the
// one after it. A wrong past ends the process with a message.
#pragma once

#include <cstdlib>
#include <string>

#include "rlplat/game.hpp"

template <int Reach>
class Walk {
 public:
  static constexpr int kPastLength = Reach;
  static constexpr int kNumSteps = 5;

  struct State {
    std::uint64_t id;      // of the line of play that led here
    std::uint64_t parent;  // the id of the state before
    std::int32_t ply;
    std::int32_t cell;
  };
  using Past = rlplat::Past<State>;

  static std::span<const rlplat::Parameter> parameters() {
    static constexpr rlplat::Parameter kParameters[] = {
        {"cells", 12, 6, 1000, true, "cells of the ring"},
        {"length", 40, 1, 1000, true, "plies after which it is a draw"},
        {"blind_key", 0, 0, 1, true, "1: one evaluation key for all positions"},
    };
    return kParameters;
  }

  explicit Walk(std::span<const double> values)
      : cells_(static_cast<int>(values[0])), length_(static_cast<int>(values[1])), blind_key_(values[2] != 0) {}

  rlplat::Shape shape() const {
    return {.num_actions = kNumSteps,
            .max_legal_actions = kNumSteps,
            .num_planes = 4,
            .height = 1,
            .width = cells_,
            .min_length = 1,
            .max_length = length_,
            .num_symmetries = 2};
  }

  State initial_state() const { return {1, 0, 0, 0}; }

  int legal_actions(const State& state, Past past, std::int32_t* out) const {
    check(state, past);
    int count = 0;
    for (int step = 0; step < kNumSteps; ++step)
      if (!visited(target(state, step), state, past)) out[count++] = step;
    return count;
  }

  void apply(State& state, int step) const {
    state = {rlplat::hash_words(state.id, static_cast<std::uint64_t>(step) + 1), state.id, state.ply + 1,
             target(state, step)};
  }

  int player(const State& state) const { return state.ply % 2; }

  std::optional<float> outcome(const State& state, Past past) const {
    check(state, past);
    std::int32_t legal[kNumSteps];
    if (legal_actions(state, past, legal) == 0) return player(state) == 0 ? -1.0f : 1.0f;
    if (state.ply == length_) return 0.0f;
    return std::nullopt;
  }

  std::uint64_t hash(const State& state) const { return state.id; }

  // The ply decides when the game ends; cells of the last three states are on the planes, those within reach bind.
  std::uint64_t evaluation_key(const State& state, Past past) const {
    check(state, past);
    if (blind_key_) return 0;
    std::uint64_t key =
        rlplat::hash_words(static_cast<std::uint64_t>(state.ply), static_cast<std::uint64_t>(state.cell));
    for (int age = 0; age < past.size(); ++age)
      key = rlplat::hash_words(key, static_cast<std::uint64_t>(past[age].cell));
    return key;
  }

  // Planes: the token now and in the three states before; where they lack, nothing.
  void encode(const State& state, Past past, float* planes) const {
    check(state, past);
    planes[state.cell] = 1.0f;
    for (int age = 0; age < 3 && age < past.size(); ++age) planes[(age + 1) * cells_ + past[age].cell] = 1.0f;
  }

  // Of no meaning, but equal where evaluation keys are.
  float heuristic(const State& state) const {
    return static_cast<float>((state.cell * 7 + state.ply * 3) % 11 - 5) / 5.0f;
  }

  // The ring turned by one cell; steps stay.
  void symmetry(int index, std::int32_t* cells, std::int32_t* actions) const {
    for (int cell = 0; cell < cells_; ++cell) cells[cell] = (cell + index) % cells_;
    for (int step = 0; step < kNumSteps; ++step) actions[step] = index == 0 ? step : kNumSteps - 1 - step;
  }

  std::string action_text(const State&, int step) const { return std::to_string(step + 1); }
  std::string text(const State& state) const { return "cell " + std::to_string(state.cell) + "\n"; }

 private:
  int target(const State& state, int step) const { return (state.cell + step + 1) % cells_; }

  static bool visited(int cell, const State& state, Past past) {
    if (cell == state.cell) return true;
    for (int age = 0; age < past.size(); ++age)
      if (past[age].cell == cell) return true;
    return false;
  }

  static void check(const State& state, Past past) {
    const int length = Reach < 0 ? state.ply : std::min(Reach, state.ply);
    if (past.size() != length) complain("the past has another length", state, past.size());
    const State* later = &state;
    for (int age = 0; age < past.size(); ++age) {
      if (past[age].id != later->parent || past[age].ply != later->ply - 1)
        complain("not the state before", state, age);
      later = &past[age];
    }
  }

  [[noreturn]] static void complain(const char* what, const State& state, int where) {
    std::fprintf(stderr, "walk: wrong past at ply %d: %s (%d)\n", state.ply, what, where);
    std::abort();
  }

  int cells_, length_;
  bool blind_key_;
};
