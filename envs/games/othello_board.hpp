// Othello's board: moves and flips of all eight directions at once, by shifts of whole boards.
#pragma once

#include <cstdint>

// A board of one word per side: bit `8 * row + column`, row 0 at the top, whatever the size. Each function fills runs
// of the opponent's discs in steps of one, one, two and two cells (Kogge and Stone 1973), so up to six.
class OthelloBoard {
 public:
  explicit OthelloBoard(int size) {
    std::uint64_t inner = 0;
    for (int row = 0; row < size; ++row)
      for (int column = 0; column < size; ++column) {
        all_ |= bit(row, column);
        if (column > 0 && column + 1 < size) inner |= bit(row, column);
      }
    // Runs that change the column cannot go on from the first or last one, where a shift would wrap around.
    for (int d = 0; d < 4; ++d) inner_[d] = kShifts[d] == 8 ? all_ : inner;
  }

  static constexpr std::uint64_t bit(int row, int column) { return std::uint64_t{1} << (8 * row + column); }
  std::uint64_t all() const { return all_; }

  // Empty cells where a disc of `mover` flips at least one of `other`.
  std::uint64_t moves(std::uint64_t mover, std::uint64_t other) const {
    const Four runs = inner_ & (Four{} + other), from = Four{} + mover;
    const Up up(runs, from);
    const Down down(runs, from);
    return merged(up.cells << kShifts | down.cells >> kShifts) & all_ & ~(mover | other);
  }

  // What a disc of `mover` on the empty cell `disc` flips.
  std::uint64_t flips(std::uint64_t mover, std::uint64_t other, std::uint64_t disc) const {
    const Four runs = inner_ & (Four{} + other), from = Four{} + disc, ends = Four{} + mover;
    const Up up(runs, from);
    const Down down(runs, from);
    // A run counts if a disc of the mover lies behind it.
    return merged((up.cells & closed(up.cells << kShifts & ends)) |
                  (down.cells & closed(down.cells >> kShifts & ends)));
  }

  // Cells of `cells` and all around them; also some beyond the board.
  static std::uint64_t widened(std::uint64_t cells) {
    const std::uint64_t wide = cells | (cells & ~kLastColumn) << 1 | (cells & ~kFirstColumn) >> 1;
    return wide | wide << 8 | wide >> 8;
  }

 private:
  // Four directions side by side in one vector register; GCC and Clang make it of what the machine has.
  typedef std::uint64_t Four __attribute__((vector_size(32)));
  static constexpr Four kShifts{1, 7, 8, 9};
  static constexpr std::uint64_t kFirstColumn = 0x0101010101010101, kLastColumn = kFirstColumn << 7;

  // Cells of `runs` that are reached from `from` by steps to higher bits over `runs` only.
  struct Up {
    Up(Four runs, Four from) {
      cells = runs & from << kShifts;
      cells |= runs & cells << kShifts;
      const Four pairs = runs & runs << kShifts;
      cells |= pairs & cells << 2 * kShifts;
      cells |= pairs & cells << 2 * kShifts;
    }
    Four cells;
  };

  // The same to lower bits.
  struct Down {
    Down(Four runs, Four from) {
      cells = runs & from >> kShifts;
      cells |= runs & cells >> kShifts;
      const Four pairs = runs & runs >> kShifts;
      cells |= pairs & cells >> 2 * kShifts;
      cells |= pairs & cells >> 2 * kShifts;
    }
    Four cells;
  };

  static Four closed(Four ends) { return reinterpret_cast<Four>(ends != 0); }
  static std::uint64_t merged(Four words) { return words[0] | words[1] | words[2] | words[3]; }

  std::uint64_t all_ = 0;
  Four inner_{};
};
