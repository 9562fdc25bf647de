// Sets of cells of boards up to 19x19, and how cells are written.
#pragma once

#include <bit>
#include <cstdint>
#include <string>

struct Cells {
  static constexpr int kMost = 361, kWords = 6;
  std::uint64_t words[kWords];

  // The cells 0 to count - 1.
  static Cells first(int count) {
    Cells cells{};
    for (int cell = 0; cell < count; ++cell) cells.add(cell);
    return cells;
  }

  bool has(int cell) const { return words[cell >> 6] >> (cell & 63) & 1; }
  void add(int cell) { words[cell >> 6] |= std::uint64_t{1} << (cell & 63); }

  Cells without(const Cells& one, const Cells& other) const {
    Cells rest{};
    for (int i = 0; i < kWords; ++i) rest.words[i] = words[i] & ~(one.words[i] | other.words[i]);
    return rest;
  }

  // In ascending order.
  template <class Visit>
  void for_each(Visit visit) const {
    for (int i = 0; i < kWords; ++i)
      for (std::uint64_t word = words[i]; word != 0; word &= word - 1) visit(64 * i + std::countr_zero(word));
  }

  // Writes them to `out` in ascending order; returns how many there are.
  int list(std::int32_t* out) const {
    int count = 0;
    for_each([&](int cell) { out[count++] = cell; });
    return count;
  }
};

// A letter for the column, a number for the row, both counted from 0 here: (3, 2) is "d3".
inline std::string cell_name(int column, int row) { return static_cast<char>('a' + column) + std::to_string(row + 1); }

// "a b c" for three columns.
inline std::string column_letters(int columns) {
  std::string line;
  for (int column = 0; column < columns; ++column) {
    if (column > 0) line += ' ';
    line += static_cast<char>('a' + column);
  }
  return line;
}
