// Remembers evaluations of a network: priors over the legal actions and the value, by evaluation key. Bounded in bytes:
// entries are written one after another into a ring, and the oldest are overwritten. Reading and writing must not
// overlap; readers may share.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace rlplat {

class EvaluationCache {
 public:
  // 0 bytes, or fewer than the smallest index takes: no cache.
  explicit EvaluationCache(std::uint64_t bytes) {
    if (bytes < kWays * sizeof(Slot)) return;
    // An entry of a small game takes about 48 bytes in the ring and 16 in the index.
    index_.resize(std::bit_floor(bytes / 64 + kWays));
    ring_.resize((bytes - std::min(bytes, index_.size() * sizeof(Slot))) / sizeof(std::uint32_t));
  }

  // Null if unknown; otherwise `value` is set and the priors stay readable until the next insert.
  const float* find(std::uint64_t key, std::size_t num_actions, float& value) const {
    if (index_.empty()) return nullptr;
    const Slot* slots = bucket(key);
    for (int way = 0; way < kWays; ++way) {
      if (slots[way].key != key || !readable(slots[way])) continue;
      const std::uint32_t* entry = ring_.data() + slots[way].position % ring_.size();
      if (entry[0] != num_actions) continue;
      value = std::bit_cast<float>(entry[1]);
      return reinterpret_cast<const float*>(entry + 2);
    }
    return nullptr;
  }

  void insert(std::uint64_t key, std::span<const float> priors, float value) {
    const std::uint64_t words = priors.size() + 2;
    if (index_.empty() || words > ring_.size()) return;
    if (head_ % ring_.size() + words > ring_.size()) head_ += ring_.size() - head_ % ring_.size();
    std::uint32_t* entry = ring_.data() + head_ % ring_.size();
    entry[0] = static_cast<std::uint32_t>(priors.size());
    entry[1] = std::bit_cast<std::uint32_t>(value);
    std::memcpy(entry + 2, priors.data(), priors.size_bytes());
    Slot* slots = bucket(key);
    Slot* target = slots;
    for (int way = 0; way < kWays; ++way) {
      if (slots[way].key == key) {
        target = slots + way;
        break;
      }
      if (slots[way].position < target->position) target = slots + way;
    }
    *target = {key, head_};
    head_ += words;
  }

  void clear() { oldest_ = head_ = head_ + ring_.size(); }

  std::uint64_t bytes() const { return index_.size() * sizeof(Slot) + ring_.size() * sizeof(std::uint32_t); }

 private:
  static constexpr int kWays = 4;

  struct Slot {
    std::uint64_t key = 0;
    std::uint64_t position = 0;  // of the entry, counted from the first word ever written
  };

  bool readable(const Slot& slot) const { return slot.position >= oldest_ && head_ - slot.position <= ring_.size(); }
  const Slot* bucket(std::uint64_t key) const { return index_.data() + (key & (index_.size() - 1) & ~(kWays - 1ull)); }
  Slot* bucket(std::uint64_t key) { return index_.data() + (key & (index_.size() - 1) & ~(kWays - 1ull)); }

  std::vector<Slot> index_;
  std::vector<std::uint32_t> ring_;
  std::uint64_t head_ = 1;    // the next word to write
  std::uint64_t oldest_ = 1;  // entries before it were cleared
};

}  // namespace rlplat
