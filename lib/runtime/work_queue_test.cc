#include "runtime/work_queue.h"

#include <gtest/gtest.h>

#include <limits>

#include "base/random.h"

namespace rabbit::runtime {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

const kube::ObjectKey kA{"ns", "a"};
const kube::ObjectKey kB{"ns", "b"};

class WorkQueueTest : public testing::Test {
 protected:
  void AddIn(const kube::ObjectKey& key, base::Duration delay) { queue_.Add(key, now_ + delay); }
  void Fail(const kube::ObjectKey& key, base::Duration at_least = {}) {
    queue_.AddAfterFailure(key, now_, at_least);
  }
  std::string Take() {
    const auto key = queue_.Take(now_);
    return key ? key->name : "none";
  }
  void Done(const kube::ObjectKey& key) { queue_.Done(key, now_); }
  // Until the next key is due; an hour when none is.
  base::Duration NextIn() { return queue_.NextDue().value_or(now_ + hours(1)) - now_; }

  base::TimePoint now_{hours(10)};
  WorkQueue queue_{"test", NullMetrics()};
};

TEST_F(WorkQueueTest, HandsOutWhatHasBeenDueLongest) {
  AddIn(kB, seconds(-1));
  AddIn(kA, seconds(0));
  EXPECT_EQ(Take(), "b");
  EXPECT_EQ(Take(), "a");
  EXPECT_EQ(Take(), "none");
}

TEST_F(WorkQueueTest, AddsOfOneKeyCollapse) {
  AddIn(kA, seconds(0));
  AddIn(kA, seconds(0));
  EXPECT_EQ(Take(), "a");
  EXPECT_EQ(Take(), "none");
  Done(kA);
  EXPECT_EQ(Take(), "none");
}

TEST_F(WorkQueueTest, AnAddDuringTheWorkWaitsForItsEnd) {
  AddIn(kA, seconds(0));
  EXPECT_EQ(Take(), "a");
  AddIn(kA, seconds(0));
  EXPECT_EQ(Take(), "none");
  Done(kA);
  EXPECT_EQ(Take(), "a");
}

TEST_F(WorkQueueTest, TheEarliestDelayWins) {
  AddIn(kA, seconds(10));
  AddIn(kA, seconds(5));
  AddIn(kA, seconds(20));
  EXPECT_EQ(NextIn(), seconds(5));
  now_ += seconds(5);
  EXPECT_EQ(Take(), "a");
  Done(kA);
  EXPECT_EQ(NextIn(), hours(1)) << "one entry a key";
}

TEST_F(WorkQueueTest, TheEarliestDelayWinsDuringTheWorkToo) {
  AddIn(kA, seconds(0));
  EXPECT_EQ(Take(), "a");
  AddIn(kA, seconds(10));
  AddIn(kA, seconds(5));
  AddIn(kA, seconds(20));
  Done(kA);
  EXPECT_EQ(NextIn(), seconds(5));
}

TEST_F(WorkQueueTest, APlainAddPromotesAKeyThatBacksOff) {
  for (int i = 0; i < 20; ++i) Fail(kA);
  EXPECT_GT(NextIn(), milliseconds(4));
  AddIn(kA, seconds(0));
  EXPECT_EQ(Take(), "a");
}

TEST_F(WorkQueueTest, IsNotDueBeforeItsTime) {
  AddIn(kA, seconds(1));
  EXPECT_EQ(Take(), "none");
  now_ += milliseconds(999);
  EXPECT_EQ(Take(), "none");
  now_ += milliseconds(1);
  EXPECT_EQ(Take(), "a");
}

TEST_F(WorkQueueTest, FailuresDoubleTheDelayOfTheirKeyAlone) {
  std::vector<base::Duration> delays;
  for (int i = 0; i < 4; ++i) {
    AddIn(kA, seconds(0));
    EXPECT_EQ(Take(), "a");
    Fail(kA);
    Done(kA);
    delays.push_back(NextIn());
  }
  EXPECT_EQ(delays, (std::vector<base::Duration>{milliseconds(5), milliseconds(10),
                                                 milliseconds(20), milliseconds(40)}));
  EXPECT_EQ(queue_.failures(kA), 4);
  EXPECT_EQ(queue_.failures(kB), 0);
}

TEST_F(WorkQueueTest, ForgetStartsTheDelaysAnew) {
  Fail(kA);
  Fail(kA);
  queue_.Forget(kA);
  now_ += seconds(1);
  EXPECT_EQ(Take(), "a");
  Fail(kA);
  Done(kA);
  EXPECT_EQ(NextIn(), milliseconds(5));
}

TEST_F(WorkQueueTest, AServersWishForTimeIsHonoured) {
  Fail(kA, seconds(30));
  EXPECT_EQ(NextIn(), seconds(30));
}

TEST_F(WorkQueueTest, CloseDropsWhatWaitsAndKeepsWhatIsOut) {
  AddIn(kA, seconds(0));
  EXPECT_EQ(Take(), "a");
  AddIn(kA, seconds(0));
  AddIn(kB, seconds(0));
  queue_.Close();
  EXPECT_EQ(Take(), "none");
  EXPECT_EQ(queue_.working(), 1U);
  Done(kA);
  AddIn(kA, seconds(0));
  Fail(kB);
  EXPECT_EQ(Take(), "none");
  EXPECT_EQ(queue_.waiting() + queue_.working(), 0U);
}

TEST_F(WorkQueueTest, DoneOfAKeyThatIsNotOutIsABug) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(Done(kA), "");
}

TEST(DelayAfter, NeverExceedsTheCapAndNeverOverflows) {
  const Backoff backoff{milliseconds(5), seconds(1000)};
  EXPECT_EQ(DelayAfter(1, backoff), milliseconds(5));
  EXPECT_EQ(DelayAfter(18, backoff), milliseconds(5 << 17));
  EXPECT_EQ(DelayAfter(19, backoff), seconds(1000));
  EXPECT_EQ(DelayAfter(std::numeric_limits<int>::max(), backoff), seconds(1000));
  EXPECT_EQ(DelayAfter(1000, {hours(1), base::Duration::max()}), base::Duration::max());
  EXPECT_EQ(DelayAfter(1, {hours(2), hours(1)}), hours(1));
}

// Any sequence of calls: no key is out twice, none that was added is lost.
TEST(WorkQueue, KeepsItsPromisesUnderRandomUse) {
  base::SequenceRandom random;
  base::TimePoint now{hours(1)};
  WorkQueue queue("test", NullMetrics());
  std::set<kube::ObjectKey> out;
  std::set<kube::ObjectKey> owed;  // added, and not handed out since
  for (const char byte : random.Bytes(20'000)) {
    const auto bits = static_cast<unsigned char>(byte);
    const kube::ObjectKey key{"ns", std::string(1, static_cast<char>('a' + bits % 5))};
    switch (bits / 5 % 5) {
      case 0:
        queue.Add(key, now + milliseconds(bits % 50));
        owed.insert(key);
        break;
      case 1:
        queue.AddAfterFailure(key, now);
        owed.insert(key);
        break;
      case 2:
        if (const auto taken = queue.Take(now)) {
          EXPECT_TRUE(out.insert(*taken).second) << "out twice";
          EXPECT_EQ(owed.erase(*taken), 1U) << "handed out without an add";
        }
        break;
      case 3:
        if (out.erase(key) == 1) queue.Done(key, now);
        break;
      default:
        queue.Forget(key);
        now += milliseconds(bits % 20);
    }
  }
  for (const kube::ObjectKey& key : out) queue.Done(key, now);
  now += hours(1);
  while (const auto taken = queue.Take(now)) EXPECT_EQ(owed.erase(*taken), 1U);
  EXPECT_TRUE(owed.empty());
}

TEST(WorkQueue, MeasuresItself) {
  Registry registry;
  const base::TimePoint now{hours(1)};
  WorkQueue queue("q", registry);
  queue.Add(kA, now - seconds(1));
  queue.Add(kB, now);
  queue.Add({"ns", "later"}, now + seconds(1));
  ASSERT_TRUE(queue.Take(now));
  queue.UpdateMetrics(now + milliseconds(500));
  const std::string text = registry.Text();
  for (const char* line :
       {"workqueue_depth{name=\"q\"} 1\n", "workqueue_adds_total{name=\"q\"} 3\n",
        "workqueue_retries_total{name=\"q\"} 0\n",
        "workqueue_queue_duration_seconds_sum{name=\"q\"} 1\n",
        "workqueue_work_duration_seconds_count{name=\"q\"} 0\n",
        "workqueue_unfinished_work_seconds{name=\"q\"} 0.5\n",
        "workqueue_longest_running_processor_seconds{name=\"q\"} 0.5\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
  }
}

}  // namespace
}  // namespace rabbit::runtime
