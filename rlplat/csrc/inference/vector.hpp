// Arrays of floats in vector registers, and the matrix product that all layers rest on.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>

namespace rlplat {

#ifdef __AVX512F__
inline constexpr int kLanes = 16;
#else
inline constexpr int kLanes = 8;
#endif

// One register (or two, where the processor's are narrower). Arithmetic works lane by lane.
using Vector [[gnu::vector_size(kLanes * sizeof(float))]] = float;
using Unaligned [[gnu::vector_size(kLanes * sizeof(float)), gnu::aligned(alignof(float)), gnu::may_alias]] = float;

inline Vector load(const float* from) { return *reinterpret_cast<const Unaligned*>(from); }
inline void store(float* to, Vector vector) { *reinterpret_cast<Unaligned*>(to) = vector; }

// NaN stays NaN.
inline Vector relu(Vector x) { return x < 0.0f ? Vector{} : x; }

// The least multiple of kLanes that holds `count` floats.
constexpr int padded(int count) { return (count + kLanes - 1) / kLanes * kLanes; }

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

// The right factors of products, `count` of them with `inner` x `columns` floats each, one after another in the order
// in which the products read them: blocks of two vectors of columns. `columns` is a multiple of kLanes.
class PackedMatrices {
 public:
  PackedMatrices() = default;
  PackedMatrices(int count, int inner, int columns)
      : inner_(inner), columns_(columns), values_(static_cast<std::size_t>(count) * inner * columns) {}

  int inner() const { return inner_; }
  int columns() const { return columns_; }

  float& at(int index, int row, int column) {
    const int begin = column / kBlock * kBlock;
    const int width = columns_ - begin < kBlock ? columns_ - begin : kBlock;
    const std::size_t rows_before = static_cast<std::size_t>(index) * columns_ + begin;
    return values_.data()[rows_before * inner_ + static_cast<std::size_t>(row) * width + column - begin];
  }

  // c = a b for the factor b of `index`, `rows` x inner floats a, and `rows` x columns floats c. The sum of an element
  // runs over the inner index in order, so a row's result does not depend on the rows beside it.
  void multiply(int index, int rows, const float* a, float* c) const;

 private:
  static constexpr int kBlock = 2 * kLanes;
  int inner_ = 0;
  int columns_ = 0;
  Buffer values_;
};

}  // namespace rlplat
