// Searches a list of positions, many at a time.
#pragma once

#include "search/batch_search.hpp"

namespace rlplat {

class Analysis : public BatchSearch {
 public:
  // Position p is searched with a generator seeded from (seed, p), by search p % num_searches.
  Analysis(std::shared_ptr<const Game> game, const SearchParams& search, const BatchParams& batch,
           std::vector<History> positions, std::uint64_t seed);

  struct Result {
    std::vector<std::int32_t> actions;  // legal, ascending; the next four belong to them
    std::vector<float> visits, q_values, priors, policy;
    std::int32_t best_action = 0;
    float value = 0.0f;  // from the view of the player to move
    bool proven = false;
    std::vector<std::int32_t> principal_variation;
  };

  // Ends all searches with what they have, as soon as their roots are evaluated.
  void stop() { hurry(); }
  // Fills in the results of searches under way, as they are now.
  void note();
  bool done() const;
  const std::vector<Result>& results() const { return results_; }

 private:
  bool start_next(Search& search) override;
  void finish(Search& search, int worker) override;
  void note(const Search& search);
  std::string describe(const Search& search) const override;

  std::vector<History> positions_;
  std::uint64_t seed_;
  std::vector<std::size_t> next_;  // per search: the position it takes next
  std::vector<Result> results_;
};

}  // namespace rlplat
