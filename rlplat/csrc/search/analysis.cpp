#include "search/analysis.hpp"

namespace rlplat {

Analysis::Analysis(std::shared_ptr<const Game> game, const SearchParams& search, const BatchParams& batch,
                   std::vector<History> positions, std::uint64_t seed)
    : BatchSearch(std::move(game), search, batch),
      positions_(std::move(positions)),
      seed_(seed),
      results_(positions_.size()) {
  for (std::size_t i = 0; i < searches().size(); ++i) next_.push_back(i);
  for (const History& position : positions_) {
    float returns[2];
    if (this->game().outcome(position.current(), position.past(), returns))
      throw std::invalid_argument("a position to analyse is over already");
  }
}

bool Analysis::start_next(Search& search) {
  const std::size_t position = next_[static_cast<std::size_t>(search.index)];
  if (position >= positions_.size()) return false;
  search.random = Random::stream(seed_, position);
  search.history = positions_[position];
  start_search(search);
  return true;
}

void Analysis::finish(Search& search, int) {
  note(search);
  next_[static_cast<std::size_t>(search.index)] += searches().size();
}

void Analysis::note() {
  for (const Search& search : searches())
    if (search.active && search.tree.root_expanded() && !search.root_due) note(search);
}

void Analysis::note(const Search& search) {
  const std::size_t position = next_[static_cast<std::size_t>(search.index)];
  const Tree& tree = search.tree;
  const auto copy = [](auto values) { return std::vector(values.begin(), values.end()); };
  Result& result = results_[position];
  result = {
      copy(tree.root_actions()), tree.root_counts(), copy(tree.root_q_values()),
      tree.root_priors(),        tree.root_policy(), tree.root_actions()[static_cast<std::size_t>(tree.best_edge())],
      tree.root_value(),         tree.root_proven(), tree.principal_variation()};
}

std::string Analysis::describe(const Search& search) const {
  return "position " + std::to_string(next_[static_cast<std::size_t>(search.index)]);
}

bool Analysis::done() const {
  for (const std::size_t position : next_)
    if (position < positions_.size()) return false;
  return true;
}

}  // namespace rlplat
