#include <algorithm>
#include <limits>
#include <numeric>
#include <set>

#include "check.hpp"
#include "games.hpp"
#include "search/self_play.hpp"

using namespace rlplat;

namespace {

constexpr SearchParams kSearch{.num_simulations = 30, .dirichlet_alpha = 0.5f, .noise_fraction = 0.25f};

// Lets every group descend and be evaluated once, one group after another.
void step(SelfPlay& play) {
  const Game& game = play.game();
  const auto rows_at_most = static_cast<std::size_t>(play.searches_per_group());
  const auto actions = static_cast<std::size_t>(game.shape().num_actions);
  std::vector<float> observations(rows_at_most * game.observation_size()), logits(rows_at_most * actions),
      values(rows_at_most);
  for (int group = 0; group < play.num_groups(); ++group) {
    const auto rows = static_cast<std::size_t>(play.select(group, observations.data()));
    for (std::size_t row = 0; row < rows; ++row)
      values[row] = evaluate(game, observations.data() + row * game.observation_size(), logits.data() + row * actions);
    play.backup(group, logits.data(), values.data());
  }
}

std::vector<GameRecord> games_of(SelfPlay& play, int steps) {
  for (int i = 0; i < steps; ++i) step(play);
  return play.take_finished();
}

void check_same(const std::vector<GameRecord>& left, const std::vector<GameRecord>& right) {
  CHECK_EQUAL(left.size(), right.size());
  for (std::size_t g = 0; g < std::min(left.size(), right.size()); ++g) {
    const GameRecord &a = left[g], &b = right[g];
    CHECK_EQUAL(a.number, b.number);
    CHECK_EQUAL(a.random_state, b.random_state);
    CHECK_EQUAL(a.opening_plies, b.opening_plies);
    CHECK_EQUAL(a.outcome, b.outcome);
    CHECK(a.states == b.states && a.players == b.players && a.actions == b.actions);
    CHECK(a.root_values == b.root_values && a.num_legal == b.num_legal && a.policy == b.policy);
    CHECK(a.surprises == b.surprises);
    CHECK(a.played_on == b.played_on && a.resigned == b.resigned);
  }
}

BatchParams batch(int num_threads, int num_groups = 2) {
  return {.num_searches = 6,
          .num_groups = num_groups,
          .num_threads = num_threads,
          .cache_bytes = 1 << 14,
          .kept_visits = 90};
}

SelfPlayParams params() {
  return {.seed = 4, .first_game = 6, .game_stride = 12, .opening_plies = 3, .temperature_plies = 6};
}

std::vector<std::shared_ptr<const Game>> games() {
  return {load("connect_four", {4, 5, 3}), ladder(9, 9, 2), load("walk_all", {10, 20, 0})};
}

}  // namespace

TEST(the_same_games_are_played_at_any_number_of_threads_and_legal_from_start_to_end) {
  for (const auto& game : games()) {
    SelfPlay one(game, kSearch, batch(1), params());
    const std::vector<GameRecord> records = games_of(one, 900);
    CHECK(records.size() > 12);
    std::set<std::int64_t> numbers;
    for (const GameRecord& record : records) {
      numbers.insert(record.number);
      CHECK((record.number - 6) % 12 < 6 && record.number >= 6);
      History history(*game);
      for (const std::int32_t action : record.actions) {
        std::vector<std::int32_t> legal(static_cast<std::size_t>(game->shape().max_legal_actions));
        const int count = game->legal_actions(history.current(), history.past(), legal.data());
        CHECK(std::find(legal.begin(), legal.begin() + count, action) != legal.begin() + count);
        history.apply(action);
      }
      float returns[2];
      CHECK(game->outcome(history.current(), history.past(), returns));
      CHECK_EQUAL(record.outcome, returns[0]);
    }
    CHECK_EQUAL(numbers.size(), records.size());
    for (const int num_threads : {2, 3}) {
      SelfPlay more(game, kSearch, batch(num_threads), params());
      check_same(records, games_of(more, 900));
    }
  }
}

TEST(games_without_a_cache_do_not_depend_on_the_number_of_groups) {
  const auto game = load("connect_four", {4, 5, 3});
  BatchParams once = batch(1, 1), thrice = batch(1, 3);
  once.cache_bytes = thrice.cache_bytes = 0;
  SelfPlay one(game, kSearch, once, params()), three(game, kSearch, thrice, params());
  check_same(games_of(one, 600), games_of(three, 600));
}

TEST(suspended_games_go_on_elsewhere_as_they_do_here) {
  for (const auto& game : games()) {
    Random random(2);
    SelfPlay here(game, kSearch, batch(1), params());
    for (int round = 0; round < 8; ++round) {
      games_of(here, static_cast<int>(random.below(150)));
      float unused[6 * 64];
      if (round % 2 == 1) here.select(0, unused);  // in the middle of a batch
      SelfPlay there(game, kSearch, batch(2), params());
      step(there);  // games of its own, which give way
      there.take_finished();
      const std::vector<GameRecord> under_way = here.suspend();
      CHECK_EQUAL(under_way.size(), 6u);
      here.take_finished();
      there.resume(under_way);
      check_same(games_of(here, 200), games_of(there, 200));
      check_same(here.suspend(), there.suspend());
    }
  }
}

TEST(records_survive_the_way_through_arrays) {
  const auto game = load("connect_four", {4, 5, 3});
  SelfPlay play(game, kSearch, batch(1), params());
  const std::vector<GameRecord> records = games_of(play, 400);
  const RecordCounts counts = count_records(records);
  const auto games = static_cast<std::size_t>(counts.games), positions = static_cast<std::size_t>(counts.positions);
  std::vector<std::int64_t> number(games);
  std::vector<std::uint64_t> random_state(games);
  std::vector<std::int32_t> opening(games), length(games), actions(positions);
  std::vector<float> outcome(games), values(positions), surprises(positions);
  std::vector<std::byte> states(positions * game->state_size());
  std::vector<std::uint8_t> played_on(games), resigned(games), players(positions);
  std::vector<std::uint16_t> legal(positions), policy(static_cast<std::size_t>(counts.policy));
  const RecordArrays arrays{number.data(), random_state.data(), opening.data(), played_on.data(), resigned.data(),
                            length.data(), outcome.data(),      states.data(),  players.data(),   actions.data(),
                            values.data(), surprises.data(),    legal.data(),   policy.data()};
  write_records(records, arrays);
  check_same(records, read_records(counts, arrays, game->state_size()));
  const auto sum = [](const auto& list) { return std::accumulate(list.begin(), list.end(), std::int64_t{0}); };
  CHECK_EQUAL(sum(length), counts.positions);
  for (const int change : {+1, -1, +1000, -1000}) {
    length.back() += change;
    CHECK_THROWS(read_records(counts, arrays, game->state_size()), std::invalid_argument, "add up");
    length.back() -= change;
  }
  for (const int change : {+1, -1}) {
    legal.back() = static_cast<std::uint16_t>(legal.back() + change);
    CHECK_THROWS(read_records(counts, arrays, game->state_size()), std::invalid_argument, "add up");
    legal.back() = static_cast<std::uint16_t>(legal.back() - change);
  }
}

TEST(records_that_do_not_belong_here_are_refused) {
  const auto game = load("connect_four", {4, 5, 3});
  SelfPlay from(game, kSearch, batch(1), params());
  games_of(from, 60);
  const std::vector<GameRecord> good = from.suspend();
  const auto refuses = [&](auto change, const char* text) {
    std::vector<GameRecord> records = good;
    change(records.at(2));
    SelfPlay play(game, kSearch, batch(1), params());
    CHECK_THROWS(play.resume(records), std::invalid_argument, text);
  };
  CHECK(good[2].actions.size() > 1);
  refuses([](GameRecord& record) { record.number = 3; }, "belongs to no search");
  refuses([](GameRecord& record) { record.number += 6; }, "belongs to no search");
  refuses([](GameRecord& record) { record.actions.back() = 99; }, "not legal");
  refuses([](GameRecord& record) { record.actions[0] = -1; }, "not legal");
  refuses([](GameRecord& record) { record.states[0] ^= std::byte{1}; }, "another game");
}

TEST(an_evaluation_that_is_not_finite_is_refused_and_asked_for_again) {
  const auto game = load("connect_four", {4, 5, 3});
  const float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
  for (const float bad : {nan, infinity, -infinity}) {
    for (const bool in_value : {true, false}) {
      for (const int num_threads : {1, 3}) {
        SelfPlay play(game, kSearch, batch(num_threads), params()), twin(game, kSearch, batch(1), params());
        for (int i = 0; i < 40; ++i) step(play), step(twin);
        const std::size_t size = game->observation_size();
        std::vector<float> observations(3 * size), logits(3 * 5), values(3);
        twin.select(0, observations.data());
        CHECK_EQUAL(play.select(0, observations.data()), 3);
        for (std::size_t row = 0; row < 3; ++row)
          values[row] = evaluate(*game, observations.data() + row * size, logits.data() + row * 5);
        if (in_value) values[1] = bad;
        else std::fill_n(logits.begin() + 5, 5, bad);
        const GameRecord record = twin.suspend()[1];
        const std::string name =
            "game " + std::to_string(record.number) + ", move " + std::to_string(record.actions.size() + 1) + ":";
        CHECK_THROWS(play.backup(0, logits.data(), values.data()), NonFiniteEvaluation, name);
        std::vector<float> again(3 * size);
        CHECK_EQUAL(play.select(0, again.data()), 3);
        CHECK(std::equal(again.begin() + size, again.begin() + 2 * size, observations.begin() + size));
        CHECK(!std::equal(again.begin(), again.begin() + size, observations.begin()));
      }
    }
  }
}

TEST(parameters_that_make_no_sense_are_refused) {
  const auto game = ladder(2, 3);
  CHECK_THROWS(SelfPlay(game, kSearch, {.num_searches = 4}, {.game_stride = 3}), std::invalid_argument, "game_stride");
  CHECK_THROWS(SelfPlay(game, {.num_simulations = 0}, {}, {}), std::invalid_argument, "simulation");
  CHECK_THROWS(SelfPlay(game, kSearch, {.num_searches = 4, .num_groups = 3}, {.game_stride = 4}), std::invalid_argument,
               "num_groups");
}
