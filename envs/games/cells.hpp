// The cells of boards up to 19x19: sets of them, and how they are written.
#pragma once

#include <string>

#include "points.hpp"

inline constexpr int kMostCells = 361;
using Cells = Points<6>;

// The cells 0 to count - 1.
inline Cells first_cells(int count) {
  Cells cells{};
  for (int cell = 0; cell < count; ++cell) cells.add(cell);
  return cells;
}

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
