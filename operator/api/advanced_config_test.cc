#include "operator/api/advanced_config.h"

#include <gtest/gtest.h>

namespace rabbit::api {
namespace {

TEST(AdvancedConfig, TakesListsOfTerms) {
  for (const char* text :
       {"", "  % nothing\n", "[].", "[{rabbit, [{vm_memory_high_watermark, 0.4}]}].\n",
        "% comment with ] and }\n[{rabbit, [{a, \"]}. \\\" x\"}, {'b.c', $]}]} ]. % end",
        "[{rabbit, [{auth_mechanisms, ['PLAIN', <<\"x\">>]}]}].", "[{a, fun(X) -> X end}]."}) {
    EXPECT_EQ(AdvancedConfigError(text), std::nullopt) << text;
  }
}

TEST(AdvancedConfig, SaysInWhichLineItIsBroken) {
  EXPECT_EQ(AdvancedConfigError("[\n{a, b]\n]."), "line 2: a ']' too many");
  EXPECT_EQ(AdvancedConfigError("[{a, b}]"), "line 1: the list must end with a dot");
  EXPECT_EQ(AdvancedConfigError("[{a, b}"), "line 1: a '[' is not closed");
  EXPECT_EQ(AdvancedConfigError("\n{a, b}."), "line 2: must be one list: [ … ].");
  EXPECT_EQ(AdvancedConfigError("[]. []."),
            "line 1: nothing may follow the dot that ends the list");
  EXPECT_EQ(AdvancedConfigError("[{a, \"b}]."), "line 1: a quote is not closed");
  EXPECT_EQ(AdvancedConfigError("[] x."), "line 1: must be one list: [ … ].");
}

TEST(AdvancedConfig, KeepsTheOperatorsSettings) {
  EXPECT_EQ(AdvancedConfigError("[{rabbit,\n [{cluster_nodes, {[], disc}}]}]."),
            "line 2: cluster_nodes belongs to the operator");
  EXPECT_EQ(AdvancedConfigError("[{rabbit, [{'default_pass', <<\"x\">>}]}]."),
            "line 1: default_pass belongs to the operator");
  // As a value it is somebody else's business.
  EXPECT_EQ(AdvancedConfigError("[{mine, [{x, cluster_nodes}]}]."), std::nullopt);
}

}  // namespace
}  // namespace rabbit::api
