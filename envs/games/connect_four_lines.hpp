// Lines of stones on a board of one 64-bit word per side: which there are, and which cells would complete one.
#pragma once

#include <array>
#include <cstdint>

// A board holds bit `column * stride + row`, row 0 at the bottom; stride is at least the number of rows. A line of L
// stones in direction d (a shift) starts at a cell of `starts_[d]` exactly when all L of its cells are on the board, so
// bits above a column's top need not be kept free.
class Lines {
 public:
  Lines(int rows, int columns, int line, int stride) : line_(line) {
    constexpr int kSteps[4][2] = {{1, 0}, {0, 1}, {1, 1}, {-1, 1}};  // row and column steps
    for (int d = 0; d < 4; ++d) {
      const auto [row_step, column_step] = kSteps[d];
      for (int row = 0; row < rows; ++row)
        for (int column = 0; column < columns; ++column) {
          const int last_row = row + (line - 1) * row_step, last_column = column + (line - 1) * column_step;
          if (last_row >= 0 && last_row < rows && last_column < columns)
            starts_[d] |= std::uint64_t{1} << (column * stride + row);
        }
      // Where no line fits the shift is never needed, and a multiple of it could exceed the word.
      if (starts_[d] != 0) shifts_[d] = static_cast<std::uint64_t>(column_step * stride + row_step);
    }
  }

  bool has_line(std::uint64_t stones) const {
    std::uint64_t lines = 0;
    if (line_ == 4) {
      const Four shift = load(shifts_), all = Four{} + stones, pairs = all & (all >> shift);
      return merged(pairs & (pairs >> (shift + shift)) & load(starts_)) != 0;
    }
    for (int d = 0; d < 4; ++d) {
      std::uint64_t line = stones;
      for (unsigned k = 1; k < static_cast<unsigned>(line_); ++k) line &= stones >> k * shifts_[d];
      lines |= line & starts_[d];
    }
    return lines != 0;
  }

  // Cells, empty or not, whose stone completes a line with the others of `stones`.
  std::uint64_t completing(std::uint64_t stones) const {
    const Four shift = load(shifts_), starts = load(starts_), first = Four{} + stones;
    if (line_ == 4) {
      const Four second = first >> shift, third = second >> shift, fourth = third >> shift;
      const Four front = first & second & starts, back = third & fourth & starts;
      return merged((second & back) | (first & back) << shift | (front & fourth) << (shift + shift) |
                    (front & third) << (shift + shift + shift));
    }
    Four cells{};
    for (int gap = 0; gap < line_; ++gap) {
      Four line = starts;
      for (int k = 0; k < line_; ++k)
        if (k != gap) line &= first >> (shift * static_cast<std::uint64_t>(k));
      cells |= line << (shift * static_cast<std::uint64_t>(gap));
    }
    return merged(cells);
  }

  // How many lines hold exactly n stones of `stones` and none of `others`, by n.
  std::array<int, 9> counts(std::uint64_t stones, std::uint64_t others) const {
    const Four shift = load(shifts_);
    Four open = load(starts_), bits[4] = {};  // the count of each line, as four bits in four words
    for (int k = 0; k < line_; ++k) {
      const Four by = shift * static_cast<std::uint64_t>(k);
      open &= ~((Four{} + others) >> by);
      Four carry = (Four{} + stones) >> by;
      for (Four& bit : bits) {
        const Four next = bit & carry;
        bit ^= carry;
        carry = next;
      }
    }
    std::array<int, 9> out{};
    for (int n = 0; n <= line_; ++n) {
      Four equal = open;
      for (int b = 0; b < 4; ++b) equal &= n >> b & 1 ? bits[b] : ~bits[b];
      for (int d = 0; d < 4; ++d) out[static_cast<std::size_t>(n)] += __builtin_popcountll(equal[d]);
    }
    return out;
  }

 private:
  // The four directions side by side in one vector register; GCC and Clang make it of what the machine has.
  typedef std::uint64_t Four __attribute__((vector_size(32)));

  static Four load(const std::uint64_t (&words)[4]) { return Four{words[0], words[1], words[2], words[3]}; }
  static std::uint64_t merged(Four words) { return words[0] | words[1] | words[2] | words[3]; }

  int line_;
  std::uint64_t shifts_[4] = {};
  std::uint64_t starts_[4] = {};  // cells where a line in each direction fits on the board
};
