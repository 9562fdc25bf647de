// Many searches side by side. Leaves that need the network are gathered into one batch:
//
//     rows = select(group, observations)     every search of the group descends until its leaf needs the network
//     (the caller evaluates the rows)
//     backup(group, logits, values)          the evaluations are stored, remembered and backed up
//
// Searches are split into groups, so that one group's leaves can be evaluated while another group descends. Threads
// share out the searches of a group; a search depends on nothing but its own generator and on evaluations of batches
// completed before, so results are the same at any number of threads.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "game/game.hpp"
#include "search/evaluation_cache.hpp"
#include "search/tree.hpp"
#include "search/worker_threads.hpp"

namespace rlplat {

// Where evaluations come from. Uniform: equal priors, value 0. Rollout: equal priors, value of one random game.
enum class EvaluatorKind { kNetwork, kUniform, kRollout };

struct BatchParams {
  EvaluatorKind evaluator = EvaluatorKind::kNetwork;
  int num_searches = 1;
  int num_groups = 1;
  int num_threads = 1;
  std::uint64_t cache_bytes = 0;
  int kept_visits = 0;        // at most so many visits stay below a new root; 0: a new root starts afresh
  int leaves_per_search = 1;  // of one tree in a batch: more fill a batch where searches are few, for play
};

// A network gave NaN or infinity.
class NonFiniteEvaluation : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Counters {
  std::int64_t simulations = 0;
  std::int64_t evaluations = 0;  // by the network
  std::int64_t cache_hits = 0;
  std::int64_t terminal_leaves = 0;
  std::int64_t batches = 0;
  std::int64_t batch_rows = 0;

  Counters& operator+=(const Counters& other);
};

class BatchSearch {
 public:
  BatchSearch(std::shared_ptr<const Game> game, const SearchParams& search, const BatchParams& batch);
  virtual ~BatchSearch() = default;

  // Fills rows of `observations`, float[rows_per_group()][planes][height][width], in the order of the searches, and
  // returns how many. 0: every search of the group is over (or, without a network, the step limit was reached).
  int select(int group, float* observations);
  // `logits`, float[rows][num_actions], may hold anything at illegal actions; `values`, float[rows], from the view of
  // the player to move. Throws NonFiniteEvaluation if a value or the logit of a legal action is none that can be used;
  // that row's leaf is asked for again by the next select, all others are backed up.
  void backup(int group, const float* logits, const float* values);

  void clear_cache() { cache_.clear(); }
  const Game& game() const { return *game_; }
  int searches_per_group() const { return batch_.num_searches / batch_.num_groups; }
  int rows_per_group() const { return searches_per_group() * batch_.leaves_per_search; }
  int num_groups() const { return batch_.num_groups; }
  int num_pending(int group) const;  // rows
  Counters counters() const;
  double encode_s() const { return encode_s_; }  // seconds that select took to fill in observations, in all

 protected:
  // Whole cache lines each: neighbours are at work on different threads.
  struct alignas(64) Search {
    Search(const Game& game, const SearchParams& params, const Exploration& exploration, int max_nodes)
        : tree(game, params, exploration, max_nodes), history(game) {}

    Tree tree;
    History history;
    Random random;
    int index = 0;
    bool active = false;    // a search is under way
    bool root_due = false;  // prepare_root is owed as soon as the root has priors
    int simulations_left = 0;
    bool pending = false;
    std::vector<std::uint64_t> keys;  // of the pending leaves
    std::size_t first_row = 0;        // of these in the batch
    Counters counters;
  };

  // Starts the next search of `search`: sets the root by start_search. False: nothing is left to do.
  virtual bool start_next(Search& search) = 0;
  // The root of a new search has its priors.
  virtual void prepare_root(Search& search) { search.tree.prepare_root(search.simulations_left, true, search.random); }
  // The simulations of a search are done. Called on worker threads, for different searches at once.
  virtual void finish(Search& search, int worker) = 0;
  // What `search` is at work on, for messages.
  virtual std::string describe(const Search& search) const = 0;

  // Searches from the last state of the history; after `action` only if what the tree knows may be kept.
  void start_search(Search& search);
  void continue_search(Search& search, int action, int worker);
  // Forgets every tree and evaluation under way; the searches start again from their histories.
  void drop_trees();

  // Ends every search as soon as its root is evaluated.
  void hurry() { hurried_ = true; }

  const SearchParams& search_params() const { return search_; }
  std::vector<Search>& searches() { return searches_; }

 private:
  // Until the leaf needs the network (true), or nothing is left to do or the step limit was reached (false).
  bool descend(Search& search, int worker);
  // Adds the pending leaf to the batch. True: the search takes no more of them before they are evaluated.
  bool add_to_batch(Search& search, std::uint64_t key);
  // Backs up what the network says of a search's leaves.
  void take_evaluations(Search& search, const float* logits, const float* values);
  void evaluate_here(Search& search);

  std::shared_ptr<const Game> game_;
  SearchParams search_;
  Exploration exploration_;
  BatchParams batch_;
  WorkerThreads workers_;
  EvaluationCache cache_;
  std::vector<Search> searches_;
  std::vector<std::unique_ptr<Tree>> scratch_;  // one per worker
  std::vector<std::vector<float>> priors_;      // one row per row of a group's batch
  std::vector<std::vector<Search*>> pending_;   // per group, in the order of its batch
  Counters counters_;
  double encode_s_ = 0.0;
  bool hurried_ = false;
};

}  // namespace rlplat
