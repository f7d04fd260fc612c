// Plans as a whole, round after round in a FakeWorld, until nothing is left to do. For tests.
#pragma once

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "operator/plan/fake_world.h"
#include "operator/plan/make_plan.h"

namespace rabbit::plan {

// Everything a plan says, for comparing.
std::vector<std::string> Told(const Plan& plan);

class MakePlanTest : public testing::Test {
 protected:
  Plan Next();
  void Round();
  // Rounds until nothing is left to do; how many it took.
  int Settle(int most = 40);

  FakeWorld world_;
  PlanMemo memo_;
  bool failing_ = false;
  std::mt19937 engine_{1};
  std::uniform_int_distribution<int> coin_{0, 3};  // one step in four fails
};

}  // namespace rabbit::plan
