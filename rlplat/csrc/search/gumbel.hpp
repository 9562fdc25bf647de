// The parts of a search by improved policies (Danihelka et al. 2022, "Policy improvement by planning with Gumbel").
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "search/tree.hpp"

namespace rlplat {

// Sequential halving (section 3 of the paper; Karnin et al. 2013, "Almost optimal exploration in multi-armed bandits"):
// for each simulation the visits that an action must have to be considered. All `num_considered` actions get an equal
// share of the simulations, then the better half of them, until two are left.
std::vector<std::int32_t> considered_visits(int num_considered, int num_simulations);

// Of a node's actions, one entry each; a q_value means nothing where there are no visits.
struct ActionStatistics {
  std::span<const float> priors, visits, q_values;
};

// sigma(completed Q) of each action: (c_visit + highest count) c_scale Q, where an unvisited action takes the mixed
// value of appendix D, made of the network's value of the node (`value`) and the visited actions' mean weighted by
// their priors. Q is brought to [0, 1] between its lowest and its highest, as in the authors' library mctx.
void completed_scores(const ActionStatistics& actions, float value, const SearchParams& params, std::span<float> out);

// The improved policy softmax(log prior + sigma(completed Q)) (section 4).
void improved_policy(const ActionStatistics& actions, float value, const SearchParams& params, std::span<float> out);

}  // namespace rlplat
