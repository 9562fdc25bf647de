// What is particular to the root: noise, sequential halving, and what the search says in the end.
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

#include "search/gumbel.hpp"
#include "search/tree.hpp"

namespace rlplat {

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kTiny = std::numeric_limits<float>::min();
constexpr float kHighestShaped =
    0.01f;  // priors above count as this, so that a certain policy keeps some noise elsewhere

// Of shaped noise, `alpha` per action on average; the signs of the priors mean nothing.
void shaped_concentrations(std::span<const float> priors, float alpha, std::span<float> out) {
  float mean = 0.0f, sum = 0.0f;
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = std::log(std::clamp(std::abs(priors[i]), kTiny, kHighestShaped));
    mean += out[i] / static_cast<float>(out.size());
  }
  for (float& excess : out) sum += excess = std::max(0.0f, excess - mean);
  const float half = 0.5f * alpha * static_cast<float>(out.size());
  for (float& share : out) share = sum > 1e-6f ? 0.5f * alpha + half * share / sum : alpha;
}

std::uint64_t word_of(std::span<const float> noise) {
  if (noise.size() < 2) return 0;  // all of the noise on the only action
  std::uint64_t word = noise.size();
  for (const float value : noise) word = hash_words(word, std::bit_cast<std::uint32_t>(value));
  return word;
}

}  // namespace

void Tree::prepare_root(int num_simulations, bool explore, Random& random) {
  explores_ = explore;
  root_noise_ = 0;
  if (improves_) begin_halving(num_simulations, explore ? params_->gumbel_scale : 0.0f, random);
  if (improves_ || !explore) return;
  temper_root_priors();
  add_root_noise(random);
}

void Tree::temper_root_priors() {
  if (params_->root_temperature == 1.0f) return;
  float* priors = block(nodes_[0]);
  float sum = 0.0f;
  for (int e = 0; e < nodes_[0].num_edges; ++e) {
    priors[e] = std::copysign(std::pow(std::abs(priors[e]), 1.0f / params_->root_temperature), priors[e]);
    sum += std::abs(priors[e]);
  }
  for (int e = 0; e < nodes_[0].num_edges; ++e) priors[e] /= sum;
}

void Tree::add_root_noise(Random& random) {
  if (params_->noise_fraction <= 0.0f) return;
  const std::size_t count = nodes_[0].num_edges;
  thread_local std::vector<float> noise;
  noise.resize(count);
  float* priors = block(nodes_[0]);
  if (params_->shaped_noise) {
    shaped_concentrations({priors, count}, params_->dirichlet_alpha, noise);
    random.dirichlet(noise);
  } else {
    random.dirichlet(params_->dirichlet_alpha, noise);
  }
  root_noise_ = word_of(noise);
  for (std::size_t i = 0; i < count; ++i) {
    const float mixture = (1.0f - params_->noise_fraction) * std::abs(priors[i]) + params_->noise_fraction * noise[i];
    priors[i] = std::copysign(mixture, priors[i]);
  }
}

void Tree::begin_halving(int num_simulations, float noise_scale, Random& random) {
  const int count = nodes_[0].num_edges;
  considered_ = considered_visits(std::min(count, params_->gumbel_actions), num_simulations);
  root_gumbel_.assign(static_cast<std::size_t>(count), 0.0f);
  if (noise_scale == 0.0f) return;
  for (float& gumbel : root_gumbel_)
    gumbel = -noise_scale * static_cast<float>(std::log(-std::log(std::max(random.uniform(), 0x1.0p-54))));
  root_noise_ = word_of(root_gumbel_);
}

int Tree::select_root_edge(float visits, float value) const {
  if (root_decisive_ >= 0) return root_decisive_;
  if (improves_) return select_considered_edge();
  const int forced = forces() ? select_forced_edge() : -1;
  return forced >= 0 ? forced : select_edge(nodes_[0], visits, value);
}

float Tree::forced_visits(float prior) const {
  return std::sqrt(params_->forced_playouts * prior * (root_visits_ - 1.0f));  // the first visit is the root's own
}

int Tree::select_forced_edge() const {
  const float* priors = block(nodes_[0]);
  const auto visits = root_visits();
  for (std::size_t i = 0; i < visits.size(); ++i)
    if (!std::signbit(priors[i]) && visits[i] > 0.0f && visits[i] < forced_visits(priors[i]))
      return static_cast<int>(i);
  return -1;
}

std::vector<float> Tree::pruned(std::vector<float> counts) const {
  if (!forces()) return counts;
  const std::vector<float> priors = root_priors();
  const auto q_values = root_q_values();
  const float scale = (*exploration_)(root_visits_);
  const auto best = static_cast<std::size_t>(std::ranges::max_element(counts) - counts.begin());
  const float score = q_values[best] + priors[best] * scale / (1.0f + counts[best]);
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const float gap = score - q_values[i];
    if (i == best || counts[i] == 0.0f || gap <= 0.0f) continue;
    // With so few visits its score would still be below the best action's.
    const float fewest = std::max(0.0f, std::floor(priors[i] * scale / gap - 1.0f) + 1.0f);
    counts[i] = std::min(counts[i], std::max(fewest, counts[i] - std::floor(forced_visits(priors[i]))));
    if (counts[i] <= 1.0f) counts[i] = 0.0f;
  }
  return counts;
}

std::vector<float> Tree::halving_scores() const {
  const std::vector<float> priors = root_priors();
  std::vector<float> scores(priors.size());
  completed_scores({priors, root_visits(), root_q_values()}, raw_values_[0], *params_, scores);
  for (std::size_t i = 0; i < scores.size(); ++i) scores[i] += std::log(std::max(kTiny, priors[i])) + root_gumbel_[i];
  return scores;
}

int Tree::select_considered_edge() const {
  const std::vector<float> scores = halving_scores();
  const auto visits = root_visits();
  // The first visit is the root's own; leaves that wait count as simulations made.
  const auto simulation = static_cast<std::size_t>(root_visits_) - 1 + static_cast<std::size_t>(num_set_aside());
  const auto best = [&](auto&& may_be) {
    int choice = -1;
    for (int e = 0; e < nodes_[0].num_edges; ++e) {
      const auto i = static_cast<std::size_t>(e);
      if (std::signbit(block(nodes_[0])[e]) || !may_be(visits[i])) continue;  // closed
      if (choice < 0 || scores[i] > scores[static_cast<std::size_t>(choice)]) choice = e;
    }
    return choice;
  };
  const int choice = simulation < considered_.size()
                         ? best([&](float count) { return count == static_cast<float>(considered_[simulation]); })
                         : -1;
  // Where proofs have closed all that was to be considered, the simulation goes to the best of the others.
  return choice >= 0 ? choice : best([](float) { return true; });
}

int Tree::select_improving_edge(std::uint32_t index) const {
  const Node& node = nodes_[index];
  const int k = padded(node.num_edges);
  const float* words = block(node);
  const std::size_t count = node.num_edges;
  thread_local std::vector<float> policy;
  policy.resize(count);
  const std::span<const float> priors(words, count), visits(words + k, count), q_values(words + 2 * k, count);
  improved_policy({priors, visits, q_values}, raw_values_[index], *params_, policy);
  float sum = 1.0f;
  for (const float each : visits) sum += each;
  int choice = 0;
  float highest = -kInfinity;
  for (std::size_t i = 0; i < count; ++i) {
    const float lag = policy[i] - visits[i] / sum;
    if (std::signbit(priors[i]) || lag <= highest) continue;
    highest = lag;
    choice = static_cast<int>(i);
  }
  return choice;
}

std::vector<float> Tree::root_counts() const {
  const auto visits = root_visits();
  return supported(pruned({visits.begin(), visits.end()}));
}

std::vector<float> Tree::supported(std::vector<float> counts) const {
  if (!params_->prove) return counts;
  const Node& root = nodes_[0];
  const auto q_values = root_q_values();
  const Bounds bounds = root.bounds;
  const bool is_safe = bounds.meet() || bounds.lower > kLoss;  // an action guarantees the lower bound
  float sum = 0.0f, disappointed = 0.0f;
  float* safest = nullptr;
  for (int e = 0; e < root.num_edges; ++e) {
    const auto i = static_cast<std::size_t>(e);
    const Bounds edge = edge_bounds(root, e);
    if (is_safe && edge.lower >= bounds.lower) {
      if (safest == nullptr || counts[i] > *safest) safest = &counts[i];
    } else if (edge.upper <= bounds.lower || (is_safe && q_values[i] <= bounds.lower)) {
      disappointed += std::exchange(counts[i], 0.0f);
    }
    sum += counts[i];
  }
  if (safest != nullptr) {
    *safest += disappointed;
    sum += disappointed;
  }
  if (sum > 0.0f || root_visits_ <= 1.0f) return counts;  // the first visit is the root's own
  // All that was visited loses, so hope lies with the rest.
  for (int e = 0; e < root.num_edges; ++e) counts[static_cast<std::size_t>(e)] = !edge_bounds(root, e).meet();
  return counts;
}

std::vector<float> Tree::root_policy() const {
  if (!improves_ || root_visits_ <= 1.0f) return root_counts();
  std::vector<float> policy(nodes_[0].num_edges);
  improved_policy({root_priors(), root_visits(), root_q_values()}, raw_values_[0], *params_, policy);
  return supported(std::move(policy));
}

// Adds a value to the squared deviations of the root's edge, whose mean holds it already: (x - new mean)^2 n / (n - 1)
// is (x - old mean) (x - new mean) (Welford 1962). They begin anew with the first visit.
void Tree::spread_root(const PathEdge& edge, float value) {
  const auto count = static_cast<std::size_t>(nodes_[0].num_edges);
  if (root_spread_.size() != count) root_spread_.assign(count, 0.0f);
  float& spread = root_spread_[static_cast<std::size_t>(edge.visits - root_visits().data())];
  const float n = *edge.visits, deviation = value - *edge.q_value;
  spread = n == 1.0f ? 0.0f : spread + deviation * deviation * n / (n - 1.0f);
}

int Tree::safest_edge(const std::vector<float>& counts) const {
  constexpr float kLeastShare = 0.15f;
  const float most = *std::ranges::max_element(counts);
  const auto q_values = root_q_values(), visits = root_visits();
  int choice = -1;
  float highest = -kInfinity;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] < kLeastShare * most || visits[i] < 2.0f) continue;
    const float error = std::sqrt(root_spread_[i] / (visits[i] - 1.0f) / visits[i]);
    const float bound = q_values[i] - params_->lcb_deviations * error;
    if (bound <= highest) continue;
    highest = bound;
    choice = static_cast<int>(i);
  }
  return choice;
}

int Tree::best_edge() const {
  const std::vector<float> counts = root_counts(), priors = root_priors();
  const bool was_visited = std::ranges::any_of(counts, [](float count) { return count > 0.0f; });
  if (was_visited && params_->lcb_deviations > 0.0f && !improves_ && !root_proven()) {
    const int safest = safest_edge(counts);
    if (safest >= 0) return safest;
  }
  const std::vector<float>& strength = was_visited ? counts : priors;
  const std::vector<float> scores = improves_ ? halving_scores() : std::vector<float>();
  const std::span<const float> among_equals = improves_ ? std::span<const float>(scores) : root_q_values();
  std::size_t choice = 0;
  for (std::size_t i = 1; i < strength.size(); ++i)
    if (std::pair(strength[i], among_equals[i]) > std::pair(strength[choice], among_equals[choice])) choice = i;
  return static_cast<int>(choice);
}

}  // namespace rlplat
