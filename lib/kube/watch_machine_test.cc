#include "kube/watch_machine.h"

#include <gtest/gtest.h>

#include "kube/status.h"

namespace rabbit::kube {
namespace {

using base::Error;
using base::ErrorKind;
using namespace std::chrono_literals;

Error Answered(int status, ErrorKind kind, std::string reason = "") {
  return {.kind = kind, .message = "m", .http_status = status, .reason = std::move(reason)};
}
const Error kExpired = Answered(410, ErrorKind::kGone, "Expired");
const Error kTooLarge = Answered(504, ErrorKind::kRetry, "ResourceVersionTooLarge");
const Error kInternalError = Answered(500, ErrorKind::kRetry, "InternalError");
const Error kBusy = Answered(429, ErrorKind::kThrottled, "TooManyRequests");
const Error kForbidden = Answered(403, ErrorKind::kDenied, "Forbidden");
const Error kRefused{.kind = ErrorKind::kRetry, .message = "connection refused"};

class WatchMachineTest : public testing::Test {
 protected:
  // The next call as text, "WAIT" for any wait.
  std::string NextCall() {
    const WatchCall call = machine_.Next(clock_.Now());
    switch (call.kind) {
      case WatchCall::Kind::kWait:
        return "WAIT";
      case WatchCall::Kind::kWatch:
        return "WATCH " + call.resource_version;
      case WatchCall::Kind::kList:
        return "LIST " +
               (call.continue_token.empty() ? "at '" + call.resource_version + "'"
                                            : "page " + call.continue_token) +
               (call.limit == 0 ? " whole" : "");
    }
    return "?";
  }
  // How long the machine wants to wait now, rounded down.
  std::chrono::milliseconds Wait() {
    const WatchCall call = machine_.Next(clock_.Now());
    if (call.kind != WatchCall::Kind::kWait) return 0ms;
    return std::chrono::duration_cast<std::chrono::milliseconds>(call.until - clock_.Now());
  }
  std::string CallAfterWait() {
    const auto call = machine_.Next(clock_.Now());
    EXPECT_EQ(call.kind, WatchCall::Kind::kWait);
    if (call.kind == WatchCall::Kind::kWait) clock_.Advance(call.until - clock_.Now());
    return NextCall();
  }
  void Pass(base::Duration time) { clock_.Advance(time); }

  bool Page(std::string version, std::string token = "") {
    return machine_.OnPage(std::move(version), std::move(token), clock_.Now());
  }
  void ListFails(const Error& error) { machine_.OnListFailed(error, clock_.Now()); }
  void Open() { machine_.OnOpened(clock_.Now()); }
  void Event(std::string version) { machine_.OnEvent(std::move(version)); }
  void End() { machine_.OnStreamEnd({}, clock_.Now()); }
  void Fails(const Error& error) { machine_.OnStreamEnd(tl::unexpected(error), clock_.Now()); }
  // Lists at `version`, so that a watch is next.
  void Listed(std::string version) {
    NextCall();
    EXPECT_TRUE(Page(std::move(version)));
  }

  base::ManualClock clock_;
  base::SequenceRandom random_;
  WatchMachine machine_{{}, random_};
};

// ---- lists

TEST_F(WatchMachineTest, TheFirstListTakesAnyStateAndTheWatchFollowsIt) {
  EXPECT_EQ(NextCall(), "LIST at '0'");
  EXPECT_TRUE(Page("5"));
  EXPECT_EQ(NextCall(), "WATCH 5");
}

TEST_F(WatchMachineTest, AskingTwiceGivesTheSameCall) {
  EXPECT_EQ(NextCall(), NextCall());
  Listed("5");
  EXPECT_EQ(machine_.Next(clock_.Now()).timeout, machine_.Next(clock_.Now()).timeout);
}

TEST_F(WatchMachineTest, PagesFollowOneAnotherByTheirToken) {
  EXPECT_FALSE(Page("5", "t1"));
  EXPECT_EQ(NextCall(), "LIST page t1");
  EXPECT_FALSE(Page("5", "t2"));
  EXPECT_EQ(NextCall(), "LIST page t2");
  EXPECT_TRUE(Page("5"));
  EXPECT_EQ(NextCall(), "WATCH 5");
}

TEST_F(WatchMachineTest, AFailedPageVoidsTheWholeList) {
  EXPECT_FALSE(Page("5", "t1"));
  ListFails(kRefused);
  EXPECT_EQ(CallAfterWait(), "LIST at '0'");
}

TEST_F(WatchMachineTest, AnExpiredTokenListsTheLatestAtOnce) {
  EXPECT_FALSE(Page("5", "t1"));
  ListFails(kExpired);
  EXPECT_EQ(NextCall(), "LIST at ''");
}

TEST_F(WatchMachineTest, ARelistIsAtTheLastVersionAndWholeForTheSakeOfTheServersCache) {
  Listed("5");
  Open();
  Event("9");
  Fails(kExpired);
  EXPECT_EQ(CallAfterWait(), "LIST at '9' whole");
}

TEST_F(WatchMachineTest, ARelistIsPagedWhenTheServerPagedBefore) {
  EXPECT_FALSE(Page("5", "t1"));
  EXPECT_TRUE(Page("5"));
  Open();
  Fails(kExpired);
  EXPECT_EQ(CallAfterWait(), "LIST at '5'");
}

TEST_F(WatchMachineTest, AnExpiredListIsRetriedAtOnceWithoutAVersion) {
  ListFails(kExpired);
  EXPECT_EQ(NextCall(), "LIST at ''");
  EXPECT_TRUE(Page("7"));
  EXPECT_EQ(NextCall(), "WATCH 7");
}

TEST_F(WatchMachineTest, AVersionTooLargeForTheServerIsRetriedAtOnceWithoutAVersion) {
  Listed("900");
  Open();
  Fails(kExpired);
  EXPECT_EQ(CallAfterWait(), "LIST at '900' whole");
  ListFails(kTooLarge);
  EXPECT_EQ(NextCall(), "LIST at ''");
  EXPECT_TRUE(Page("7"));
  EXPECT_EQ(NextCall(), "WATCH 7");
}

TEST_F(WatchMachineTest, OldServersTellOfATooLargeVersionInWordsOnly) {
  ListFails({.kind = ErrorKind::kRetry,
             .message = "504 Timeout: Too large resource version: 9, current: 5",
             .http_status = 504,
             .reason = "Timeout"});
  EXPECT_EQ(NextCall(), "LIST at ''");
}

TEST_F(WatchMachineTest, AServerThatAlwaysSaysExpiredIsNotAskedWithoutAPause) {
  ListFails(kExpired);
  EXPECT_EQ(NextCall(), "LIST at ''");
  ListFails(kExpired);
  EXPECT_EQ(CallAfterWait(), "LIST at ''");
  ListFails(kExpired);
  EXPECT_EQ(NextCall(), "LIST at ''");
  ListFails(kExpired);
  EXPECT_EQ(NextCall(), "WAIT");
}

TEST_F(WatchMachineTest, AListThatIsRefusedIsTriedAgainAfterABackOff) {
  for (const Error& error : {kForbidden, kInternalError, kBusy, kRefused}) {
    ListFails(error);
    EXPECT_EQ(CallAfterWait(), "LIST at '0'");
  }
}

TEST_F(WatchMachineTest, AListWithoutAVersionIsAFailure) {
  EXPECT_FALSE(Page(""));
  EXPECT_EQ(CallAfterWait(), "LIST at '0'");
}

// ---- watches

TEST_F(WatchMachineTest, AWatchThatEndsResumesAtTheLastVersionAtOnce) {
  Listed("5");
  Open();
  Event("6");
  Event("8");
  End();
  EXPECT_EQ(NextCall(), "WATCH 8");
}

TEST_F(WatchMachineTest, ABrokenConnectionResumesLikeAnEnd) {
  Listed("5");
  Open();
  Event("6");
  Fails({.kind = ErrorKind::kRetry, .message = "connection reset"});
  EXPECT_EQ(NextCall(), "WATCH 6");
}

TEST_F(WatchMachineTest, AnEventWithoutAVersionKeepsTheLastOne) {
  Listed("5");
  Open();
  Event("6");
  Event("");
  End();
  EXPECT_EQ(NextCall(), "WATCH 6");
}

TEST_F(WatchMachineTest, A410InTheStreamOrAsStatusRelistsAfterABackOff) {
  Listed("5");
  Fails(kExpired);  // as HTTP status
  EXPECT_EQ(CallAfterWait(), "LIST at '5' whole");
  Listed("6");
  Open();
  Event("7");
  Fails(Answered(410, ErrorKind::kGone, "Gone"));  // as an event
  EXPECT_EQ(CallAfterWait(), "LIST at '7' whole");
}

TEST_F(WatchMachineTest, A429BacksOffWithoutARelist) {
  Listed("5");
  Fails(kBusy);
  EXPECT_EQ(CallAfterWait(), "WATCH 5");
  Open();
  Event("6");
  Fails(kBusy);
  EXPECT_EQ(CallAfterWait(), "WATCH 6");
}

TEST_F(WatchMachineTest, ARefusedConnectionBacksOffWithoutARelist) {
  Listed("5");
  for (int i = 0; i < 10; ++i) {
    Fails(kRefused);
    EXPECT_EQ(CallAfterWait(), "WATCH 5");
  }
}

TEST_F(WatchMachineTest, A500IsRetriedAFewTimesThenRelists) {
  Listed("5");
  for (int i = 0; i < 3; ++i) {
    Fails(kInternalError);
    EXPECT_EQ(CallAfterWait(), "WATCH 5");
  }
  Fails(kInternalError);
  EXPECT_EQ(CallAfterWait(), "LIST at '5' whole");
}

TEST_F(WatchMachineTest, AnEventStartsTheCountOf500sAnew) {
  Listed("5");
  for (int i = 0; i < 10; ++i) {
    Open();
    Event("6");
    Fails(kInternalError);
    EXPECT_EQ(CallAfterWait(), "WATCH 6");
  }
}

TEST_F(WatchMachineTest, OtherErrorsRelistAfterABackOff) {
  for (const Error& error :
       {kForbidden, Answered(404, ErrorKind::kNotFound), Answered(400, ErrorKind::kInvalid),
        Error{.kind = ErrorKind::kInternal, .message = "a line of the watch is no event"}}) {
    Listed("5");
    Open();
    Pass(10s);
    Fails(error);
    EXPECT_EQ(CallAfterWait(), "LIST at '5' whole");
  }
}

TEST_F(WatchMachineTest, AWatchUnderASecondWithoutAnEventIsAnError) {
  Listed("5");
  Open();
  Pass(999ms);
  End();
  EXPECT_EQ(CallAfterWait(), "LIST at '5' whole");
}

TEST_F(WatchMachineTest, AWatchOfASecondOrWithAnEventIsNone) {
  Listed("5");
  Open();
  Pass(1s);
  End();
  EXPECT_EQ(NextCall(), "WATCH 5");
  Open();
  Event("5");
  End();
  EXPECT_EQ(NextCall(), "WATCH 5");
}

TEST_F(WatchMachineTest, AWatchThatWasSilentToItsEndListsToMakeSure) {
  // A server restored from a backup accepts a watch from a version of its future and says nothing.
  Listed("900");
  const auto timeout = machine_.Next(clock_.Now()).timeout;
  Open();
  Pass(timeout);
  End();
  EXPECT_EQ(NextCall(), "LIST at '900' whole");
  ListFails(kTooLarge);
  EXPECT_EQ(NextCall(), "LIST at ''");
}

TEST_F(WatchMachineTest, AStopChangesNothing) {
  const Error cancelled{.kind = ErrorKind::kCancelled, .message = "stop"};
  ListFails(cancelled);
  EXPECT_EQ(NextCall(), "LIST at '0'");
  Listed("5");
  Open();
  Fails(cancelled);
  EXPECT_EQ(NextCall(), "WATCH 5");
}

TEST_F(WatchMachineTest, TheServerIsAskedToEndTheWatchAfterFiveToTenMinutes) {
  std::set<std::chrono::seconds> timeouts;
  Listed("5");
  for (int i = 0; i < 50; ++i) {
    const auto timeout = machine_.Next(clock_.Now()).timeout;
    EXPECT_GE(timeout, 5min);
    EXPECT_LE(timeout, 10min);
    timeouts.insert(timeout);
    Open();
    Event("5");
    End();
  }
  EXPECT_GT(timeouts.size(), 20U);
}

// ---- back-off

TEST_F(WatchMachineTest, TheBackOffDoublesUpToItsCapWithUpToAsMuchAgainAtRandom) {
  for (const auto expected : {800ms, 1600ms, 3200ms, 6400ms, 12800ms, 25600ms, 30000ms, 30000ms}) {
    ListFails(kRefused);
    EXPECT_GE(Wait(), expected);
    EXPECT_LE(Wait(), 2 * expected);
    CallAfterWait();
  }
}

TEST_F(WatchMachineTest, TwoQuietMinutesResetTheBackOff) {
  for (int i = 0; i < 5; ++i) {
    ListFails(kRefused);
    CallAfterWait();
  }
  Listed("5");
  Open();
  Event("6");
  Pass(121s);
  Fails(kBusy);
  EXPECT_LE(Wait(), 1600ms);
}

TEST_F(WatchMachineTest, LessThanTwoQuietMinutesDoNot) {
  for (int i = 0; i < 5; ++i) {
    ListFails(kRefused);
    CallAfterWait();
  }
  Pass(60s);
  ListFails(kRefused);
  EXPECT_GE(Wait(), 25600ms);
}

TEST_F(WatchMachineTest, TheServersTimeToWaitIsHonoured) {
  Error wait = kBusy;
  wait.retry_after = 17s;
  Listed("5");
  Fails(wait);
  EXPECT_EQ(Wait(), 17s);
}

TEST_F(WatchMachineTest, ButNotBeyondFiveMinutes) {
  Error wait = kBusy;
  wait.retry_after = 3600s;
  ListFails(wait);
  EXPECT_EQ(Wait(), 5min);
}

}  // namespace
}  // namespace rabbit::kube
