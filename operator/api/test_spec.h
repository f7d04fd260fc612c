// operator/api/test_spec.h: a cluster from the text of its spec, for the tests of this folder.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "operator/api/parse.h"

namespace rabbit::api {

// `spec` is JSON; the cluster is called "c", in namespace "ns".
inline RabbitCluster ParseSpec(const std::string& spec, const std::string& name = "c") {
  auto parsed = ParseRabbitCluster(
      R"({"apiVersion":"rabbitcluster.dev/v1beta1","kind":"RabbitCluster","metadata":{"name":")" +
      name + R"(","namespace":"ns","uid":"u","generation":3},"spec":)" + spec + "}");
  EXPECT_TRUE(parsed.has_value()) << (parsed ? "" : parsed.error().message) << "\n" << spec;
  return parsed.value_or(RabbitCluster());
}

// The structural errors, a line each.
inline std::string Errors(const RabbitCluster& cluster) {
  std::string text;
  for (const FieldError& error : cluster.findings.structural) text += error.ToString() + "\n";
  return text;
}
inline std::string Errors(const std::string& spec) { return Errors(ParseSpec(spec)); }

}  // namespace rabbit::api
