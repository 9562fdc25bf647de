// Memory for floats that are read register by register.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>

namespace rlplat {

// The least multiple of `lanes` that holds `count` floats.
constexpr int padded(int count, int lanes) { return (count + lanes - 1) / lanes * lanes; }

// Zeroed memory on the boundary of a cache line.
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::size_t size) : data_(static_cast<float*>(::operator new(size * sizeof(float), kAlignment))) {
    std::memset(data_.get(), 0, size * sizeof(float));
  }
  float* data() const { return data_.get(); }

 private:
  static constexpr std::align_val_t kAlignment{64};
  struct Free {
    void operator()(float* data) const { ::operator delete(data, kAlignment); }
  };
  std::unique_ptr<float, Free> data_;
};

}  // namespace rlplat
