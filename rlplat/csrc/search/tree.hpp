// The search tree of one position. Nodes and edges live in arenas and refer to each other by 32-bit indices; nothing is
// allocated during a search. One caller at a time.
//
// The edges of a node form one block of five arrays of equal padded length K (a multiple of 8):
//
//     prior[K] | visits[K] | q_value[K] | child[K] | action[K]
//
// A q_value is the mean value of the visits through the edge, from the view of the player to move at the edge's node.
// The mean and the count of a node are those of the edge that leads to it. Padding has visits 1 and q_value -infinity,
// so that it is never chosen.
//
// With SearchParams::prove, a node knows bounds of its result that follow from finished games below it (Cazenave and
// Saffidine 2010, "Score Bounded Monte-Carlo Tree Search"): it gets at least what some move guarantees, and at most the
// best that any move leaves open. A node whose bounds meet is proven and counts as a finished game. An edge is closed,
// and not visited again, once its result is known or can be no better than what another edge guarantees; the sign of
// its prior says so. No simulation brings a node less than it is guaranteed, or more than is possible. Moves that win
// at once are looked for wherever a leaf is reached, so that such a leaf needs no evaluation (Teytaud and Teytaud 2010,
// "On the Huge Benefit of Decisive Moves in Monte-Carlo Tree Search Algorithms").
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "game/game.hpp"
#include "search/known_results.hpp"

namespace rlplat {

enum class Fpu { kConstant, kReduction };
enum class Selection { kPuct, kGumbel };

struct SearchParams {
  int num_simulations = 100;
  float c_base = 19652.0f;
  float c_init = 1.25f;
  Fpu fpu = Fpu::kReduction;
  float fpu_value = 0.25f;  // the value of an unvisited action, or what is taken off the node's value; see Tree
  float dirichlet_alpha = 1.0f;
  float noise_fraction = 0.0f;    // 0: no noise at the root
  bool shaped_noise = false;      // more noise for actions of higher prior; see Tree::add_root_noise
  float root_temperature = 1.0f;  // of the priors at the root: prior^(1 / temperature); above 1 they are flatter
  float forced_playouts = 0.0f;   // k: an action of the root gets sqrt(k P N) visits at least; 0: none
  bool prove = false;             // results that follow from finished games count as exact
  Selection selection = Selection::kPuct;
  // Of kGumbel, see gumbel.hpp:
  int gumbel_actions = 16;      // most actions that are tried at the root
  float c_visit = 50.0f;        // visits that the q_values are worth at least
  float c_scale = 0.1f;         // of the q_values beside the logarithms of the priors
  float gumbel_scale = 0.0f;    // of the noise at the root; 0: none
  float lcb_deviations = 0.0f;  // of the best move, see Tree::best_edge; 0: it is the most visited one
};

// c(N) sqrt(N), where c(N) = log((1 + N + c_base) / c_base) + c_init (Silver et al. 2018, "A general reinforcement
// learning algorithm...", pseudocode `ucb_score`), tabulated for small N.
class Exploration {
 public:
  explicit Exploration(const SearchParams& params);
  float operator()(float visits) const {
    return visits < kTableSize ? table_[static_cast<std::size_t>(visits)] : compute(visits);
  }

 private:
  static constexpr int kTableSize = 1024;
  float compute(float visits) const;
  float c_base_, c_init_;
  std::vector<float> table_;
};

class Tree {
 public:
  enum class Leaf { kTerminal, kPending };

  // `params` and `exploration` must outlive the tree.
  Tree(const Game& game, const SearchParams& params, const Exploration& exploration, int max_nodes);

  // Starts afresh from the last state of `history`, which must stay where it is until the next set_root.
  void set_root(const History& history);

  // Makes the state after `action`, which `history` must now end with, the root, and keeps what is known below it.
  // False, and no change, when nothing is known there or more than `max_visits` visits would be kept. `scratch` is a
  // tree of the same size whose content is lost.
  bool advance_root(int action, float max_visits, const History& history, Tree& scratch);

  // One simulation: descends by PUCT to a leaf. A terminal or proven leaf is backed up with its exact value at once;
  // another one is pending until expand() is called. The root must not be proven.
  Leaf select();

  // The pending leaf.
  const void* leaf_state() const { return state(leaf_); }
  RawPast leaf_past() const { return past_at(depth_); }  // valid until the next select
  int leaf_player() const { return nodes_[leaf_].player; }
  std::span<const std::int32_t> leaf_actions() const;
  bool leaf_is_root() const { return leaf_ == 0; }
  // `priors` over leaf_actions(), `value` from the view of the player to move at the leaf.
  void expand(std::span<const float> priors, float value);
  // With equal priors.
  void expand(float value);

  // To be called once the root has priors, before a search of `num_simulations`. `explore` adds what is for self-play
  // only: temperature, noise, forced playouts.
  void prepare_root(int num_simulations, bool explore, Random& random);
  // A word made of the noise that prepare_root has drawn; 0: none, or none that tells draws apart.
  std::uint64_t root_noise() const { return root_noise_; }
  bool root_expanded() const { return nodes_[0].expanded; }
  bool root_proven() const { return nodes_[0].proven(); }
  // Mixes fresh Dirichlet noise into the priors at the root: P = (1 - f) p + f eta. Shaped noise (KataGo) has the same
  // concentration in all, but only half of it is spread evenly: the other half goes to actions whose log prior (of at
  // most 1 %) is above the mean, in proportion to how far it is.
  void add_root_noise(Random& random);
  std::span<const std::int32_t> root_actions() const;
  std::span<const float> root_visits() const;
  std::span<const float> root_q_values() const;
  std::vector<float> root_priors() const;
  // The visits that speak for each action: all, less those that were forced; but none for actions proven to lose unless
  // all are. Where an action guarantees something, the visits of those that can be no better, or were found no better,
  // speak for it.
  std::vector<float> root_counts() const;
  // What a policy should learn, as shares that need not sum to 1: root_counts, or with kGumbel the improved policy,
  // less what is proven to be no good.
  std::vector<float> root_policy() const;
  // Several leaves of one tree, for play (leaf parallelisation): a pending leaf is set aside, and the visits of its
  // path count at once, so that the next select goes elsewhere (Liu et al. 2020, "Watch the unobserved: a simple
  // approach to parallelizing Monte Carlo tree search"); an edge without another visit looks lost meanwhile (virtual
  // loss: Chaslot et al. 2008, "Parallel Monte-Carlo Tree Search"). False: this leaf is set aside already.
  bool set_aside();
  int num_set_aside() const { return waiting_counts_ ? static_cast<int>(set_aside_.size()) : 0; }
  // Makes the leaf set aside as number `i` the pending one.
  void take_up(int i);
  // Takes back what the leaves set aside have counted. To be called once all are evaluated, before they are taken up.
  void end_waiting();
  // The edge to play: the most visited, among equals that of the higher q_value; with kGumbel that of the highest
  // score. The one of the highest prior if none was visited. With lcb_deviations z, of those with at least 15 % of the
  // most visits the one whose value is certain to be highest: q - z standard errors (KataGo, `lcbStdevs`,
  // `minVisitPropForLCB`).
  int best_edge() const;
  float root_value() const { return nodes_[0].bounds.clamp(root_value_); }
  float num_visits() const { return root_visits_; }
  int num_nodes() const { return num_nodes_; }
  // The most visited line.
  std::vector<std::int32_t> principal_variation() const;

 private:
  static constexpr std::uint32_t kNone = 0xFFFFFFFF;

  static constexpr float kWin = 1.0f, kLoss = -1.0f;  // returns are in [-1, 1], so nothing is better or worse

  struct Node {
    std::uint32_t edges = 0;  // first word of its block, in units of 8 words
    std::uint16_t num_edges = 0;
    std::uint8_t player = 0;
    bool expanded : 1 = false;
    bool terminal : 1 = false;
    Bounds bounds = {};  // of its result, from the view of `player`
    bool proven() const { return bounds.meet(); }
  };

  struct PathEdge {  // from the root to the leaf
    float* visits;
    float* q_value;
    std::uint32_t node;
    std::uint8_t player;
  };

  struct FreeDelete {
    void operator()(void* memory) const;
  };

  static int padded(int num_edges) { return (num_edges + 7) & ~7; }
  float* block(const Node& node) const { return words_.get() + std::size_t{node.edges} * 8; }
  std::byte* state(std::uint32_t node) const { return states_.get() + node * state_stride_; }

  int select_edge(const Node& node, float visits, float value) const;
  // At the root: what wins at once, or what sequential halving or exploration asks for.
  int select_root_edge(float visits, float value) const;
  // By the improved policy: the edge whose share of the visits lags most behind (Danihelka et al. 2022, section 5).
  int select_improving_edge(std::uint32_t index) const;
  int select_considered_edge() const;
  void temper_root_priors();
  // Forced playouts and policy target pruning (Wu 2019, "Accelerating Self-Play Learning in Go", section 3.2).
  bool forces() const { return explores_ && params_->forced_playouts > 0.0f; }
  float forced_visits(float prior) const;
  int select_forced_edge() const;  // -1: every visited action has its share
  std::vector<float> pruned(std::vector<float> counts) const;
  // log prior + noise + sigma(completed Q) of each edge of the root.
  std::vector<float> halving_scores() const;
  void begin_halving(int num_simulations, float noise_scale, Random& random);
  // `counts` without those of actions that proofs speak against; see root_counts.
  std::vector<float> supported(std::vector<float> counts) const;
  std::uint32_t create_child(std::uint32_t parent, int action);
  void start_past(const History& history);
  // The states before the one at the end of a path of `depth` edges.
  RawPast past_at(int depth) const {
    if (reach_ == 0) return {nullptr, 0};
    const int known = static_cast<int>(past_.size()) - root_past_ + depth;
    return {past_.data() + (root_past_ - depth), reach_ < 0 ? known : std::min(reach_, known)};
  }
  // The edge of node `index`, at the end of the path, that is known to win at once; -1 if there is none.
  int decisive_edge(std::uint32_t index);
  void allocate_edges(Node& node, std::span<const std::int32_t> actions);
  void open_edges(Node& node);
  void backup(float value, int player);
  void count_waiting(float visits);
  void spread_root(const PathEdge& edge, float value);
  int safest_edge(const std::vector<float>& counts) const;
  // Bounds along the path what follows from the proven node at its end, and closes edges.
  void tighten();
  // Of the result behind an edge, from the view of its node's player.
  Bounds edge_bounds(const Node& node, int edge) const;

  const Game* game_;
  const SearchParams* params_;
  const Exploration* exploration_;
  std::size_t state_stride_;
  int max_nodes_;
  int num_nodes_ = 0;
  std::uint32_t num_blocks_ = 0;  // words in use, in units of 8
  std::uint32_t leaf_ = 0;
  float root_visits_ = 0.0f;
  float root_value_ = 0.0f;
  std::unique_ptr<Node[]> nodes_;
  std::unique_ptr<std::byte[], FreeDelete> states_;
  std::unique_ptr<float[], FreeDelete> words_;
  std::unique_ptr<PathEdge[]> path_;
  int depth_ = 0;  // edges in `path_`
  struct Waiting {
    std::uint32_t leaf;
    std::vector<PathEdge> path;
  };
  std::vector<Waiting> set_aside_;
  bool waiting_counts_ = false;
  std::vector<float> root_spread_;  // of each edge of the root: squared deviations from its q_value, for lcb_deviations
  int root_decisive_ = -1;          // the root's edge that wins at once
  bool explores_ = false;           // what prepare_root was told
  bool improves_ = false;           // Selection::kGumbel
  std::vector<float> raw_values_;   // of each node, by the evaluator; of kGumbel only, as the next two
  std::vector<float> root_gumbel_;  // noise of each edge of the root
  std::uint64_t root_noise_ = 0;
  std::vector<std::int32_t> considered_;  // by simulation: the visits of the edges to choose from
  std::vector<std::int32_t> legal_;
  int reach_;  // Shape::past_length
  // The states of the path in `past_`, newest first, end before `root_past_`, where the root's own past begins. Empty
  // for rules that do not look back.
  int root_past_ = 0;
  std::vector<const void*> past_;
  // Shared by the nodes of equal positions. Empty for rules that look back, where a position alone has no result.
  std::optional<KnownResults> known_;
};

}  // namespace rlplat
