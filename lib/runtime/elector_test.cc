#include "runtime/elector.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "base/json.h"
#include "http/transport.h"
#include "kube/credentials.h"

namespace rabbit::runtime {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// The API server as far as one Lease goes: versions, conflicts, 404. Thread-safe.
class LeaseServer final : public http::Transport {
 public:
  // Called with each request before and after the server has it; an error is what the caller gets.
  using Fault = std::function<base::Result<void>()>;
  void FailBefore(Fault fault) { before_ = std::move(fault); }
  void FailAfter(Fault fault) { after_ = std::move(fault); }

  base::Result<http::Response> Send(const http::Request& request,
                                    const http::CallOptions& options) override {
    if (options.stop.stop_requested()) return base::Fail(base::ErrorKind::kCancelled, "stop");
    if (before_) {
      if (auto ok = before_(); !ok) return tl::unexpected(ok.error());
    }
    http::Response response = Answer(request);
    if (after_) {
      if (auto ok = after_(); !ok) return tl::unexpected(ok.error());
    }
    return response;
  }
  base::Result<void> Stream(const http::Request&, const http::CallOptions&,
                            http::BodySink&) override {
    return base::Fail(base::ErrorKind::kInternal, "not needed");
  }

  void Delete() {
    base::MutexLock lock(mutex_);
    lease_.clear();
  }
  void SetNamespace(bool exists) {
    base::MutexLock lock(mutex_);
    namespace_ = exists;
  }
  std::string Holder() {
    base::MutexLock lock(mutex_);
    if (lease_.empty()) return "no lease";
    return base::FindString(base::ParseJson(lease_).value(), {"spec", "holderIdentity"});
  }
  // Somebody else edits the Lease.
  void Edit(const std::function<void(base::Json&)>& edit) {
    base::MutexLock lock(mutex_);
    base::Json lease = base::ParseJson(lease_).value();
    edit(lease);
    Store(std::move(lease));
  }

 private:
  static http::Response Status(int code, const char* reason) {
    return {code, {}, R"({"kind":"Status","reason":")" + std::string(reason) + "\"}"};
  }
  http::Response Answer(const http::Request& request) {
    const std::string collection = "/apis/coordination.k8s.io/v1/namespaces/system/leases";
    const bool create = request.method == http::Method::kPost;
    EXPECT_EQ(request.target.substr(0, collection.size()), collection);
    base::MutexLock lock(mutex_);
    if (create && !namespace_) return Status(404, "NotFound");
    if (create && !lease_.empty()) return Status(409, "AlreadyExists");
    // As a real one does: to a PUT a Lease that is gone is one whose uid has changed.
    const bool read = request.method == http::Method::kGet;
    if (!create && lease_.empty()) return read ? Status(404, "NotFound") : Status(409, "Conflict");
    if (read) return {200, {}, lease_};
    base::Json lease = base::ParseJson(request.body).value();
    const auto sent = base::FindString(lease, {"metadata", "resourceVersion"});
    if (!create && sent != std::to_string(version_)) return Status(409, "Conflict");
    Store(std::move(lease));
    return {create ? 201 : 200, {}, lease_};
  }
  void Store(base::Json lease) RABBIT_REQUIRES(mutex_) {
    lease["metadata"]["resourceVersion"] = std::to_string(++version_);
    lease_ = base::Dump(lease);
  }

  Fault before_, after_;
  base::Mutex mutex_;
  std::string lease_ RABBIT_GUARDED_BY(mutex_);
  int version_ RABBIT_GUARDED_BY(mutex_) = 0;
  bool namespace_ RABBIT_GUARDED_BY(mutex_) = true;
};

// Counts the warnings.
class CountingLogger final : public base::Logger {
 public:
  void Log(base::LogLevel level, std::string_view, Fields) override {
    if (level == base::LogLevel::kWarn) ++warnings;
  }
  std::atomic<int> warnings = 0;
};

// One process: a clock of its own, an elector that is stepped by hand.
struct Candidate {
  Candidate(LeaseServer& server, const std::string& name)
      : client(server, credentials, nullptr),
        elector(client, fence, clock, random, registry, logger,
                {{"system", "rabbit-operator"}, name, {}},
                {.on_leading = [this] { ++elected; },
                 .on_lost =
                     [this](const std::string& reason) {
                       EXPECT_FALSE(fence.MayWrite(clock.Now())) << "shut before anybody is told";
                       lost = reason;
                     }}) {}

  // Runs the elector until its clock says so.
  void Run(base::Duration duration) {
    const base::TimePoint end = clock.Now() + duration;
    for (;;) {
      const base::TimePoint next = elector.Step({});
      if (next > end) break;
      clock.Advance(std::max<base::Duration>(next - clock.Now(), milliseconds(1)));
    }
    clock.Advance(end - clock.Now());
  }
  bool MayWrite() const { return fence.MayWrite(clock.Now()); }

  base::ManualClock clock;
  base::SequenceRandom random;
  kube::StaticCredentials credentials;
  kube::Client client;
  Registry registry;
  CountingLogger logger;
  Fence fence{seconds(5)};
  int elected = 0;
  std::string lost;
  Elector elector;
};

class ElectorTest : public testing::Test {
 protected:
  // Time passes for all of `candidates`, who take turns.
  static void RunTogether(std::vector<Candidate*> candidates, base::Duration duration) {
    for (base::Duration t{}; t < duration; t += milliseconds(100)) {
      int writers = 0;
      for (Candidate* candidate : candidates) {
        candidate->Run(milliseconds(100));
        writers += candidate->MayWrite() ? 1 : 0;
      }
      EXPECT_LE(writers, 1);
    }
  }
  static base::Result<void> Unreachable() {
    return base::Fail(base::ErrorKind::kRetry, "no route");
  }

  LeaseServer server_;
  Candidate a_{server_, "a"};
  Candidate b_{server_, "b"};
};

TEST_F(ElectorTest, LeadsAndKeepsTheFenceOpen) {
  EXPECT_FALSE(a_.MayWrite());
  a_.Run(milliseconds(1));
  EXPECT_EQ(server_.Holder(), "a");
  EXPECT_TRUE(a_.elector.leading());
  for (int i = 0; i < 600; ++i) {
    a_.Run(milliseconds(100));
    ASSERT_TRUE(a_.MayWrite());
  }
  EXPECT_EQ(a_.elected, 1);
  EXPECT_EQ(a_.elector.Unhealthy(), std::nullopt);
  EXPECT_NE(a_.registry.Text().find("leader_election_master_status{name=\"rabbit-operator\"} 1"),
            std::string::npos);
}

TEST_F(ElectorTest, TheOtherFollowsAndNamesTheLeader) {
  a_.Run(seconds(1));
  RunTogether({&a_, &b_}, seconds(60));
  EXPECT_TRUE(a_.MayWrite());
  EXPECT_FALSE(b_.MayWrite());
  EXPECT_EQ(b_.elector.holder(), "a");
  EXPECT_EQ(b_.elected, 0);
}

TEST_F(ElectorTest, TheOtherTakesOverWhenTheLeaderDies) {
  RunTogether({&a_, &b_}, seconds(5));
  ASSERT_TRUE(a_.MayWrite());
  RunTogether({&b_}, seconds(14));
  EXPECT_FALSE(b_.MayWrite());
  RunTogether({&b_}, seconds(6));
  EXPECT_TRUE(b_.MayWrite());
  EXPECT_EQ(server_.Holder(), "b");
}

TEST_F(ElectorTest, ALeaderWithoutAServerCeasesBeforeAnotherBegins) {
  a_.Run(seconds(1));
  server_.FailBefore(Unreachable);
  a_.Run(seconds(12));
  EXPECT_FALSE(a_.MayWrite());
  EXPECT_EQ(a_.lost, "not renewed in time");
  EXPECT_FALSE(a_.elector.leading());
}

TEST_F(ElectorTest, ReleasesSoThatTheNextOneBeginsAtOnce) {
  RunTogether({&a_, &b_}, seconds(5));
  ASSERT_TRUE(a_.MayWrite());
  EXPECT_TRUE(a_.elector.Release(a_.clock.Now() + seconds(5)));
  EXPECT_FALSE(a_.MayWrite());
  EXPECT_EQ(server_.Holder(), "");
  RunTogether({&b_}, seconds(3));
  EXPECT_TRUE(b_.MayWrite());
}

TEST_F(ElectorTest, ReleaseTriesAgainAfterAConflict) {
  a_.Run(seconds(1));
  server_.Edit([](base::Json& lease) { lease["metadata"]["labels"] = {{"team", "x"}}; });
  EXPECT_TRUE(a_.elector.Release(a_.clock.Now() + seconds(5)));
  EXPECT_EQ(server_.Holder(), "");
}

TEST_F(ElectorTest, ReleaseLeavesALeaseThatAnotherHolds) {
  a_.Run(seconds(1));
  server_.Edit([](base::Json& lease) { lease["spec"]["holderIdentity"] = "b"; });
  EXPECT_TRUE(a_.elector.Release(a_.clock.Now() + seconds(5)));
  EXPECT_EQ(server_.Holder(), "b");
}

TEST_F(ElectorTest, AFollowersReleaseWritesNothing) {
  a_.Run(seconds(1));
  b_.Run(seconds(1));
  EXPECT_TRUE(b_.elector.Release(b_.clock.Now() + seconds(5)));
  EXPECT_EQ(server_.Holder(), "a");
}

TEST_F(ElectorTest, AnEditedHolderIsALostLease) {
  a_.Run(seconds(1));
  server_.Edit([](base::Json& lease) { lease["spec"]["holderIdentity"] = "thief"; });
  a_.Run(seconds(3));
  EXPECT_FALSE(a_.MayWrite());
  EXPECT_EQ(a_.lost, "the Lease was taken by thief");
}

TEST_F(ElectorTest, ADeletedLeaseIsALostLease) {
  a_.Run(seconds(1));
  server_.Delete();
  a_.Run(seconds(3));
  EXPECT_FALSE(a_.MayWrite());
  EXPECT_EQ(a_.lost, "the Lease was deleted");
}

TEST_F(ElectorTest, ALeaseThatCannotBeMadeIsLoggedCountedAndTold) {
  EXPECT_NE(a_.elector.Trouble(), std::nullopt) << "nothing is known yet";
  server_.SetNamespace(false);
  a_.Run(seconds(60));
  EXPECT_GT(a_.logger.warnings, 5);
  EXPECT_EQ(a_.registry.Text().find("rabbit_operator_leader_election_errors_total 0"),
            std::string::npos);
  EXPECT_EQ(a_.elector.Trouble(), "create Lease in system: 404 NotFound");
  server_.SetNamespace(true);
  a_.Run(seconds(3));
  EXPECT_TRUE(a_.MayWrite());
  EXPECT_EQ(a_.elector.Trouble(), std::nullopt);
}

TEST_F(ElectorTest, AMissingLeaseIsEverydayAndSoIsAShortFailure) {
  a_.Run(seconds(60));
  EXPECT_EQ(a_.logger.warnings, 0);
  EXPECT_EQ(a_.elector.Trouble(), std::nullopt);
  b_.Run(seconds(1));
  server_.FailBefore(Unreachable);
  b_.Run(seconds(8));
  EXPECT_GT(b_.logger.warnings, 0);
  EXPECT_EQ(b_.elector.Trouble(), std::nullopt);
  b_.Run(seconds(8));
  EXPECT_EQ(b_.elector.Trouble(), "get Lease system/rabbit-operator: no route");
}

TEST_F(ElectorTest, ACallThatIsCancelledWithoutAStopIsTriedAgainLater) {
  server_.FailBefore([] { return base::Fail(base::ErrorKind::kCancelled, "closing"); });
  EXPECT_GE(a_.elector.Step({}), a_.clock.Now() + seconds(2));
}

TEST_F(ElectorTest, IsUnhealthyWhenItLeadsAndItsThreadHangs) {
  a_.Run(seconds(1));
  a_.clock.Advance(seconds(16));  // the thread hangs
  EXPECT_NE(a_.elector.Unhealthy(), std::nullopt);
  EXPECT_FALSE(a_.MayWrite()) << "the fence needs no thread";
}

TEST_F(ElectorTest, TheThreadLeadsAndStopsSoon) {
  base::RealClock clock;
  kube::StaticCredentials credentials;
  kube::Client client(server_, credentials, nullptr);
  Fence fence(seconds(5));
  base::SystemRandom random;
  base::Mutex mutex;
  base::CondVar changed;
  bool leading = false;
  Elector elector(client, fence, clock, random, NullMetrics(), base::NullLogger(),
                  {{"system", "rabbit-operator"}, "thread", {}},
                  {.on_leading =
                       [&] {
                         base::MutexLock lock(mutex);
                         leading = true;
                         changed.NotifyAll();
                       },
                   .on_lost = {}});
  elector.Start();
  const base::TimePoint until = clock.Now() + minutes(1);
  {
    base::MutexLock lock(mutex);
    while (!leading && clock.Now() < until) changed.WaitUntil(mutex, until);
    EXPECT_TRUE(leading);
  }
  EXPECT_TRUE(fence.MayWrite(clock.Now()));
  EXPECT_TRUE(elector.Release(until));
  EXPECT_FALSE(fence.MayWrite(clock.Now()));
  EXPECT_EQ(server_.Holder(), "");
}

// Candidates whose calls overlap, hang, fail before and after the server had them, whose clocks
// differ; through all of which no two may write at the same time.
class Chaos {
 public:
  Chaos(std::uint64_t seed, std::size_t count) {
    static_cast<void>(random_.Bytes(32 * 1000 * seed));  // another part of the sequence
    for (std::size_t i = 0; i < count; ++i) {
      candidates_.push_back(std::make_unique<Process>());
      Revive(i);
    }
    server_.FailBefore([this]() -> base::Result<void> {
      if (faults_ && caller_->cut_off_until > elapsed_) {
        return base::Fail(base::ErrorKind::kRetry, "no route");
      }
      return Happen();
    });
    server_.FailAfter([this] { return Happen(); });
  }
  void Run(base::Duration duration) {
    const base::Duration end = elapsed_ + duration;
    while (elapsed_ < end) {
      Pass(milliseconds(Dice(300)));
      StepOne();
      if (faults_ && Dice(200) == 0) Revive(Dice(candidates_.size()));
    }
  }
  void EndFaults() { faults_ = false; }
  int writers() const { return writers_; }
  int elections() const { return elections_; }

 private:
  struct Process {
    std::unique_ptr<Candidate> candidate;
    base::TimePoint next{};
    bool in_call = false;
    base::Duration cut_off_until{};  // of elapsed_: no call of it reaches the server
  };
  std::size_t Dice(std::size_t sides) {
    std::size_t value = 0;
    for (const char c : random_.Bytes(4)) value = value << 8 | static_cast<unsigned char>(c);
    return value % sides;
  }
  // Kills a candidate and starts it anew, with another identity and a clock that stands elsewhere.
  void Revive(std::size_t i) {
    Process& process = *candidates_[i];
    if (process.in_call) return;
    process.candidate = std::make_unique<Candidate>(server_, "p" + std::to_string(++identities_));
    process.candidate->clock.Advance(seconds(Dice(10'000)));
    process.next = {};
  }
  void Pass(base::Duration time) {
    elapsed_ += time;
    writers_ = 0;
    for (const auto& process : candidates_) {
      process->candidate->clock.Advance(time);
      writers_ += process->candidate->MayWrite() ? 1 : 0;
    }
    EXPECT_LE(writers_, 1) << "at " << std::chrono::duration<double>(elapsed_).count() << " s";
  }
  void StepOne() {
    Process& process = *candidates_[Dice(candidates_.size())];
    if (process.in_call || process.candidate->clock.Now() < process.next) return;
    if (Dice(20) == 0) process.cut_off_until = elapsed_ + seconds(10 + Dice(25));
    process.in_call = true;
    Process* const outer = std::exchange(caller_, &process);
    const int elected = process.candidate->elected;
    process.next = process.candidate->elector.Step({});
    elections_ += process.candidate->elected - elected;
    caller_ = outer;
    process.in_call = false;
    if (!process.candidate->lost.empty()) Revive(IndexOf(process));
    Pass({});
  }
  std::size_t IndexOf(const Process& process) const {
    std::size_t i = 0;
    while (candidates_[i].get() != &process) ++i;
    return i;
  }
  // In the middle of a call: time passes, others act, and perhaps the call fails.
  base::Result<void> Happen() {
    const std::size_t fate = faults_ ? Dice(20) : 19;
    // Another who looks before the time passes has seen more than the caller will know of.
    if (fate < 10) StepOne();
    if (fate < 4) Pass(milliseconds(Dice(6000)));
    if (fate < 2) StepOne();
    if (fate < 3) return base::Fail(base::ErrorKind::kRetry, "cut");
    return {};
  }

  base::SequenceRandom random_;
  LeaseServer server_;
  std::vector<std::unique_ptr<Process>> candidates_;
  base::Duration elapsed_{};
  bool faults_ = true;
  Process* caller_ = nullptr;  // whose call is under way
  int writers_ = 0;
  int elections_ = 0;
  int identities_ = 0;
};

TEST(TwoElectors, NeverBothMayWrite) {
  int elections = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    Chaos chaos(seed, 2 + seed % 2);
    chaos.Run(minutes(10));
    elections += chaos.elections();
    chaos.EndFaults();
    chaos.Run(minutes(1));
    EXPECT_EQ(chaos.writers(), 1) << "once the faults end somebody leads, seed " << seed;
    if (testing::Test::HasFailure()) break;
  }
  EXPECT_GT(elections, 100) << "the faults were too tame to prove anything";
}

}  // namespace
}  // namespace rabbit::runtime
