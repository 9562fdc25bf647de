#include "search/tree.hpp"

#ifdef __AVX__
#include <immintrin.h>
#endif

#include <bit>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <utility>

namespace rlplat {

namespace {

// Eight lanes at once. Element-wise operations only, so the result is the same whatever the compiler makes of them.
typedef float Floats __attribute__((vector_size(32)));
typedef std::int32_t Ints __attribute__((vector_size(32)));

inline Floats load(const float* from) { return *reinterpret_cast<const Floats*>(from); }
inline void store(float* to, Floats values) { *reinterpret_cast<Floats*>(to) = values; }
inline Floats all(float value) { return Floats{} + value; }
constexpr Ints kLanes{0, 1, 2, 3, 4, 5, 6, 7};

// One bit per lane that is set.
inline unsigned bits(Ints lanes) {
#ifdef __AVX__
  return static_cast<unsigned>(_mm256_movemask_ps(reinterpret_cast<__m256>(lanes)));
#else
  unsigned mask = 0;
  for (int lane = 0; lane < 8; ++lane) mask |= static_cast<unsigned>(lanes[lane] & 1) << lane;
  return mask;
#endif
}

inline Floats maximum(Floats a, Floats b) { return a > b ? a : b; }

// The highest lane, in every lane.
inline Floats highest(Floats a) {
  a = maximum(a, __builtin_shuffle(a, Ints{4, 5, 6, 7, 0, 1, 2, 3}));
  a = maximum(a, __builtin_shuffle(a, Ints{2, 3, 0, 1, 6, 7, 4, 5}));
  return maximum(a, __builtin_shuffle(a, Ints{1, 0, 3, 2, 5, 4, 7, 6}));
}

// The lowest lane.
inline std::int32_t lowest(Ints a) {
  const auto smaller = [](Ints b, Ints c) { return b < c ? b : c; };
  a = smaller(a, __builtin_shuffle(a, Ints{4, 5, 6, 7, 0, 1, 2, 3}));
  a = smaller(a, __builtin_shuffle(a, Ints{2, 3, 0, 1, 6, 7, 4, 5}));
  return smaller(a, __builtin_shuffle(a, Ints{1, 0, 3, 2, 5, 4, 7, 6}))[0];
}

void* allocate(std::size_t bytes) {
  // Untouched pages cost no memory, so arenas are as large as they can ever need to be.
  void* memory = std::aligned_alloc(64, (bytes + 63) / 64 * 64);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Whether edges are closed, by the sign of their priors; a prior of -0 says so too.
inline Ints closed(Floats prior) { return reinterpret_cast<Ints>(prior) < 0; }
inline Floats magnitude(Floats prior) { return reinterpret_cast<Floats>(reinterpret_cast<Ints>(prior) & 0x7fffffff); }

}  // namespace

Exploration::Exploration(const SearchParams& params) : c_base_(params.c_base), c_init_(params.c_init) {
  for (int n = 0; n < kTableSize; ++n) table_.push_back(compute(static_cast<float>(n)));
}

float Exploration::compute(float visits) const {
  return (std::log((1.0f + visits + c_base_) / c_base_) + c_init_) * std::sqrt(visits);
}

void Tree::FreeDelete::operator()(void* memory) const { std::free(memory); }

Tree::Tree(const Game& game, const SearchParams& params, const Exploration& exploration, int max_nodes)
    : game_(&game),
      params_(&params),
      exploration_(&exploration),
      state_stride_((game.state_size() + 7) / 8 * 8),
      max_nodes_(max_nodes),
      nodes_(new Node[static_cast<std::size_t>(max_nodes)]),
      path_(new PathEdge[static_cast<std::size_t>(game.shape().max_length) + 1]),
      legal_(static_cast<std::size_t>(padded(game.shape().max_legal_actions))),
      reach_(game.shape().past_length) {
  const auto nodes = static_cast<std::size_t>(max_nodes);
  const auto block_words = static_cast<std::size_t>(5 * padded(game.shape().max_legal_actions));
  states_.reset(static_cast<std::byte*>(allocate(nodes * state_stride_)));
  words_.reset(static_cast<float*>(allocate(nodes * block_words * sizeof(float))));
  if (params.prove && reach_ == 0) known_.emplace(nodes);
  improves_ = params.selection == Selection::kGumbel;
  if (improves_) raw_values_.resize(nodes);
}

void Tree::set_root(const History& history) {
  start_past(history);
  if (known_) known_->clear();
  num_nodes_ = 1;
  num_blocks_ = 0;
  root_visits_ = root_value_ = 0.0f;
  leaf_ = 0;
  depth_ = 0;
  root_decisive_ = -1;
  explores_ = false;
  waiting_counts_ = false;
  std::memcpy(state(0), history.current(), game_->state_size());
  nodes_[0] = Node{.player = static_cast<std::uint8_t>(game_->player(state(0)))};
  const int count = game_->legal_actions(state(0), history.past(), legal_.data());
  allocate_edges(nodes_[0], std::span(legal_).first(static_cast<std::size_t>(count)));
}

Tree::Leaf Tree::select() {
  depth_ = 0;
  std::uint32_t index = 0;
  float visits = root_visits_, value = root_value_;
  for (;;) {
    const Node& node = nodes_[index];
    if (node.proven()) {
      if (params_->prove) tighten();
      backup(node.bounds.lower, node.player);
      return Leaf::kTerminal;
    }
    if (!node.expanded) {
      leaf_ = index;
      if (params_->prove) {
        const int edge = decisive_edge(index);
        if (index == 0) {
          root_decisive_ = edge;
        } else if (edge >= 0) {
          nodes_[index].bounds.lower = kWin;
          continue;
        }
      }
      return Leaf::kPending;
    }
    const bool is_special = index == 0 && (root_decisive_ >= 0 || improves_ || forces());
    const int edge = is_special  ? select_root_edge(visits, value)
                     : improves_ ? select_improving_edge(index)
                                 : select_edge(node, visits, value);
    const int k = padded(node.num_edges);
    float* words = block(node);
    path_[static_cast<std::size_t>(depth_++)] = {words + k + edge, words + 2 * k + edge, index, node.player};
    if (reach_ != 0) past_[static_cast<std::size_t>(root_past_ - depth_)] = state(index);
    auto& child = reinterpret_cast<std::uint32_t*>(words + 3 * k)[edge];
    if (child == kNone) {
      child = create_child(index, reinterpret_cast<const std::int32_t*>(words + 4 * k)[edge]);
      index = child;
      continue;
    }
    visits = words[k + edge];
    value = nodes_[child].player == node.player ? words[2 * k + edge] : -words[2 * k + edge];
    index = child;
  }
}

int Tree::select_edge(const Node& node, float visits, float value) const {
  const int k = padded(node.num_edges);
  const float* words = block(node);
  const Floats zero{};
  float unvisited = params_->fpu_value;
  if (params_->fpu == Fpu::kReduction) {
    Floats mass{};
    for (int i = 0; i < k; i += 8) mass += load(words + k + i) > zero ? magnitude(load(words + i)) : zero;
    float sum = 0.0f;
    for (int lane = 0; lane < 8; ++lane) sum += mass[lane];
    unvisited = value - params_->fpu_value * std::sqrt(sum);
  }
  const Floats scale = all((*exploration_)(visits)), first = all(unvisited), one = all(1.0f);
  const auto scores = [&](int i) {
    const Floats n = load(words + k + i), prior = load(words + i);
    const Floats score = (n > zero ? load(words + 2 * k + i) : first) + prior * scale / (one + n);
    return closed(prior) ? all(-kInfinity) : score;
  };
  // Of equal scores the lowest action wins.
  if (k == 8) {
    const Floats score = scores(0);
    return std::countr_zero(bits(score == highest(score)));
  }
  Floats best = all(-kInfinity);
  Ints best_edge = kLanes;
  for (int i = 0; i < k; i += 8) {
    const Floats score = scores(i);
    const Ints better = score > best;
    best = better ? score : best;
    best_edge = better ? kLanes + i : best_edge;
  }
  const Ints others = Ints{} + std::numeric_limits<std::int32_t>::max();
  return lowest(best == highest(best) ? best_edge : others);
}

int Tree::decisive_edge(std::uint32_t index) {
  const Node& node = nodes_[index];
  if (reach_ != 0) past_[static_cast<std::size_t>(root_past_ - depth_ - 1)] = state(index);
  const std::span actions(reinterpret_cast<const std::int32_t*>(block(node) + 4 * padded(node.num_edges)),
                          node.num_edges);
  const int action = game_->winning_action(state(index), past_at(depth_ + 1), actions);
  if (action < 0) return -1;
  return static_cast<int>(std::ranges::lower_bound(actions, action) - actions.begin());
}

std::uint32_t Tree::create_child(std::uint32_t parent, int action) {
  const auto index = static_cast<std::uint32_t>(num_nodes_++);
  leaf_ = index;
  Step step;
  step.legal = legal_.data();
  game_->step(state(parent), leaf_past(), action, state(index), step);
  Node& node = nodes_[index];
  node = Node{.player = static_cast<std::uint8_t>(step.player)};
  if (step.is_over) {
    node.terminal = true;
    node.bounds.lower = node.bounds.upper = step.returns[step.player];
  } else {
    allocate_edges(node, std::span(legal_).first(static_cast<std::size_t>(step.num_legal)));
    if (known_) node.bounds = known_->find(game_->hash(state(index)));
  }
  return index;
}

void Tree::allocate_edges(Node& node, std::span<const std::int32_t> actions) {
  node.num_edges = static_cast<std::uint16_t>(actions.size());
  node.edges = num_blocks_;
  const int k = padded(node.num_edges);
  num_blocks_ += static_cast<std::uint32_t>(5 * k / 8);
  float* words = block(node) + 4 * k;
  for (int i = 0; i < k; i += 8) std::memcpy(words + i, actions.data() + i, 8 * sizeof(std::int32_t));
}

void Tree::start_past(const History& history) {
  if (reach_ == 0) return;
  const RawPast earlier = history.past();
  root_past_ = game_->shape().max_length + 1;
  past_.resize(static_cast<std::size_t>(root_past_));
  past_.insert(past_.end(), earlier.states, earlier.states + earlier.length);
}

std::span<const std::int32_t> Tree::leaf_actions() const {
  const Node& node = nodes_[leaf_];
  return {reinterpret_cast<const std::int32_t*>(block(node) + 4 * padded(node.num_edges)), node.num_edges};
}

void Tree::expand(std::span<const float> priors, float value) {
  Node& node = nodes_[leaf_];
  std::copy(priors.begin(), priors.end(), block(node));
  open_edges(node);
  if (improves_) raw_values_[leaf_] = value;
  backup(value, node.player);
}

void Tree::expand(float value) {
  Node& node = nodes_[leaf_];
  float* words = block(node);
  const Floats prior = all(1.0f / static_cast<float>(node.num_edges));
  for (int i = 0; i < padded(node.num_edges); i += 8) store(words + i, prior);
  open_edges(node);
  if (improves_) raw_values_[leaf_] = value;
  backup(value, node.player);
}

// Everything but the priors, which stand in the block already.
void Tree::open_edges(Node& node) {
  const int k = padded(node.num_edges);
  float* words = block(node);
  const Ints none = Ints{} - 1;
  for (int i = 0; i < k; i += 8) {
    const Ints real = kLanes + i < node.num_edges;
    store(words + i, real ? load(words + i) : Floats{});
    store(words + k + i, real ? Floats{} : all(1.0f));
    store(words + 2 * k + i, real ? Floats{} : all(-kInfinity));
    *reinterpret_cast<Ints*>(words + 3 * k + i) = none;
  }
  node.expanded = true;
}

void Tree::backup(float value, int player) {
  if (waiting_counts_) count_waiting(-1.0f);
  float unclamped = value;
  for (int i = depth_; i-- > 0;) {
    const PathEdge& edge = path_[static_cast<std::size_t>(i)];
    if (edge.player != player) value = -value;
    player = edge.player;
    const float visits = *edge.visits + 1.0f;
    *edge.visits = visits;
    *edge.q_value += (value - *edge.q_value) / visits;
    unclamped = value;
    if (params_->prove) value = nodes_[edge.node].bounds.clamp(value);
  }
  if (nodes_[0].player != player) value = -value;
  root_value_ += (value - root_value_) / ++root_visits_;
  if (params_->lcb_deviations > 0.0f && depth_ > 0) spread_root(path_[0], unclamped);
  if (waiting_counts_) count_waiting(1.0f);
}

void Tree::tighten() {
  for (int i = depth_; i-- > 0;) {
    const PathEdge& edge = path_[static_cast<std::size_t>(i)];
    Node& node = nodes_[edge.node];
    const int k = padded(node.num_edges);
    float* words = block(node);
    Bounds bounds{kLoss, kLoss};
    for (int e = 0; e < node.num_edges; ++e) {
      const Bounds other = edge_bounds(node, e);
      bounds = {std::max(bounds.lower, other.lower), std::max(bounds.upper, other.upper)};
    }
    for (int e = 0; e < node.num_edges; ++e) {
      const Bounds other = edge_bounds(node, e);
      if (words[k + e] > 0.0f) words[2 * k + e] = other.clamp(words[2 * k + e]);
      if (other.meet() || other.upper <= bounds.lower) words[e] = -std::abs(words[e]);
    }
    if (bounds == node.bounds) return;
    node.bounds = bounds;
    if (known_) known_->insert(game_->hash(state(edge.node)), bounds);
  }
}

Bounds Tree::edge_bounds(const Node& node, int edge) const {
  const std::uint32_t index = reinterpret_cast<const std::uint32_t*>(block(node) + 3 * padded(node.num_edges))[edge];
  if (index == kNone) return {};
  const Node& child = nodes_[index];
  return child.player == node.player ? child.bounds : Bounds{-child.bounds.upper, -child.bounds.lower};
}

bool Tree::advance_root(int action, float max_visits, const History& history, Tree& scratch) {
  const Node& root = nodes_[0];
  const auto actions = root_actions();
  const int k = padded(root.num_edges);
  const auto edge = std::find(actions.begin(), actions.end(), action) - actions.begin();
  if (edge == root.num_edges) return false;
  const std::uint32_t child = reinterpret_cast<const std::uint32_t*>(block(root) + 3 * k)[edge];
  if (child == kNone || !nodes_[child].expanded) return false;
  const float visits = block(root)[k + edge], q_value = block(root)[2 * k + edge];
  if (visits > max_visits) return false;
  scratch.num_nodes_ = 0;
  scratch.num_blocks_ = 0;
  const auto copy_node = [&](std::uint32_t from) {
    const auto to = static_cast<std::uint32_t>(scratch.num_nodes_++);
    const Node& node = nodes_[from];
    std::memcpy(scratch.state(to), state(from), state_stride_);
    scratch.nodes_[to] = node;
    if (!node.terminal) {
      scratch.nodes_[to].edges = scratch.num_blocks_;
      scratch.num_blocks_ += static_cast<std::uint32_t>(5 * padded(node.num_edges) / 8);
      std::memcpy(scratch.block(scratch.nodes_[to]), block(node),
                  5 * sizeof(float) * static_cast<std::size_t>(padded(node.num_edges)));
    }
    return to;
  };
  copy_node(child);
  for (int i = 0; i < scratch.num_nodes_; ++i) {  // breadth first: copied nodes still name their children here
    const Node& node = scratch.nodes_[static_cast<std::size_t>(i)];
    if (!node.expanded) continue;  // terminal, or never evaluated: it has no children
    auto* children = reinterpret_cast<std::uint32_t*>(scratch.block(node) + 3 * padded(node.num_edges));
    for (int e = 0; e < node.num_edges; ++e)
      if (children[e] != kNone) children[e] = copy_node(children[e]);
  }
  root_value_ = nodes_[child].player == root.player ? q_value : -q_value;
  root_visits_ = visits;
  std::swap(nodes_, scratch.nodes_);
  std::swap(states_, scratch.states_);
  std::swap(words_, scratch.words_);
  num_nodes_ = scratch.num_nodes_;
  num_blocks_ = scratch.num_blocks_;
  root_decisive_ = -1;  // the new root was expanded, so it has none
  explores_ = false;
  waiting_counts_ = false;
  start_past(history);
  return true;
}

std::span<const std::int32_t> Tree::root_actions() const {
  const Node& root = nodes_[0];
  return {reinterpret_cast<const std::int32_t*>(block(root) + 4 * padded(root.num_edges)), root.num_edges};
}

std::vector<float> Tree::root_priors() const {
  std::vector<float> priors(block(nodes_[0]), block(nodes_[0]) + nodes_[0].num_edges);
  for (float& prior : priors) prior = std::abs(prior);
  return priors;
}

std::span<const float> Tree::root_visits() const {
  return {block(nodes_[0]) + padded(nodes_[0].num_edges), nodes_[0].num_edges};
}

std::span<const float> Tree::root_q_values() const {
  return {block(nodes_[0]) + 2 * padded(nodes_[0].num_edges), nodes_[0].num_edges};
}

std::vector<std::int32_t> Tree::principal_variation() const {
  std::vector<std::int32_t> line;
  for (const Node* node = &nodes_[0]; node->expanded;) {
    const int k = padded(node->num_edges);
    const float* words = block(*node);
    const auto edge = std::max_element(words + k, words + k + node->num_edges) - (words + k);
    if (words[k + edge] == 0.0f) break;
    line.push_back(reinterpret_cast<const std::int32_t*>(words + 4 * k)[edge]);
    node = &nodes_[reinterpret_cast<const std::uint32_t*>(words + 3 * k)[edge]];
  }
  return line;
}

}  // namespace rlplat
