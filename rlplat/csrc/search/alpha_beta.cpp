#include "search/alpha_beta.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace rlplat {

namespace {

constexpr std::size_t kTableSize = 1 << 16;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Values beyond the heuristic's are wins and losses; the table keeps them with plies counted from the position itself.
float from_root(float value, int ply) {
  const auto plies = static_cast<float>(ply);
  return value > 1.0f ? value - plies : value < -1.0f ? value + plies : value;
}

float from_here(float value, int ply) { return from_root(value, -ply); }

}  // namespace

AlphaBeta::AlphaBeta(std::shared_ptr<const Game> game, int depth) : game_(std::move(game)), depth_(depth) {
  if (!game_->has_heuristic()) throw std::invalid_argument("the game has no heuristic");
  if (depth < 1 || depth > kMaxDepth)
    throw std::invalid_argument("depth is " + std::to_string(depth) + "; it must lie in 1 .. " +
                                std::to_string(kMaxDepth));
  const auto size = static_cast<std::size_t>(depth) + 1;
  states_.resize(size * game_->state_size());
  nodes_.resize(size);
  for (Node& node : nodes_) node.legal.resize(static_cast<std::size_t>(game_->shape().max_legal_actions));
  table_.resize(kTableSize);
  cutoffs_.resize(2 * static_cast<std::size_t>(game_->shape().num_actions));
}

AlphaBeta::Result AlphaBeta::search(const History& position, Random& random) {
  begin(position);
  Node& root = nodes_[0];
  for (int i = root.num_legal - 1; i > 0; --i)
    std::swap(root.legal[static_cast<std::size_t>(i)], root.legal[random.below(static_cast<std::uint32_t>(i + 1))]);
  Result best{root.legal[0], 0.0f};
  for (int depth = 1; depth <= depth_; ++depth) {
    std::int32_t* const actions = root.legal.data();
    std::rotate(actions, std::find(actions, actions + root.num_legal, best.action), actions + root.num_legal);
    best.value = -kInfinity;
    for (int i = 0; i < root.num_legal; ++i) {
      const float value = value_of(0, actions[i], depth, best.value, kInfinity);
      if (value > best.value) best = {actions[i], value};
    }
    if (std::abs(best.value) > 1.0f) break;  // decided: no deeper search finds a faster win or a later loss
  }
  return best;
}

void AlphaBeta::begin(const History& position) {
  float returns[2];
  if (game_->outcome(position.current(), position.past(), returns))
    throw std::invalid_argument("a position to search is over already");
  std::copy_n(position.current(), game_->state_size(), state(0));
  const RawPast before = position.past();
  known_ = before.length;
  trail_.assign(nodes_.size(), nullptr);
  trail_.insert(trail_.end(), before.states, before.states + before.length);
  for (std::size_t ply = 0; ply < nodes_.size(); ++ply) trail_[nodes_.size() - 1 - ply] = state(static_cast<int>(ply));
  Node& root = nodes_[0];
  root.player = game_->player(state(0));
  root.num_legal = game_->legal_actions(state(0), before, root.legal.data());
  std::fill(table_.begin(), table_.end(), Entry{});
  std::fill(cutoffs_.begin(), cutoffs_.end(), 0);
}

RawPast AlphaBeta::past(int ply) const {
  const int reach = game_->shape().past_length;
  const int length = reach < 0 ? known_ + ply : std::min(reach, known_ + ply);
  return {trail_.data() + nodes_.size() - static_cast<std::size_t>(ply), length};
}

AlphaBeta::Entry& AlphaBeta::entry(int ply) {
  const std::uint64_t key = game_->evaluation_key(state(ply), past(ply));
  Entry& found = table_[key % kTableSize];
  if (found.bound == Bound::kNone || found.key != key) found = Entry{.key = key};
  return found;
}

// The value of the node at `ply` from the view of its player: exact between alpha and beta, a bound beyond them.
float AlphaBeta::explore(int ply, int remaining, float alpha, float beta) {
  if (remaining == 0) return std::clamp(game_->heuristic(state(ply)), -1.0f, 1.0f);
  const Entry known = entry(ply);
  if (known.bound != Bound::kNone && known.remaining == remaining) {
    const float value = from_root(known.value, ply);
    if (known.bound == Bound::kExact || (known.bound == Bound::kLower && value >= beta) ||
        (known.bound == Bound::kUpper && value <= alpha))
      return value;
  }
  Node& node = nodes_[static_cast<std::size_t>(ply)];
  order(node, known.action);
  float best = -kInfinity, low = alpha;
  std::int32_t chosen = node.legal[0];
  for (int i = 0; i < node.num_legal && low < beta; ++i) {
    const std::int32_t action = node.legal[static_cast<std::size_t>(i)];
    const float value = value_of(ply, action, remaining, low, beta);
    if (value > best) best = value, chosen = action;
    low = std::max(low, best);
  }
  if (best >= beta)
    cutoffs_[static_cast<std::size_t>(node.player * game_->shape().num_actions + chosen)] +=
        static_cast<std::uint32_t>(remaining * remaining);
  const Bound bound = best >= beta ? Bound::kLower : best <= alpha ? Bound::kUpper : Bound::kExact;
  entry(ply) = {known.key, from_here(best, ply), chosen, static_cast<std::int16_t>(remaining), bound};
  return best;
}

// The value of an action from the view of the player who takes it at `ply`.
float AlphaBeta::value_of(int ply, std::int32_t action, int remaining, float alpha, float beta) {
  Node& child = nodes_[static_cast<std::size_t>(ply) + 1];
  const int player = nodes_[static_cast<std::size_t>(ply)].player;
  Step step;
  step.legal = child.legal.data();
  game_->step(state(ply), past(ply + 1), action, state(ply + 1), step);
  if (step.is_over) return step.returns[player] * (kWin - static_cast<float>(ply + 1));
  child.player = step.player;
  child.num_legal = step.num_legal;
  if (child.player == player) return explore(ply + 1, remaining - 1, alpha, beta);
  return -explore(ply + 1, remaining - 1, -beta, -alpha);
}

// First what was best at a smaller depth, then what has cut off most.
void AlphaBeta::order(Node& node, std::int32_t first) const {
  const std::uint32_t* const cut = cutoffs_.data() + node.player * game_->shape().num_actions;
  std::sort(node.legal.begin(), node.legal.begin() + node.num_legal, [&](std::int32_t a, std::int32_t b) {
    if ((a == first) != (b == first)) return a == first;
    return cut[a] != cut[b] ? cut[a] > cut[b] : a < b;
  });
}

}  // namespace rlplat
