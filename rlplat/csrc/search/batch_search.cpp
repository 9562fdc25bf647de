#include "search/batch_search.hpp"

#include <chrono>
#include <cmath>

namespace rlplat {

namespace {

// A search that finds every leaf in the cache could go on for ever; after so many steps it lets the others on.
constexpr int kMaxSteps = 4096;

// False if a logit of `actions` is not finite.
bool softmax(const float* logits, std::span<const std::int32_t> actions, std::span<float> out) {
  float highest = logits[actions[0]];
  for (const std::int32_t action : actions) highest = std::max(highest, logits[action]);
  float sum = 0.0f, zero = 0.0f;
  for (std::size_t i = 0; i < actions.size(); ++i) {
    sum += out[i] = std::exp(logits[actions[i]] - highest);
    zero += 0.0f * logits[actions[i]];  // NaN from NaN and infinity
  }
  for (float& prior : out) prior /= sum;
  return zero == 0.0f;
}

std::string listed(const float* logits, std::span<const std::int32_t> actions) {
  constexpr std::size_t kMost = 10;
  std::string text;
  for (const std::int32_t action : actions.first(std::min(kMost, actions.size())))
    text.append(" ").append(std::to_string(logits[action]));
  return actions.size() > kMost ? text + " ..." : text;
}

}  // namespace

Counters& Counters::operator+=(const Counters& other) {
  simulations += other.simulations;
  evaluations += other.evaluations;
  cache_hits += other.cache_hits;
  terminal_leaves += other.terminal_leaves;
  batches += other.batches;
  batch_rows += other.batch_rows;
  return *this;
}

BatchSearch::BatchSearch(std::shared_ptr<const Game> game, const SearchParams& search, const BatchParams& batch)
    : game_(std::move(game)),
      search_(search),
      exploration_(search),
      batch_(batch),
      workers_(batch.num_threads),
      cache_(batch.cache_bytes) {
  if (batch_.num_groups < 1 || batch_.num_searches < 1 || batch_.num_searches % batch_.num_groups != 0)
    throw std::invalid_argument("num_searches must be a positive multiple of num_groups");
  if (batch_.leaves_per_search < 1) throw std::invalid_argument("leaves_per_search must be at least 1");
  if (search_.num_simulations < 0) throw std::invalid_argument("num_simulations must be at least 0");
  if (search_.selection == Selection::kGumbel && batch_.kept_visits > 0)
    throw std::invalid_argument("sequential halving starts every search afresh: kept_visits must be 0");
  const int max_nodes = search_.num_simulations + batch_.kept_visits + 2;
  searches_.reserve(static_cast<std::size_t>(batch_.num_searches));
  for (int i = 0; i < batch_.num_searches; ++i) {
    searches_.emplace_back(*game_, search_, exploration_, max_nodes);
    searches_.back().index = i;
  }
  if (batch_.kept_visits > 0)
    for (int i = 0; i < workers_.size(); ++i)
      scratch_.push_back(std::make_unique<Tree>(*game_, search_, exploration_, max_nodes));
  priors_.resize(static_cast<std::size_t>(rows_per_group()));
  pending_.resize(static_cast<std::size_t>(batch_.num_groups));
}

int BatchSearch::num_pending(int group) const {
  int rows = 0;
  for (const Search* search : pending_[static_cast<std::size_t>(group)]) rows += static_cast<int>(search->keys.size());
  return rows;
}

int BatchSearch::select(int group, float* observations) {
  const int per_group = searches_per_group();
  Search* first = searches_.data() + group * per_group;
  workers_.run(per_group, [&](int i, int worker) { first[i].pending = descend(first[i], worker); });
  auto& pending = pending_[static_cast<std::size_t>(group)];
  pending.clear();
  std::size_t rows = 0;
  for (int i = 0; i < per_group; ++i) {
    if (!first[i].pending) continue;
    pending.push_back(first + i);
    first[i].first_row = rows;
    rows += first[i].keys.size();
  }
  const auto start = std::chrono::steady_clock::now();
  workers_.run(static_cast<int>(pending.size()), [&](int i, int) {
    Search& search = *pending[static_cast<std::size_t>(i)];
    for (std::size_t leaf = 0; leaf < search.keys.size(); ++leaf) {
      if (batch_.leaves_per_search > 1) search.tree.take_up(static_cast<int>(leaf));
      game_->encode(search.tree.leaf_state(), search.tree.leaf_past(),
                    observations + (search.first_row + leaf) * game_->observation_size());
    }
  });
  encode_s_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (rows > 0) ++counters_.batches;
  counters_.batch_rows += static_cast<std::int64_t>(rows);
  return static_cast<int>(rows);
}

void BatchSearch::take_evaluations(Search& search, const float* logits, const float* values) {
  const auto num_actions = static_cast<std::size_t>(game_->shape().num_actions);
  Tree& tree = search.tree;
  tree.end_waiting();
  for (std::size_t leaf = 0; leaf < search.keys.size(); ++leaf) {
    const std::size_t row = search.first_row + leaf;
    if (batch_.leaves_per_search > 1) tree.take_up(static_cast<int>(leaf));
    const auto actions = tree.leaf_actions();
    priors_[row].resize(actions.size());
    if (!softmax(logits + row * num_actions, actions, priors_[row]) || !std::isfinite(values[row])) {
      priors_[row].clear();
      continue;
    }
    search.counters.simulations += !tree.leaf_is_root();
    search.simulations_left -= !tree.leaf_is_root();
    tree.expand(priors_[row], values[row]);
    ++search.counters.evaluations;
  }
  search.pending = false;
}

void BatchSearch::backup(int group, const float* logits, const float* values) {
  auto& pending = pending_[static_cast<std::size_t>(group)];
  const auto num_actions = static_cast<std::size_t>(game_->shape().num_actions);
  workers_.run(static_cast<int>(pending.size()),
               [&](int i, int) { take_evaluations(*pending[static_cast<std::size_t>(i)], logits, values); });
  std::string refused;
  for (Search* search : pending)
    for (std::size_t leaf = 0; leaf < search->keys.size(); ++leaf) {
      const std::size_t row = search->first_row + leaf;
      if (!priors_[row].empty()) {
        cache_.insert(search->keys[leaf], priors_[row], values[row]);
      } else if (refused.empty()) {
        if (batch_.leaves_per_search > 1) search->tree.take_up(static_cast<int>(leaf));
        refused = describe(*search) + ": the network's evaluation of row " + std::to_string(row) +
                  " is not finite: value " + std::to_string(values[row]) + ", logits of the legal actions" +
                  listed(logits + row * num_actions, search->tree.leaf_actions());
      }
    }
  pending.clear();
  if (!refused.empty()) throw NonFiniteEvaluation(refused);
}

bool BatchSearch::add_to_batch(Search& search, std::uint64_t key) {
  if (batch_.leaves_per_search > 1 && !search.tree.set_aside()) return true;  // it waits already
  search.keys.push_back(key);
  return static_cast<int>(search.keys.size()) == batch_.leaves_per_search || search.tree.leaf_is_root();
}

bool BatchSearch::descend(Search& search, int worker) {
  search.keys.clear();
  for (int step = 0; step < kMaxSteps; ++step) {
    if (!search.active && !start_next(search)) return false;
    if (search.tree.root_expanded()) {
      if (search.root_due) {
        prepare_root(search);
        search.root_due = false;
      }
      const int waiting = static_cast<int>(search.keys.size());
      if (search.simulations_left <= waiting || search.tree.root_proven() || hurried_) {
        if (waiting > 0) return true;
        search.active = false;
        finish(search, worker);
        continue;
      }
    }
    if (search.tree.select() == Tree::Leaf::kTerminal) {
      --search.simulations_left;
      ++search.counters.simulations;
      ++search.counters.terminal_leaves;
      continue;
    }
    if (batch_.evaluator == EvaluatorKind::kNetwork) {
      const std::uint64_t key = game_->evaluation_key(search.tree.leaf_state(), search.tree.leaf_past());
      const std::size_t count = search.tree.leaf_actions().size();
      float value;
      const float* priors = cache_.find(key, count, value);
      if (priors == nullptr) {
        if (add_to_batch(search, key)) return true;
        continue;
      }
      ++search.counters.cache_hits;
      search.counters.simulations += !search.tree.leaf_is_root();
      search.simulations_left -= !search.tree.leaf_is_root();
      search.tree.expand(std::span(priors, count), value);
    } else {
      evaluate_here(search);
    }
  }
  return !search.keys.empty();
}

void BatchSearch::evaluate_here(Search& search) {
  Tree& tree = search.tree;
  float value = 0.0f;
  if (batch_.evaluator == EvaluatorKind::kRollout) {
    value = game_->rollout(tree.leaf_state(), tree.leaf_past(), search.random);
    if (tree.leaf_player() == 1) value = -value;
  }
  search.counters.simulations += !tree.leaf_is_root();
  search.simulations_left -= !tree.leaf_is_root();
  tree.expand(value);
}

void BatchSearch::start_search(Search& search) {
  search.tree.set_root(search.history);
  search.simulations_left = search_.num_simulations;
  search.root_due = true;
  search.active = true;
}

void BatchSearch::continue_search(Search& search, int action, int worker) {
  const auto kept = static_cast<float>(batch_.kept_visits);
  if (batch_.kept_visits == 0 ||
      !search.tree.advance_root(action, kept, search.history, *scratch_[static_cast<std::size_t>(worker)])) {
    start_search(search);
    return;
  }
  search.simulations_left = search_.num_simulations;
  search.root_due = true;
  search.active = true;
}

void BatchSearch::drop_trees() {
  for (auto& pending : pending_) pending.clear();
  cache_.clear();
  for (Search& search : searches_) {
    search.pending = false;
    if (search.active) start_search(search);
  }
}

Counters BatchSearch::counters() const {
  Counters sum = counters_;
  for (const Search& search : searches_) sum += search.counters;
  return sum;
}

}  // namespace rlplat
