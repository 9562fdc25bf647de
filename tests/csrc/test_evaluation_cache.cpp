#include <algorithm>

#include "check.hpp"
#include "rlplat/random.hpp"
#include "search/evaluation_cache.hpp"

using rlplat::EvaluationCache;
using rlplat::Random;

namespace {

// The entry that belongs to a key: its size and content can be told from the key.
std::vector<float> priors_of(std::uint64_t key) {
  std::vector<float> priors(1 + Random(key).below(20));
  for (std::size_t i = 0; i < priors.size(); ++i) priors[i] = static_cast<float>(key % 1000 + i);
  return priors;
}

float value_of(std::uint64_t key) { return static_cast<float>(key % 777); }

void insert(EvaluationCache& cache, std::uint64_t key) { cache.insert(key, priors_of(key), value_of(key)); }

// Whether the cache knows the key; what it says must be right.
bool knows(const EvaluationCache& cache, std::uint64_t key) {
  const std::vector<float> priors = priors_of(key);
  float value = -1.0f;
  const float* found = cache.find(key, priors.size(), value);
  if (found == nullptr) return false;
  CHECK(std::equal(priors.begin(), priors.end(), found));
  CHECK_EQUAL(value, value_of(key));
  return true;
}

std::uint64_t key_number(int i) { return Random(static_cast<std::uint64_t>(i)).next(); }

}  // namespace

TEST(an_entry_is_found_again_and_nothing_else_is) {
  EvaluationCache cache(1 << 16);
  insert(cache, 5);
  CHECK(knows(cache, 5));
  CHECK(!knows(cache, 6));
  float value;
  CHECK(cache.find(5, priors_of(5).size() + 1, value) == nullptr);
}

TEST(key_zero_is_unknown_at_first_and_an_ordinary_key_afterwards) {
  EvaluationCache cache(1 << 12);
  CHECK(!knows(cache, 0));
  insert(cache, 0);
  CHECK(knows(cache, 0));
  cache.clear();
  CHECK(!knows(cache, 0));
}

TEST(a_cache_of_no_bytes_or_too_few_knows_nothing) {
  for (const std::uint64_t bytes : {0, 1, 8, 63, 64, 100}) {
    EvaluationCache cache(bytes);
    for (std::uint64_t key = 0; key < 50; ++key) insert(cache, key);
    CHECK(cache.bytes() <= bytes);
    cache.clear();
    for (std::uint64_t key = 0; key < 50; ++key) CHECK(!knows(cache, key));
  }
}

TEST(a_cache_never_takes_more_bytes_than_it_was_given_and_uses_most_of_them) {
  for (const std::uint64_t bytes : {200, 1000, 4096, 65535, 1 << 20, (1 << 20) + 12345}) {
    const EvaluationCache cache(bytes);
    CHECK(cache.bytes() <= bytes);
    CHECK(cache.bytes() + 8 >= bytes);
  }
}

TEST(entries_of_all_sizes_stay_right_while_the_ring_is_overwritten_many_times) {
  for (const std::uint64_t bytes : {300, 1000, 5000, 20'000}) {
    EvaluationCache cache(bytes);
    int known = 0;
    for (int i = 0; i < 20'000; ++i) {
      insert(cache, key_number(i));
      CHECK(bytes < 1000 || knows(cache, key_number(i)));
      known += knows(cache, key_number(static_cast<int>(Random(static_cast<std::uint64_t>(i)).below(20'000))));
    }
    CHECK(known > 0);
  }
}

TEST(small_key_numbers_in_one_bucket_are_kept_apart) {
  EvaluationCache cache(2000);
  Random random(9);
  for (int i = 0; i < 20'000; ++i) {
    insert(cache, random.below(40));
    knows(cache, random.below(40));
  }
}

TEST(the_oldest_entries_are_evicted_first) {
  EvaluationCache cache(1 << 14);
  const std::vector<float> priors(10, 0.1f);  // a ring of 12 KiB holds 255 entries of 12 words
  for (int i = 0; i < 2000; ++i) cache.insert(key_number(i), priors, 0.5f);
  float value;
  int recent = 0, old = 0;
  for (int i = 0; i < 2000; ++i) (i >= 2000 - 200 ? recent : old) += cache.find(key_number(i), 10, value) != nullptr;
  CHECK(recent > 160);  // all but those that lost their place in a full bucket of the index
  CHECK(old <= 60);
  for (int i = 0; i < 1700; ++i) CHECK(cache.find(key_number(i), 10, value) == nullptr);
}

TEST(the_same_key_is_replaced_by_its_newer_entry) {
  EvaluationCache cache(1 << 12);
  const std::vector<float> older(4, 0.25f), newer{0.7f, 0.1f, 0.1f, 0.1f};
  cache.insert(3, older, 0.0f);
  cache.insert(3, newer, 1.0f);
  float value;
  const float* found = cache.find(3, 4, value);
  CHECK(found != nullptr && std::equal(newer.begin(), newer.end(), found));
  CHECK_EQUAL(value, 1.0f);
}

TEST(clear_empties_the_cache_and_it_fills_again) {
  EvaluationCache cache(1 << 14);
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < 100; ++i) insert(cache, key_number(i));
    int known = 0;
    for (int i = 0; i < 100; ++i) known += knows(cache, key_number(i));
    CHECK(known > 90);
    cache.clear();
    for (int i = 0; i < 100; ++i) CHECK(!knows(cache, key_number(i)));
  }
}

TEST(an_entry_larger_than_the_ring_is_not_kept) {
  EvaluationCache cache(400);
  const std::vector<float> priors(200, 0.005f);
  cache.insert(1, priors, 0.0f);
  float value;
  CHECK(cache.find(1, 200, value) == nullptr);
}
