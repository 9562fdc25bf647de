// Leaves of one tree that wait for their evaluation together.
#include <algorithm>

#include "search/tree.hpp"

namespace rlplat {

void Tree::count_waiting(float visits) {
  for (const Waiting& waiting : set_aside_)
    for (const PathEdge& edge : waiting.path) {
      *edge.visits += visits;
      if (*edge.visits == 1.0f && visits > 0.0f) *edge.q_value = kLoss;
    }
}

bool Tree::set_aside() {
  if (!waiting_counts_) set_aside_.clear();
  if (std::ranges::any_of(set_aside_, [&](const Waiting& waiting) { return waiting.leaf == leaf_; })) return false;
  if (waiting_counts_) count_waiting(-1.0f);
  set_aside_.push_back({leaf_, {path_.get(), path_.get() + depth_}});
  count_waiting(1.0f);
  waiting_counts_ = true;
  return true;
}

void Tree::end_waiting() {
  if (waiting_counts_) count_waiting(-1.0f);
  waiting_counts_ = false;
}

void Tree::take_up(int i) {
  const Waiting& waiting = set_aside_[static_cast<std::size_t>(i)];
  leaf_ = waiting.leaf;
  std::ranges::copy(waiting.path, path_.get());
  depth_ = 0;
  for (const PathEdge& edge : waiting.path) {
    ++depth_;
    if (reach_ != 0) past_[static_cast<std::size_t>(root_past_ - depth_)] = state(edge.node);
  }
}

}  // namespace rlplat
