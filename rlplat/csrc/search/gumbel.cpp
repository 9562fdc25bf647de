#include "search/gumbel.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace rlplat {

namespace {

constexpr float kTiny = std::numeric_limits<float>::min();
constexpr float kLeastRange = 1e-8f;  // of the q_values, where all are equal

// What an unvisited action is taken to be worth.
float mixed_value(const ActionStatistics& actions, float value) {
  float visits = 0.0f, mass = 0.0f, weighted = 0.0f;
  for (std::size_t i = 0; i < actions.visits.size(); ++i) {
    if (actions.visits[i] <= 0.0f) continue;
    const float prior = std::max(kTiny, std::abs(actions.priors[i]));
    visits += actions.visits[i];
    mass += prior;
    weighted += prior * actions.q_values[i];
  }
  return mass > 0.0f ? (value + visits * weighted / mass) / (visits + 1.0f) : value;
}

}  // namespace

std::vector<std::int32_t> considered_visits(int num_considered, int num_simulations) {
  std::vector<std::int32_t> sequence;
  if (num_considered <= 1) {
    for (int n = 0; n < num_simulations; ++n) sequence.push_back(n);
    return sequence;
  }
  const int num_phases = static_cast<int>(std::ceil(std::log2(num_considered)));
  std::int32_t visits = 0;  // of every action that is still considered
  for (int left = num_considered; static_cast<int>(sequence.size()) < num_simulations; left = std::max(2, left / 2)) {
    const int extra = std::max(1, num_simulations / (num_phases * left));
    for (int round = 0; round < extra; ++round)
      sequence.insert(sequence.end(), static_cast<std::size_t>(left), visits++);
  }
  sequence.resize(static_cast<std::size_t>(num_simulations));
  return sequence;
}

void completed_scores(const ActionStatistics& actions, float value, const SearchParams& params, std::span<float> out) {
  const float mixed = mixed_value(actions, value);
  float most = 0.0f, lowest = std::numeric_limits<float>::infinity(), highest = -lowest;
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = actions.visits[i] > 0.0f ? actions.q_values[i] : mixed;
    most = std::max(most, actions.visits[i]);
    lowest = std::min(lowest, out[i]);
    highest = std::max(highest, out[i]);
  }
  const float scale = (params.c_visit + most) * params.c_scale / std::max(highest - lowest, kLeastRange);
  for (float& score : out) score = scale * (score - lowest);
}

void improved_policy(const ActionStatistics& actions, float value, const SearchParams& params, std::span<float> out) {
  completed_scores(actions, value, params, out);
  const float highest = *std::ranges::max_element(out);
  float sum = 0.0f;
  for (std::size_t i = 0; i < out.size(); ++i)
    sum += out[i] = std::max(kTiny, std::abs(actions.priors[i])) * std::exp(out[i] - highest);
  for (float& probability : out) probability /= sum;
}

}  // namespace rlplat
