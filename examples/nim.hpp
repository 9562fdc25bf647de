// Nim: whoever takes the last stone wins. Moves name a heap and how many stones to take: "b3". The same rules in Python
// are beside it, in nim.py.
#pragma once

#include <array>
#include <string>

#include "rlplat/game.hpp"

class Nim {
 public:
  static constexpr int kMostHeaps = 9;

  struct State {
    std::uint8_t player;
    std::array<std::uint8_t, kMostHeaps> left;  // stones in each heap
  };

  static std::span<const rlplat::Parameter> parameters() {
    static constexpr rlplat::Parameter kParameters[] = {{"heaps", 3, 1, kMostHeaps, 1, "number of heaps"},
                                                        {"stones", 5, 1, 20, 1, "stones in each heap"}};
    return kParameters;
  }

  explicit Nim(std::span<const double> values)
      : heaps_(static_cast<int>(values[0])), stones_(static_cast<int>(values[1])) {}

  rlplat::Shape shape() const {
    return {.num_actions = heaps_ * stones_,
            .max_legal_actions = heaps_ * stones_,
            .num_planes = 1,
            .height = heaps_,
            .width = stones_,
            .min_length = heaps_,
            .max_length = heaps_ * stones_,
            .num_symmetries = heaps_ > 1 ? 2 : 1};
  }

  State initial_state() const {
    State state{};
    std::fill_n(state.left.begin(), heaps_, static_cast<std::uint8_t>(stones_));
    return state;
  }

  int legal_actions(const State& state, std::int32_t* out) const {
    int count = 0;
    for (int heap = 0; heap < heaps_; ++heap)
      for (int taken = 0; taken < state.left[heap]; ++taken) out[count++] = heap * stones_ + taken;
    return count;
  }

  void apply(State& state, int action) const {
    state.player ^= 1;
    state.left[action / stones_] -= static_cast<std::uint8_t>(action % stones_ + 1);
  }

  int player(const State& state) const { return state.player; }

  std::optional<float> outcome(const State& state) const {
    if (std::ranges::any_of(state.left, [](int left) { return left > 0; })) return std::nullopt;
    return state.player == 0 ? -1.0f : 1.0f;
  }

  std::uint64_t hash(const State& state) const {
    std::uint64_t low, high = state.left[8];
    std::memcpy(&low, state.left.data(), sizeof low);
    return rlplat::hash_words(low, high << 1 | state.player);
  }

  // One plane, a row for each heap: 1 for each stone that is left.
  void encode(const State& state, float* planes) const {
    for (int heap = 0; heap < heaps_; ++heap) std::fill_n(planes + heap * stones_, state.left[heap], 1.0f);
  }

  // The first heap may change places with the last one.
  void symmetry(int index, std::int32_t* cells, std::int32_t* actions) const {
    for (int heap = 0; heap < heaps_; ++heap)
      for (int i = 0; i < stones_; ++i)
        actions[heap * stones_ + i] = cells[heap * stones_ + i] = (index == 0 ? heap : heaps_ - 1 - heap) * stones_ + i;
  }

  std::string action_text(const State&, int action) const {
    return static_cast<char>('a' + action / stones_) + std::to_string(action % stones_ + 1);
  }

  std::string text(const State& state) const {
    std::string heaps;
    for (int heap = 0; heap < heaps_; ++heap) heaps += std::to_string(state.left[heap]) + ' ';
    return heaps + " player " + std::to_string(state.player);
  }

 private:
  int heaps_, stones_;
};

RLPLAT_GAME("nim", Nim)
