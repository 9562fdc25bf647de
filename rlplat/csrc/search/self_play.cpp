#include "search/self_play.hpp"

#include <cmath>
#include <limits>

namespace rlplat {

namespace {

constexpr float kPolicyScale = 65535.0f;

// Copies the elements of `from` to the cursor `to` and moves it on.
template <class T>
void put(T*& to, const std::vector<T>& from) {
  to = std::copy(from.begin(), from.end(), to);
}

template <class T>
std::vector<T> take(T*& from, std::size_t count) {
  std::vector<T> out(from, from + count);
  from += count;
  return out;
}

// KL(shares / sum || priors).
float surprise(const std::vector<float>& shares, float sum, const std::vector<float>& priors) {
  double divergence = 0.0;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    if (shares[i] <= 0.0f) continue;
    const double share = shares[i] / sum;
    divergence += share * std::log(share / std::max(priors[i], std::numeric_limits<float>::min()));
  }
  return static_cast<float>(std::max(0.0, divergence));
}

}  // namespace

RecordCounts count_records(std::span<const GameRecord> records) {
  RecordCounts counts;
  for (const GameRecord& record : records) {
    ++counts.games;
    counts.positions += static_cast<std::int64_t>(record.actions.size());
    counts.policy += static_cast<std::int64_t>(record.policy.size());
  }
  return counts;
}

void write_records(std::span<const GameRecord> records, const RecordArrays& out) {
  RecordArrays to = out;
  for (const GameRecord& record : records) {
    *to.number++ = record.number;
    *to.random_state++ = record.random_state;
    *to.opening_plies++ = record.opening_plies;
    *to.played_on++ = record.played_on;
    *to.resigned++ = record.resigned;
    *to.num_positions++ = static_cast<std::int32_t>(record.actions.size());
    *to.outcome++ = record.outcome;
    put(to.states, record.states);
    put(to.players, record.players);
    put(to.actions, record.actions);
    put(to.root_values, record.root_values);
    put(to.surprises, record.surprises);
    put(to.num_legal, record.num_legal);
    put(to.policy, record.policy);
  }
}

std::vector<GameRecord> read_records(const RecordCounts& counts, const RecordArrays& arrays, std::size_t state_size) {
  RecordArrays from = arrays;
  const std::uint16_t* policy_end = arrays.policy + counts.policy;
  std::int64_t positions_left = counts.positions;
  std::vector<GameRecord> records;
  for (std::int64_t game = 0; game < counts.games; ++game) {
    GameRecord record;
    record.number = *from.number++;
    record.random_state = *from.random_state++;
    record.opening_plies = *from.opening_plies++;
    record.played_on = *from.played_on++ != 0;
    record.resigned = *from.resigned++ != 0;
    record.outcome = *from.outcome++;
    const std::int32_t length = *from.num_positions++;
    if (length < 0 || length > positions_left)
      throw std::invalid_argument("game records: num_positions does not add up");
    positions_left -= length;
    const auto count = static_cast<std::size_t>(length);
    record.states = take(from.states, count * state_size);
    record.players = take(from.players, count);
    record.actions = take(from.actions, count);
    record.root_values = take(from.root_values, count);
    record.surprises = take(from.surprises, count);
    record.num_legal = take(from.num_legal, count);
    std::size_t policy = 0;
    for (const std::uint16_t legal : record.num_legal) policy += legal;
    if (policy > static_cast<std::size_t>(policy_end - from.policy))
      throw std::invalid_argument("game records: num_legal does not add up");
    record.policy = take(from.policy, policy);
    records.push_back(std::move(record));
  }
  if (positions_left != 0) throw std::invalid_argument("game records: num_positions does not add up");
  if (from.policy != policy_end) throw std::invalid_argument("game records: num_legal does not add up");
  return records;
}

SelfPlay::SelfPlay(std::shared_ptr<const Game> game, const SearchParams& search, const BatchParams& batch,
                   const SelfPlayParams& params)
    : BatchSearch(std::move(game), search, batch),
      params_(params),
      records_(searches().size()),
      is_fast_(searches().size()),
      priors_(searches().size()) {
  if (params_.game_stride < batch.num_searches)
    throw std::invalid_argument("game_stride must be at least num_searches, or two searches play the same game");
  if (search.num_simulations < 1) throw std::invalid_argument("self-play needs at least one simulation a move");
  if (params_.fast_share > 0.0f && (params_.fast_simulations < 1 || params_.fast_simulations > search.num_simulations))
    throw std::invalid_argument("fast_simulations must be from 1 to num_simulations");
  for (const Search& search_slot : searches()) next_number_.push_back(params_.first_game + search_slot.index);
}

bool SelfPlay::start_next(Search& search) {
  std::int64_t& number = next_number_[static_cast<std::size_t>(search.index)];
  begin_game(search, number);
  number += params_.game_stride;
  start_search(search);
  return true;
}

void SelfPlay::begin_game(Search& search, std::int64_t number) {
  search.random = Random::stream(params_.seed, static_cast<std::uint64_t>(number));
  search.history.restart();
  GameRecord& record = records_[static_cast<std::size_t>(search.index)];
  record = GameRecord();
  record.number = number;
  const int plies = static_cast<int>(search.random.below(static_cast<std::uint32_t>(params_.opening_plies) + 1));
  std::vector<std::int32_t> legal(static_cast<std::size_t>(game().shape().max_legal_actions));
  for (int ply = 0; ply < plies; ++ply) {
    const int count = game().legal_actions(search.history.current(), search.history.past(), legal.data());
    const int action = legal[search.random.below(static_cast<std::uint32_t>(count))];
    History after = search.history;
    after.apply(action);
    float returns[2];
    if (game().outcome(after.current(), after.past(), returns)) break;  // an opening never ends the game
    record_move(search, action, 0.0f, false);
    search.history = std::move(after);
    ++record.opening_plies;
  }
  record.played_on = params_.played_on_share > 0.0f && search.random.uniform() < params_.played_on_share;
}

// Playout cap randomisation (Wu 2019, "Accelerating Self-Play Learning in Go", section 3.1).
void SelfPlay::prepare_root(Search& search) {
  std::uint8_t& is_fast = is_fast_[static_cast<std::size_t>(search.index)];
  is_fast = params_.fast_share > 0.0f && search.random.uniform() < params_.fast_share;
  if (is_fast) search.simulations_left = params_.fast_simulations;
  priors_[static_cast<std::size_t>(search.index)] = search.tree.root_priors();
  search.tree.prepare_root(search.simulations_left, !is_fast, search.random);
  const GameRecord& record = records_[static_cast<std::size_t>(search.index)];
  const bool is_first = record.actions.size() == static_cast<std::size_t>(record.opening_plies);
  if (!is_first || search.tree.root_noise() == 0) return;
  const std::lock_guard lock(finished_mutex_);
  noise_.push_back(search.tree.root_noise());
}

void SelfPlay::record_move(Search& search, int action, float root_value, bool is_target) {
  GameRecord& record = records_[static_cast<std::size_t>(search.index)];
  const std::byte* state = search.history.current();
  record.states.insert(record.states.end(), state, state + game().state_size());
  record.players.push_back(static_cast<std::uint8_t>(game().player(state)));
  record.actions.push_back(action);
  record.root_values.push_back(root_value);
  const std::vector<float> shares = is_target ? search.tree.root_policy() : std::vector<float>();
  record.num_legal.push_back(static_cast<std::uint16_t>(shares.size()));
  float sum = 0.0f;
  for (const float share : shares) sum += share;
  record.surprises.push_back(is_target ? surprise(shares, sum, priors_[static_cast<std::size_t>(search.index)]) : 0.0f);
  for (const float share : shares)
    record.policy.push_back(static_cast<std::uint16_t>(std::lround(share / sum * kPolicyScale)));
}

int SelfPlay::choose_action(Search& search) const {
  if (search_params().selection == Selection::kGumbel)  // the noise at the root is what makes games differ
    return search.tree.root_actions()[static_cast<std::size_t>(search.tree.best_edge())];
  const std::vector<float> visits = search.tree.root_counts();
  const float temperature =
      search.history.num_moves() < params_.temperature_plies ? params_.temperature : params_.final_temperature;
  const auto best = static_cast<std::size_t>(std::max_element(visits.begin(), visits.end()) - visits.begin());
  if (temperature <= 0.0f) return search.tree.root_actions()[best];
  // Relative to the highest count, so that the power neither over- nor underflows to nothing.
  const auto weight = [&](float count) {
    return std::pow(static_cast<double>(count / visits[best]), 1.0 / temperature);
  };
  double sum = 0.0;
  for (const float count : visits) sum += weight(count);
  double rest = search.random.uniform() * sum;
  std::size_t choice = best;
  for (std::size_t i = 0; i < visits.size(); ++i) {
    if (visits[i] == 0.0f) continue;
    choice = i;
    if ((rest -= weight(visits[i])) < 0.0) break;
  }
  return search.tree.root_actions()[choice];
}

void SelfPlay::finish(Search& search, int worker) {
  const int action = choose_action(search);
  const bool is_target = search.tree.root_proven() || !is_fast_[static_cast<std::size_t>(search.index)];
  const float root_value = search.tree.root_value();
  record_move(search, action, root_value, is_target);
  search.history.apply(action);
  if (!ends_game(search, root_value)) {
    continue_search(search, action, worker);
    return;
  }
  GameRecord& record = records_[static_cast<std::size_t>(search.index)];
  record.random_state = search.random.state();
  const std::lock_guard lock(finished_mutex_);
  finished_positions_ += std::ranges::count_if(record.num_legal, [](std::uint16_t count) { return count > 0; });
  finished_.push_back(std::move(record));
}

bool SelfPlay::ends_game(Search& search, float root_value) {
  GameRecord& record = records_[static_cast<std::size_t>(search.index)];
  float returns[2];
  if (game().outcome(search.history.current(), search.history.past(), returns)) {
    record.outcome = returns[0];
    return true;
  }
  if (root_value > params_.resign_value || record.played_on) return false;
  record.outcome = record.players.back() == 0 ? -1.0f : 1.0f;
  return record.resigned = true;
}

std::string SelfPlay::describe(const Search& search) const {
  return "game " + std::to_string(records_[static_cast<std::size_t>(search.index)].number) + ", move " +
         std::to_string(search.history.num_moves() + 1);
}

std::int64_t SelfPlay::finished_positions() const {
  const std::lock_guard lock(finished_mutex_);
  return finished_positions_;
}

std::vector<GameRecord> SelfPlay::take_finished() {
  std::vector<GameRecord> taken;
  {
    const std::lock_guard lock(finished_mutex_);
    taken.swap(finished_);
    finished_positions_ = 0;
  }
  std::ranges::sort(taken, {}, &GameRecord::number);
  return taken;
}

std::vector<std::uint64_t> SelfPlay::take_noise() {
  std::vector<std::uint64_t> taken;
  {
    const std::lock_guard lock(finished_mutex_);
    taken.swap(noise_);
  }
  std::ranges::sort(taken);
  return taken;
}

std::vector<GameRecord> SelfPlay::suspend() {
  drop_trees();
  std::vector<GameRecord> under_way;
  for (Search& search : searches()) {
    if (!search.active) start_next(search);
    GameRecord record = records_[static_cast<std::size_t>(search.index)];
    record.random_state = search.random.state();
    under_way.push_back(std::move(record));
  }
  return under_way;
}

void SelfPlay::replay(const GameRecord& record, History& history) const {
  const auto refuse = [&](const std::string& problem) {
    throw std::invalid_argument("game " + std::to_string(record.number) + ", move " +
                                std::to_string(history.num_moves() + 1) + ": " + problem);
  };
  history.restart();
  std::vector<std::int32_t> legal(static_cast<std::size_t>(game().shape().max_legal_actions));
  const std::byte* stored = record.states.data();
  for (const std::int32_t action : record.actions) {
    if (game().hash(stored) != game().hash(history.current()))
      refuse("the stored state is not the one that the moves lead to; are these records of another game?");
    const auto end = legal.begin() + game().legal_actions(history.current(), history.past(), legal.data());
    if (std::find(legal.begin(), end, action) == end) refuse("action " + std::to_string(action) + " is not legal");
    history.apply(action);
    stored += game().state_size();
    float returns[2];
    if (game().outcome(history.current(), history.past(), returns)) refuse("the game is over, it cannot go on");
  }
}

void SelfPlay::resume(std::vector<GameRecord> records) {
  drop_trees();
  for (GameRecord& record : records) {
    const std::int64_t offset = (record.number - params_.first_game) % params_.game_stride;
    if (record.number < params_.first_game || offset >= static_cast<std::int64_t>(searches().size()))
      throw std::invalid_argument("game " + std::to_string(record.number) + " belongs to no search here");
    Search& search = searches()[static_cast<std::size_t>(offset)];
    replay(record, search.history);
    search.random = Random(record.random_state);
    next_number_[static_cast<std::size_t>(offset)] = record.number + params_.game_stride;
    records_[static_cast<std::size_t>(offset)] = std::move(record);
    start_search(search);
  }
}

}  // namespace rlplat
