// A fixed team of threads that share out the indices of a loop. With one thread the caller does all the work.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace rlplat {

class WorkerThreads {
 public:
  explicit WorkerThreads(int num_threads) {
    for (int worker = 1; worker < num_threads; ++worker) threads_.emplace_back([this, worker] { serve(worker); });
  }

  ~WorkerThreads() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  WorkerThreads(const WorkerThreads&) = delete;
  WorkerThreads& operator=(const WorkerThreads&) = delete;

  int size() const { return static_cast<int>(threads_.size()) + 1; }

  // Calls work(index, worker) for every index in [0, count), each once, on any worker; returns when all are done. If
  // calls throw, the first exception is thrown here, when no worker is at work any more; some indices are left out
  // then.
  void run(int count, const std::function<void(int, int)>& work) {
    if (threads_.empty()) {
      for (int index = 0; index < count; ++index) work(index, 0);
      return;
    }
    {
      const std::lock_guard lock(mutex_);
      work_ = &work;
      count_ = count;
      next_ = 0;
      busy_ = static_cast<int>(threads_.size());
      ++round_;
    }
    wake_.notify_all();
    take(0);
    std::unique_lock lock(mutex_);
    done_.wait(lock, [this] { return busy_ == 0; });
    if (problem_) std::rethrow_exception(std::exchange(problem_, nullptr));
  }

 private:
  void take(int worker) {
    try {
      for (int index; (index = next_.fetch_add(1)) < count_;) (*work_)(index, worker);
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!problem_) problem_ = std::current_exception();
    }
  }

  void serve(int worker) {
    for (std::uint64_t seen = 0;;) {
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [&] { return stopping_ || round_ != seen; });
        if (stopping_) return;
        seen = round_;
      }
      take(worker);
      const std::lock_guard lock(mutex_);
      if (--busy_ == 0) done_.notify_one();
    }
  }

  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::condition_variable wake_, done_;
  const std::function<void(int, int)>* work_ = nullptr;
  std::atomic<int> next_ = 0;
  int count_ = 0;
  int busy_ = 0;
  std::uint64_t round_ = 0;
  std::exception_ptr problem_;
  bool stopping_ = false;
};

}  // namespace rlplat
