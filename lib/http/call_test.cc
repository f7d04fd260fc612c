#include "http/call.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "http/test_support.h"

namespace rabbit::http {
namespace {

using base::Sent;
using Event = Call::Event;
using std::chrono::milliseconds;

// Both sides of a call on one thread: nothing here waits unless it should.
class CallTest : public testing::Test {
 protected:
  Event Wait() { return call_.Wait(Soon(), InTime()); }
  bool Put(std::string_view data) {
    return call_.OnData(data, [this](bool taken) { taken_.push_back(taken); });
  }
  // Head and upload done.
  void Start() {
    call_.OnUpload();
    call_.OnHead({200, {}});
    ASSERT_EQ(Wait(), Event::kHead);
    EXPECT_EQ(call_.TakeHead().status, 200);
  }

  Call call_;
  Recorder sink_;
  std::vector<bool> taken_;
  const std::string full_ = std::string(Call::kMaxBuffered, 'x');
  const std::string large_ = full_ + "!";
};

TEST_F(CallTest, HandsOutHeadThenDataThenTheEnd) {
  call_.OnUpload();
  EXPECT_TRUE(Put("early"));  // the head's continuation may come late
  call_.OnHead({200, {}});
  call_.OnEnd(std::nullopt);
  ASSERT_EQ(Wait(), Event::kHead);
  (void)call_.TakeHead();
  ASSERT_EQ(Wait(), Event::kData);
  ASSERT_TRUE(call_.GiveData(sink_));
  EXPECT_EQ(sink_.body, "early");
  EXPECT_EQ(Wait(), Event::kEnd);
  EXPECT_FALSE(call_.failure());
}

TEST_F(CallTest, AFailureComesAfterTheDataThatCameBeforeIt) {
  Start();
  EXPECT_TRUE(Put("half"));
  call_.OnEnd(Failure{.what = "cut"});
  EXPECT_EQ(Wait(), Event::kData);
  (void)call_.GiveData(sink_);
  EXPECT_EQ(Wait(), Event::kEnd);
  EXPECT_EQ(call_.failure(), Failure{.what = "cut"});
}

TEST_F(CallTest, AFullBufferHoldsTheServerUpUntilItIsEmptied) {
  Start();
  EXPECT_TRUE(Put(full_));
  EXPECT_FALSE(Put("more"));
  EXPECT_TRUE(taken_.empty());
  (void)call_.GiveData(sink_);
  EXPECT_THAT(taken_, testing::ElementsAre(true));
  EXPECT_EQ(sink_.body, full_);
  (void)call_.GiveData(sink_);
  EXPECT_EQ(sink_.body, full_ + "more");
}

TEST_F(CallTest, APieceThatIsLargerThanTheBufferIsHandedOutWhole) {
  Start();
  EXPECT_FALSE(Put(large_));
  ASSERT_EQ(Wait(), Event::kData);
  (void)call_.GiveData(sink_);
  EXPECT_EQ(sink_.body, large_);
  EXPECT_THAT(taken_, testing::ElementsAre(true));
}

TEST_F(CallTest, GivingUpReleasesHeldDataAndRefusesMore) {
  Start();
  EXPECT_FALSE(Put(large_));
  EXPECT_TRUE(call_.GiveUp());
  call_.ReleaseHeldData();
  EXPECT_FALSE(Put("late"));
  EXPECT_THAT(taken_, testing::ElementsAre(false, false));
  call_.ReleaseHeldData();  // once is enough
  EXPECT_EQ(taken_.size(), 2U);
}

TEST_F(CallTest, AnErrorOfTheSinkIsToldToTheHolder) {
  Start();
  EXPECT_FALSE(Put(large_));
  sink_.on_data = [] { return base::Fail(base::ErrorKind::kGone, "enough"); };
  EXPECT_FALSE(call_.GiveData(sink_));
  EXPECT_THAT(taken_, testing::ElementsAre(false));
}

TEST_F(CallTest, KnowsHowFarItCame) {
  EXPECT_EQ(call_.sent(), Sent::kNo);
  call_.OnUpload();
  EXPECT_EQ(call_.sent(), Sent::kMaybe);
  call_.OnHead({});
  EXPECT_EQ(call_.sent(), Sent::kYes);
}

TEST_F(CallTest, AnUnconfirmedEndMayHaveBeenSent) {
  EXPECT_TRUE(call_.GiveUp());
  EXPECT_EQ(call_.sent(), Sent::kMaybe);
  call_.OnEnd(Failure{.what = "cancelled"});
  EXPECT_EQ(call_.sent(), Sent::kNo);
  EXPECT_FALSE(call_.GiveUp());
}

TEST_F(CallTest, DeadlinesAndStopsEndTheWait) {
  EXPECT_EQ(call_.Wait(Within(milliseconds(0)), InTime()), Event::kDeadline);
  EXPECT_EQ(call_.Wait(Soon(), In(milliseconds(1))), Event::kConnectDeadline);
  std::stop_source stop;
  CallOptions options = Soon();
  options.stop = stop.get_token();
  std::jthread stopper([&] { stop.request_stop(); });
  EXPECT_EQ(call_.Wait(options, InTime()), Event::kStopped);
}

TEST_F(CallTest, TheConnectDeadlineIsOverOnceTheRequestIsOnItsWay) {
  call_.OnUpload();
  EXPECT_EQ(call_.Wait(Within(milliseconds(1)), In(milliseconds(0))), Event::kDeadline);
}

TEST_F(CallTest, WaitingForTheEndIsBounded) {
  const base::TimePoint began = base::RealClock().Now();
  call_.WaitForEnd(milliseconds(1));
  EXPECT_GE(base::RealClock().Now() - began, milliseconds(1));
  call_.OnEnd(std::nullopt);
  call_.WaitForEnd(std::chrono::hours(1));
  EXPECT_LT(base::RealClock().Now() - began, std::chrono::hours(1));
}

}  // namespace
}  // namespace rabbit::http
