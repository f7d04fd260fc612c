#include "rabbitmq/policy_keys.h"

namespace rabbit::rabbitmq {
namespace {

using enum ValueType;

constexpr Version kNever{999, 0, 0};
constexpr Version kAlways{};
// 3.10 refuses it; where it began is not known, so the broker has the last word from 3.11 on.
constexpr Version kAfter310{3, 11, 0};
constexpr Version kAfter38{3, 9, 0};  // likewise: 3.8.9 refuses it, 3.10.8 takes it
constexpr Version k312{3, 12, 0};
constexpr Version k313{3, 13, 0};
constexpr Version k40{4, 0, 0};
constexpr Version k43{4, 3, 0};

constexpr PolicyKeyRule kRules[] = {
    {.key = "alternate-exchange", .type = kText},
    {.key = "consumer-timeout", .type = kInteger, .since = k312},
    {.key = "dead-letter-exchange", .type = kText},
    {.key = "dead-letter-routing-key", .type = kText},
    {.key = "dead-letter-strategy",
     .type = kWord,
     .words = " at-most-once at-least-once ",
     .since = kAfter38},
    // From 4.0 on a negative limit means none.
    {.key = "delivery-limit", .type = kInteger, .until = k40, .in_operator = kAlways},
    {.key = "delivery-limit",
     .type = kInteger,
     .least = INT64_MIN,
     .since = k40,
     .in_operator = kAlways},
    {.key = "expires", .type = kInteger, .least = 1, .in_operator = kAlways},
    {.key = "ha-mode", .type = kMirror, .until = k40, .in_operator = kAfter310},
    {.key = "ha-params", .type = kMirror, .until = k40, .in_operator = kAfter310},
    {.key = "ha-promote-on-failure", .type = kMirror, .until = k40},
    {.key = "ha-promote-on-shutdown", .type = kMirror, .until = k40},
    {.key = "ha-sync-batch-size", .type = kMirror, .until = k40},
    {.key = "ha-sync-mode", .type = kMirror, .until = k40, .in_operator = kAfter310},
    {.key = "initial-cluster-size", .type = kInteger, .since = kAfter38},
    {.key = "max-age", .type = kMaxAge, .since = kAfter38},
    {.key = "max-in-memory-bytes", .type = kInteger, .in_operator = kAlways},
    {.key = "max-in-memory-length", .type = kInteger, .in_operator = kAlways},
    {.key = "max-length", .type = kInteger, .in_operator = kAlways},
    {.key = "max-length-bytes", .type = kInteger, .in_operator = kAlways},
    {.key = "message-ttl", .type = kInteger, .in_operator = kAlways},
    {.key = "overflow",
     .type = kWord,
     .words = " drop-head reject-publish reject-publish-dlx ",
     .in_operator = kAfter310},
    {.key = "queue-leader-locator",
     .type = kWord,
     .words = " client-local balanced least-leaders random ",
     .since = kAfter38},
    {.key = "queue-master-locator", .type = kText, .until = k43, .in_operator = kAfter310},
    {.key = "queue-mode", .type = kWord, .words = " default lazy "},
    {.key = "queue-version",
     .type = kInteger,
     .least = 1,
     .most = 2,
     .since = kAfter38,
     .in_operator = kAfter310},
    {.key = "stream-filter-size-bytes", .type = kInteger, .least = 16, .most = 255, .since = k313},
    {.key = "stream-max-segment-size-bytes",
     .type = kInteger,
     .most = 3'000'000'000,
     .since = kAfter38},
    {.key = "target-group-size", .type = kInteger, .least = 1, .since = k313, .in_operator = k313},
};
static_assert(kNever == PolicyKeyRule{}.until);

}  // namespace

std::span<const PolicyKeyRule> PolicyKeyRules() { return kRules; }

}  // namespace rabbit::rabbitmq
