// Alpha-beta search to a fixed depth with the game's heuristic at the leaves, for games that have one.
#pragma once

#include <memory>
#include <vector>

#include "game/game.hpp"

namespace rlplat {

// Searches one position at a time; not for use by several threads. Its value is that of a full-width search to the same
// depth. A finished game counts for its return times (kWin - plies from the root), so it outweighs every heuristic, a
// win is worth more the sooner it comes, and a loss less.
class AlphaBeta {
 public:
  static constexpr float kWin = 1000.0f;
  static constexpr int kMaxDepth = 100;

  // Throws std::invalid_argument for a game without a heuristic and a depth outside 1 .. kMaxDepth.
  AlphaBeta(std::shared_ptr<const Game> game, int depth);

  struct Result {
    std::int32_t action;
    float value;  // from the view of the player to move
  };

  // Deepens ply by ply. Among equal actions the generator decides. Throws std::invalid_argument if the game is over.
  Result search(const History& position, Random& random);

 private:
  enum class Bound : std::uint8_t { kNone, kLower, kUpper, kExact };
  struct Entry {  // what is known of a position `remaining` plies above the leaves
    std::uint64_t key = 0;
    float value = 0.0f;  // wins and losses count plies from this position
    std::int32_t action = -1;
    std::int16_t remaining = 0;
    Bound bound = Bound::kNone;
  };
  struct Node {  // a position on the line under search
    int player;
    int num_legal;
    std::vector<std::int32_t> legal;
  };

  float explore(int ply, int remaining, float alpha, float beta);
  float value_of(int ply, std::int32_t action, int remaining, float alpha, float beta);
  void order(Node& node, std::int32_t first) const;
  void begin(const History& position);
  std::byte* state(int ply) { return states_.data() + static_cast<std::size_t>(ply) * game_->state_size(); }
  // The states before the one at `ply`, newest first.
  RawPast past(int ply) const;
  Entry& entry(int ply);

  std::shared_ptr<const Game> game_;
  int depth_;
  std::vector<std::byte> states_;
  std::vector<Node> nodes_;
  std::vector<const void*> trail_;  // states of the line, newest first, then those before the root
  int known_ = 0;                   // states before the root that the rules may read
  std::vector<Entry> table_;
  std::vector<std::uint32_t> cutoffs_;  // by player and action: how much each has cut off, for the order of moves
};

}  // namespace rlplat
