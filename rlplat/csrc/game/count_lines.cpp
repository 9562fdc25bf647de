#include "game/count_lines.hpp"

namespace rlplat {

namespace {

class Counter {
 public:
  Counter(const Game& game, const History& position, int num_plies, bool one_by_one)
      : game_(game),
        reach_(game.shape().past_length),
        start_(num_plies),
        one_by_one_(one_by_one),
        levels_(static_cast<std::size_t>(num_plies)),
        last_(game.state_size()) {
    for (Level& level : levels_) {
      level.state.resize(game.state_size());
      level.legal.resize(static_cast<std::size_t>(game.shape().max_legal_actions));
    }
    const RawPast before = position.past();
    trail_.resize(levels_.size());
    trail_.insert(trail_.end(), before.states, before.states + before.length);
    std::copy_n(position.current(), game.state_size(), levels_[0].state.data());
    float returns[2];
    if (!game.outcome(position.current(), before, returns))
      levels_[0].num_legal = game.legal_actions(position.current(), before, levels_[0].legal.data());
  }

  // The lines from the state at `ply`, whose legal actions are known.
  std::int64_t count(int ply) {
    const Level& level = levels_[static_cast<std::size_t>(ply)];
    if (ply + 1 == start_) return one_by_one_ ? make_all(level) : level.num_legal;
    trail_[static_cast<std::size_t>(start_ - 1 - ply)] = level.state.data();
    Level& next = levels_[static_cast<std::size_t>(ply) + 1];
    std::int64_t sum = 0;
    for (int i = 0; i < level.num_legal; ++i) {
      Step step;
      step.legal = next.legal.data();
      game_.step(level.state.data(), past(ply + 1), level.legal[static_cast<std::size_t>(i)], next.state.data(), step);
      if (step.is_over) continue;
      next.num_legal = step.num_legal;
      sum += count(ply + 1);
    }
    return sum;
  }

 private:
  struct Level {
    std::vector<std::byte> state;
    std::vector<std::int32_t> legal;
    int num_legal = 0;
  };

  std::int64_t make_all(const Level& level) {
    std::int64_t sum = 0;
    for (int i = 0; i < level.num_legal; ++i) {
      std::copy_n(level.state.data(), last_.size(), last_.data());
      game_.apply(last_.data(), level.legal[static_cast<std::size_t>(i)]);
      ++sum;
    }
    return sum;
  }

  // The states before the one at `ply`.
  RawPast past(int ply) const {
    const int known = static_cast<int>(trail_.size()) - start_ + ply;
    return {trail_.data() + (start_ - ply), reach_ < 0 ? known : std::min(reach_, known)};
  }

  const Game& game_;
  int reach_, start_;
  bool one_by_one_;
  std::vector<Level> levels_;
  std::vector<std::byte> last_;  // a state after the last move
  std::vector<const void*>
      trail_;  // states on the way, newest first, from number `start_` on those before the position
};

}  // namespace

std::int64_t count_lines(const Game& game, const History& position, int num_plies, bool one_by_one) {
  if (num_plies < 0) throw std::invalid_argument("num_plies must be at least 0");
  if (num_plies == 0) return 1;
  return Counter(game, position, num_plies, one_by_one).count(0);
}

}  // namespace rlplat
