#include <stdexcept>

#include "check.hpp"
#include "search/worker_threads.hpp"

using rlplat::WorkerThreads;

TEST(every_index_is_worked_on_once_by_a_worker_in_range) {
  for (const int num_threads : {0, 1, 2, 3}) {
    WorkerThreads workers(num_threads);
    for (int count = 0; count < 200; ++count) {
      std::vector<std::atomic<int>> times(static_cast<std::size_t>(count));
      workers.run(count, [&](int index, int worker) {
        times[static_cast<std::size_t>(index)] += worker >= 0 && worker < workers.size() ? 1 : 100;
      });
      for (const auto& time : times) CHECK_EQUAL(time.load(), 1);
    }
  }
}

TEST(an_exception_reaches_the_caller_and_the_team_works_on) {
  for (const int num_threads : {1, 2, 3}) {
    WorkerThreads workers(num_threads);
    for (int round = 0; round < 20; ++round) {
      CHECK_THROWS(workers.run(50,
                               [&](int index, int) {
                                 if (index % 7 == round % 7) throw std::runtime_error("index refused");
                               }),
                   std::runtime_error, "index refused");
      std::atomic<int> done = 0;
      workers.run(50, [&](int, int) { ++done; });
      CHECK_EQUAL(done.load(), 50);
    }
  }
}
