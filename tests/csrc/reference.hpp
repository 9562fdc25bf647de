// A second, plain implementation of the search: nodes on the heap, edges as structs, one recursion a simulation. It
// serves as the oracle of the tests; floating-point operations are made in the order of the fast one.
#pragma once

#include <functional>
#include <map>
#include <memory>

#include "games.hpp"
#include "search/tree.hpp"

struct ReferenceNode {
  struct Edge {
    int action = 0;
    float prior = 0.0f, visits = 0.0f, q_value = 0.0f;
    std::unique_ptr<ReferenceNode> child;
  };
  std::vector<Edge> edges;
  float visits = 0.0f, value = 0.0f;  // from the view of the player to move here
  bool expanded = false;
};

class Reference {
 public:
  // Priors over the legal actions and the value of the position, from the view of the player to move.
  using Evaluate = std::function<float(const rlplat::History&, std::vector<float>& priors)>;

  Reference(const rlplat::Game& game, const rlplat::SearchParams& params, Evaluate evaluate, rlplat::History history)
      : game_(game), params_(params), evaluate_(std::move(evaluate)), history_(std::move(history)) {}

  // A visit of the root; the first one evaluates it.
  void simulate() { visit(*root_, history_); }

  void advance(int action) {
    for (ReferenceNode::Edge& edge : root_->edges) {
      if (edge.action != action) continue;
      std::unique_ptr<ReferenceNode> child = std::move(edge.child);
      root_ = child ? std::move(child) : std::make_unique<ReferenceNode>();
      break;
    }
    history_.apply(action);
  }

  ReferenceNode& root() { return *root_; }
  const rlplat::History& history() const { return history_; }

 private:
  // Returns of both players.
  struct Returns {
    float of[2];
  };

  Returns visit(ReferenceNode& node, const rlplat::History& history) {
    const int player = game_.player(history.current());
    Returns result;
    if (game_.outcome(history.current(), history.past(), result.of)) return result;
    if (!node.expanded) {
      std::vector<std::int32_t> legal(static_cast<std::size_t>(game_.shape().max_legal_actions));
      const int count = game_.legal_actions(history.current(), history.past(), legal.data());
      std::vector<float> priors(static_cast<std::size_t>(count));
      const float value = evaluate_(history, priors);
      for (int i = 0; i < count; ++i) {
        ReferenceNode::Edge edge;
        edge.action = legal[static_cast<std::size_t>(i)];
        edge.prior = priors[static_cast<std::size_t>(i)];
        node.edges.push_back(std::move(edge));
      }
      node.expanded = true;
      result.of[player] = value;
      result.of[1 - player] = -value;
    } else {
      ReferenceNode::Edge& edge = *best(node);
      rlplat::History after = history;
      after.apply(edge.action);
      if (!edge.child) edge.child = std::make_unique<ReferenceNode>();
      result = visit(*edge.child, after);
      edge.q_value += (result.of[player] - edge.q_value) / ++edge.visits;
    }
    node.value += (result.of[player] - node.value) / ++node.visits;
    return result;
  }

  ReferenceNode::Edge* best(ReferenceNode& node) {
    float unvisited = params_.fpu_value;
    if (params_.fpu == rlplat::Fpu::kReduction) {
      float lanes[8] = {}, sum = 0.0f;
      for (std::size_t i = 0; i < node.edges.size(); ++i)
        if (node.edges[i].visits > 0.0f) lanes[i % 8] += node.edges[i].prior;
      for (const float lane : lanes) sum += lane;
      unvisited = node.value - params_.fpu_value * std::sqrt(sum);
    }
    const float c = std::log((1.0f + node.visits + params_.c_base) / params_.c_base) + params_.c_init;
    const float scale = c * std::sqrt(node.visits);
    ReferenceNode::Edge* choice = nullptr;
    float highest = 0.0f;
    for (ReferenceNode::Edge& edge : node.edges) {
      const float q_value = edge.visits > 0.0f ? edge.q_value : unvisited;
      const float score = q_value + edge.prior * scale / (1.0f + edge.visits);
      if (choice == nullptr || score > highest) {
        choice = &edge;
        highest = score;
      }
    }
    return choice;
  }

  const rlplat::Game& game_;
  rlplat::SearchParams params_;
  Evaluate evaluate_;
  rlplat::History history_;
  std::unique_ptr<ReferenceNode> root_ = std::make_unique<ReferenceNode>();
};
