// Chess positions and moves as text: Forsyth-Edwards notation (FEN), short algebraic notation (SAN), and the moves of
// the Universal Chess Interface (UCI).
#pragma once

#include <algorithm>
#include <cctype>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "chess_moves.hpp"

namespace chess {

constexpr const char* kStart = "rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1";
constexpr const char* kLetters = "PNBRQK";

// From the view of the player to move to White's, and back.
inline int absolute(const Position& position, int square) { return position.ply % 2 == 0 ? square : square ^ 56; }

inline std::string square_text(int square) {
  return {static_cast<char>('a' + square % 8), static_cast<char>('1' + square / 8)};
}

// The letter of what stands on a square as White sees it, small for Black; '.' if nothing does.
inline char letter_at(const Position& position, int square) {
  const int seen = absolute(position, square);
  if (!(position.all() & bit(seen))) return '.';
  const char letter = kLetters[position.kind_at(seen)];
  const bool white = (position.own >> seen & 1) == (position.ply % 2 == 0);
  return white ? letter : static_cast<char>(std::tolower(letter));
}

inline std::string draw(const Position& position) {
  std::string out;
  for (int rank = 7; rank >= 0; --rank) {
    out += std::to_string(rank + 1);
    for (int file = 0; file < 8; ++file) out += std::string(" ") + letter_at(position, 8 * rank + file);
    out += "\n";
  }
  return out + "  a b c d e f g h\n";
}

inline std::string write_fen(const Position& position) {
  std::string out;
  for (int rank = 7; rank >= 0; --rank) {
    int empty = 0;
    for (int file = 0; file < 8; ++file) {
      const char letter = letter_at(position, 8 * rank + file);
      if (letter == '.') {
        ++empty;
        continue;
      }
      if (empty > 0) out += std::to_string(empty);
      empty = 0;
      out += letter;
    }
    if (empty > 0) out += std::to_string(empty);
    if (rank > 0) out += "/";
  }
  const bool white = position.ply % 2 == 0;
  out += white ? " w " : " b ";
  const int rights = white ? position.castling : (position.castling << 2 | position.castling >> 2) & 15;
  for (int i = 0; i < 4; ++i)
    if (rights >> i & 1) out += "KQkq"[i];
  if (rights == 0) out += "-";
  out += " " + (position.en_passant == kNoFile ? "-" : square_text(absolute(position, 40 + position.en_passant)));
  return out + " " + std::to_string(position.clock) + " " + std::to_string(position.ply / 2 + 1);
}

// Reads the last line of a text. Clocks may be left out. Throws std::invalid_argument for what is no FEN, and for a
// position that cannot occur.
class FenReader {
 public:
  explicit FenReader(const std::string& text) {
    const std::size_t end = text.find_last_not_of(" \t\r\n");
    const std::string line = end == std::string::npos ? "" : text.substr(0, end + 1);
    std::istringstream words(line.substr(line.find_last_of("\n") + 1));
    std::string word;
    while (words >> word) fields_.push_back(word);
    require(fields_.size() == 4 || fields_.size() == 6,
            "a FEN has six fields, or four without the clocks; this has " + std::to_string(fields_.size()));
  }

  Position read() {
    read_board();
    read_rights();
    if (fields_.size() == 6) {
      position_.clock = static_cast<std::uint8_t>(number(fields_[4], 0, 150, "plies since a capture or pawn move"));
      position_.ply = static_cast<std::uint16_t>(2 * (number(fields_[5], 1, 30000, "number of the move") - 1));
    }
    require(fields_[1] == "w" || fields_[1] == "b", "the second field is '" + fields_[1] + "'; it must be w or b");
    if (fields_[1] == "b") {
      ++position_.ply;
      position_.turn();
    }
    Position waiting = position_;
    waiting.turn();
    require(!in_check(waiting), "the player who is not to move is in check");
    const Bits checkers = attackers(position_, position_.king(), position_.all(), position_.other());
    require(std::popcount(checkers) <= 2, "more than two pieces give check");
    read_en_passant();
    return position_;
  }

 private:
  static void require(bool holds, const std::string& problem) {
    if (!holds) throw std::invalid_argument(problem);
  }

  static int number(const std::string& text, int low, int high, const char* what) {
    const bool digits = !text.empty() && text.size() < 6 && text.find_first_not_of("0123456789") == std::string::npos;
    const int value = digits ? std::stoi(text) : -1;
    require(digits && value >= low && value <= high,
            "'" + text + "' is no " + what + "; it must lie in " + std::to_string(low) + " .. " + std::to_string(high));
    return value;
  }

  // As White sees it.
  void read_board() {
    int rank = 7, file = 0;
    for (const char c : fields_[0]) {
      if (c == '/') {
        require(file == 8, "rank " + std::to_string(rank + 1) + " has " + std::to_string(file) + " squares");
        --rank, file = 0;
        require(rank >= 0, "there are more than 8 ranks");
        continue;
      }
      if (c >= '1' && c <= '8') {
        file += c - '0';
      } else {
        const std::size_t kind =
            std::string(kLetters).find(static_cast<char>(std::toupper(static_cast<unsigned char>(c))));
        require(kind != std::string::npos, std::string("'") + c + "' is no piece; these are PNBRQK and pnbrqk");
        require(file < 8, "rank " + std::to_string(rank + 1) + " has more than 8 squares");
        position_.kinds[kind] |= bit(8 * rank + file);
        if (c >= 'A' && c <= 'Z') position_.own |= bit(8 * rank + file);
        ++file;
      }
      require(file <= 8, "rank " + std::to_string(rank + 1) + " has more than 8 squares");
    }
    require(rank == 0 && file == 8, "the board ends in rank " + std::to_string(rank + 1) + ", before h1");
    require(!(position_.kinds[kPawn] & (kRank8 | kRank8 >> 56)), "a pawn stands on the first or last rank");
    for (const Bits side : {position_.own, position_.other()}) {
      const std::string name = side == position_.own ? "White" : "Black";
      require(std::popcount(position_.kinds[kKing] & side) == 1, name + " has not exactly one king");
      require(std::popcount(side) <= 16 && std::popcount(side & position_.kinds[kPawn]) <= 8,
              name + " has more than 16 pieces or 8 pawns");
      require(promoted(side) <= 8 - std::popcount(side & position_.kinds[kPawn]),
              name + " has more promoted pieces than it lacks pawns");
    }
  }

  // At least so many pieces of a side were pawns. Without this bound more moves could be legal than `kMostMoves`.
  int promoted(Bits side) const {
    int count = 0;
    for (const auto& [kind, at_start] : {std::pair{kKnight, 2}, {kBishop, 2}, {kRook, 2}, {kQueen, 1}})
      count += std::max(0, std::popcount(position_.kinds[kind] & side) - at_start);
    return count;
  }

  void read_rights() {
    if (fields_[2] == "-") return;
    for (const char c : fields_[2]) {
      const std::size_t right = std::string("KQkq").find(c);
      require(right != std::string::npos, std::string("'") + c + "' is no right to castle; these are KQkq, or -");
      const Bits side = right < 2 ? position_.own : position_.other();
      const int home = right < 2 ? 0 : 56;
      require((position_.kinds[kKing] & side & bit(home + 4)) &&
                  (position_.kinds[kRook] & side & bit(home + (right % 2 == 0 ? 7 : 0))),
              std::string("the right to castle '") + c + "' needs a king and a rook that have not moved");
      position_.castling |= static_cast<std::uint8_t>(1 << right);
    }
  }

  void read_en_passant() {
    position_.en_passant = kNoFile;
    const std::string& text = fields_[3];
    if (text == "-") return;
    const bool white = position_.ply % 2 == 0;
    require(text.size() == 2 && text[0] >= 'a' && text[0] <= 'h' && text[1] == (white ? '6' : '3'),
            "'" + text + "' is no square where " + (white ? "White" : "Black") + " could take en passant");
    const int file = text[0] - 'a';
    require((position_.kinds[kPawn] & position_.other() & bit(32 + file)) &&
                !(position_.all() & (bit(40 + file) | bit(48 + file))),
            "no pawn has just moved by two squares past '" + text + "'");
    open_en_passant(position_, file);
  }

  std::vector<std::string> fields_;
  Position position_{.kinds = {}, .own = 0, .ply = 0, .clock = 0, .castling = 0, .en_passant = kNoFile, .gap = {}};
};

inline Position read_fen(const std::string& text) { return FenReader(text).read(); }

inline std::string write_uci(const Position& position, int action) {
  const Move move(position, action);
  std::string out = square_text(absolute(position, move.from)) + square_text(absolute(position, move.to));
  if (move.promotion != kPawn) out += static_cast<char>(std::tolower(kLetters[move.promotion]));
  return out;
}

inline std::string write_san(const Position& position, int action) {
  const Move move(position, action);
  const std::string to = square_text(absolute(position, move.to)), from = square_text(absolute(position, move.from));
  const bool castles = move.kind == kKing && std::abs(move.to - move.from) == 2;
  const bool takes = (position.all() & bit(move.to)) || (move.kind == kPawn && (move.to - move.from) % 8 != 0);
  std::string out;
  if (castles) {
    out = move.to > move.from ? "O-O" : "O-O-O";
  } else if (move.kind == kPawn) {
    if (takes) out = from.substr(0, 1);
  } else {
    out = kLetters[move.kind];
    std::int32_t legal[kMostMoves];
    bool others = false, same_file = false, same_rank = false;
    for (int i = list_moves(position, legal) - 1; i >= 0; --i) {
      const Move other(position, legal[i]);
      if (other.kind != move.kind || other.to != move.to || other.from == move.from) continue;
      others = true;
      same_file |= other.from % 8 == move.from % 8;
      same_rank |= other.from / 8 == move.from / 8;
    }
    if (others && (!same_file || same_rank)) out += from[0];
    if (same_file) out += from[1];
  }
  if (!castles) out += (takes ? "x" : "") + to;
  if (move.promotion != kPawn) out += std::string("=") + kLetters[move.promotion];
  Position after = position;
  apply(after, move);
  if (in_check(after)) out += has_move(after) ? "+" : "#";
  return out;
}

// The legal action that SAN or UCI means, or -1. SAN may lack "x", "=" and marks of check, and may name more of the
// square that a piece leaves than it must.
inline int read_move(const Position& position, const std::string& text) {
  std::string plain;
  for (const char c : text)
    if (std::string("x=:-+#!?").find(c) == std::string::npos) plain += c == '0' ? 'O' : c;
  std::int32_t legal[kMostMoves];
  int found = -1;
  for (int i = list_moves(position, legal) - 1; i >= 0; --i) {
    const Move move(position, legal[i]);
    const std::string from = square_text(absolute(position, move.from)), to = square_text(absolute(position, move.to));
    bool fits = text == write_uci(position, legal[i]);
    if (move.kind == kKing && std::abs(move.to - move.from) == 2) {
      fits |= plain == (move.to > move.from ? "OO" : "OOO");
    } else {
      std::string end = to, start;
      if (move.promotion != kPawn) end += kLetters[move.promotion];
      if (move.kind != kPawn) start = kLetters[move.kind];
      for (const std::string& hint : {std::string(), from.substr(0, 1), from.substr(1), from})
        fits |= plain == start + hint + end && (move.kind != kPawn || hint.size() == 1 || move.from % 8 == move.to % 8);
    }
    if (!fits) continue;
    if (found >= 0) return -1;  // it means several
    found = legal[i];
  }
  return found;
}

}  // namespace chess
