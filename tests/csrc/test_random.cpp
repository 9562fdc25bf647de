// The generators' distributions against theory. Bounds are five standard errors wide or more, seeds are fixed.
#include <algorithm>
#include <set>
#include <vector>

#include "check.hpp"
#include "rlplat/random.hpp"

using rlplat::Random;

TEST(uniform_numbers_lie_in_the_unit_interval_with_mean_a_half) {
  Random random(7);
  double sum = 0.0, lowest = 1.0, highest = 0.0;
  for (int i = 0; i < 200'000; ++i) {
    const double value = random.uniform();
    sum += value;
    lowest = std::min(lowest, value);
    highest = std::max(highest, value);
  }
  CHECK(lowest >= 0.0 && highest < 1.0);
  CHECK_NEAR(sum / 200'000, 0.5, 0.004);
}

TEST(below_draws_every_number_equally_often) {
  for (const std::uint32_t bound : {1u, 2u, 7u, 362u}) {
    Random random(bound);
    std::vector<int> counts(bound);
    const int draws = 1000 * static_cast<int>(bound);
    for (int i = 0; i < draws; ++i) ++counts[random.below(bound)];
    for (const int count : counts) CHECK_NEAR(count, 1000, 170);
  }
}

TEST(gamma_has_the_mean_and_variance_of_its_shape) {
  for (const double shape : {0.03, 0.1, 0.3, 0.9, 1.0, 1.5, 3.0, 10.0}) {
    Random random(11);
    const int draws = 200'000;
    double sum = 0.0, squares = 0.0;
    for (int i = 0; i < draws; ++i) {
      const double value = random.gamma(shape);
      CHECK(value >= 0.0);
      sum += value;
      squares += value * value;
    }
    const double mean = sum / draws, variance = squares / draws - mean * mean;
    CHECK_NEAR(mean, shape, 5 * std::sqrt(shape / draws));
    // The fourth central moment of Gamma(a) is 3a^2 + 6a.
    CHECK_NEAR(variance, shape, 6 * std::sqrt((2 * shape * shape + 6 * shape) / draws));
  }
}

TEST(gamma_of_shape_one_is_exponential) {
  Random random(3);
  int above = 0;
  for (int i = 0; i < 100'000; ++i) above += random.gamma(1.0) > 2.0;
  CHECK_NEAR(above / 100'000.0, std::exp(-2.0), 0.006);
}

TEST(dirichlet_draws_sum_to_one_with_the_mean_and_variance_of_theory) {
  for (const double alpha : {0.03, 0.3, 1.0, 10.0}) {
    constexpr int kEntries = 9, kDraws = 40'000;
    Random random(5);
    std::vector<float> draw(kEntries);
    std::vector<double> sums(kEntries), squares(kEntries);
    for (int i = 0; i < kDraws; ++i) {
      random.dirichlet(alpha, draw);
      double total = 0.0;
      for (int k = 0; k < kEntries; ++k) {
        CHECK(draw[k] >= 0.0f);
        total += draw[k];
        sums[k] += draw[k];
        squares[k] += draw[k] * draw[k];
      }
      CHECK_NEAR(total, 1.0, 1e-5);
    }
    const double mean = 1.0 / kEntries, variance = mean * (1.0 - mean) / (kEntries * alpha + 1.0);
    for (int k = 0; k < kEntries; ++k) {
      const double found = sums[k] / kDraws;
      CHECK_NEAR(found, mean, 5 * std::sqrt(variance / kDraws));
      CHECK_NEAR(squares[k] / kDraws - found * found, variance, 0.06 * variance);
    }
  }
}

TEST(dirichlet_of_a_vanishing_alpha_puts_all_mass_on_one_entry) {
  Random random(1);
  std::vector<float> draw(5);
  std::set<std::ptrdiff_t> winners;
  for (int i = 0; i < 100; ++i) {
    random.dirichlet(1e-6, draw);
    CHECK_EQUAL(std::ranges::count(draw, 1.0f), 1);
    CHECK_EQUAL(std::ranges::count(draw, 0.0f), 4);
    winners.insert(std::ranges::find(draw, 1.0f) - draw.begin());
  }
  CHECK_EQUAL(winners.size(), 5u);
}

TEST(streams_of_different_seeds_and_numbers_differ_and_repeat) {
  std::set<std::uint64_t> first;
  for (std::uint64_t seed = 0; seed < 30; ++seed)
    for (std::uint64_t number = 0; number < 30; ++number) {
      first.insert(Random::stream(seed, number).next());
      CHECK_EQUAL(Random::stream(seed, number).next(), Random::stream(seed, number).next());
    }
  CHECK_EQUAL(first.size(), 900u);
}

TEST(a_generator_goes_on_from_its_state) {
  Random random = Random::stream(1, 2);
  random.gamma(0.3);
  Random copy(random.state());
  for (int i = 0; i < 10; ++i) CHECK_EQUAL(random.next(), copy.next());
}
