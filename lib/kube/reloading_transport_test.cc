#include "kube/reloading_transport.h"

#include <gtest/gtest.h>

#include <map>
#include <thread>

namespace rabbit::kube {
namespace {

using namespace std::chrono_literals;

class ReloadingTransportTest : public testing::Test {
 protected:
  // Answers with the number of the transport and the target; fails while the server is down.
  class Numbered final : public http::Transport {
   public:
    Numbered(ReloadingTransportTest& test, int number) : test_(test), number_(number) {}
    ~Numbered() override { ++test_.ended_; }
    base::Result<http::Response> Send(const http::Request& request,
                                      const http::CallOptions&) override {
      test_.clock_.Advance(test_.takes_);
      if (test_.failure_) return tl::unexpected(*test_.failure_);
      return http::Response{200, {}, std::to_string(number_) + " " + request.target};
    }
    base::Result<void> Stream(const http::Request& request, const http::CallOptions& options,
                              http::BodySink& sink) override {
      auto response = Send(request, options);
      if (!response) return tl::unexpected(response.error());
      return sink.OnData(response->body);
    }

   private:
    ReloadingTransportTest& test_;
    const int number_;
  };

  static ClusterConfig Config(std::string prefix = "") {
    ClusterConfig config;
    config.server = {true, "api", 443, std::move(prefix)};
    config.ca.file = "/ca";
    return config;
  }
  std::unique_ptr<ReloadingTransport> Make(const ClusterConfig& config) {
    return std::make_unique<ReloadingTransport>(
        config, clock_, base::NullLogger(),
        [this](const ClusterConfig&, const http::TlsSettings& tls,
               const http::CallOptions&) -> base::Result<std::unique_ptr<http::Transport>> {
          if (connect_failure_) return tl::unexpected(*connect_failure_);
          ca_ = tls.ca_pem;
          return std::make_unique<Numbered>(*this, ++made_);
        },
        [this](const std::string& path) -> base::Result<std::string> {
          ++reads_;
          if (file_) return *file_;
          return base::Fail(base::ErrorKind::kNotFound, "cannot read " + path);
        });
  }
  std::string Call(base::Duration time = 5s) {
    auto response =
        transport_->Send({.target = "/x"}, {.deadline = clock_.Now() + time, .stop = {}});
    return response ? response->body : "error: " + response.error().message;
  }

  base::ManualClock clock_;
  std::optional<std::string> file_ = "CA1";
  std::optional<base::Error> failure_, connect_failure_;
  std::string ca_;
  base::Duration takes_{};
  int made_ = 0, ended_ = 0, reads_ = 0;
  std::unique_ptr<ReloadingTransport> transport_ = Make(Config());
  const base::Error refused_{.kind = base::ErrorKind::kRetry, .message = "connection refused"};
};

TEST_F(ReloadingTransportTest, NothingIsMadeBeforeTheFirstCall) {
  EXPECT_EQ(made_, 0);
  EXPECT_EQ(Call(), "1 /x");
  EXPECT_EQ(Call(), "1 /x");
  EXPECT_EQ(reads_, 1);
}

TEST_F(ReloadingTransportTest, AChangedFileMakesANewTransportWithinAMinute) {
  Call();
  file_ = "CA2";
  clock_.Advance(59s);
  EXPECT_EQ(Call(), "1 /x");
  clock_.Advance(1s);
  EXPECT_EQ(Call(), "2 /x");
  EXPECT_EQ(ca_, "CA2");
  EXPECT_EQ(ended_, 1);
}

TEST_F(ReloadingTransportTest, AnUnchangedFileDoesNot) {
  Call();
  clock_.Advance(10min);
  EXPECT_EQ(Call(), "1 /x");
  EXPECT_EQ(reads_, 2);
}

TEST_F(ReloadingTransportTest, AFileThatCannotBeReadLeavesTheOldTransport) {
  Call();
  file_.reset();
  clock_.Advance(1min);
  EXPECT_EQ(Call(), "1 /x");
  file_ = "CA2";
  clock_.Advance(1min);
  EXPECT_EQ(Call(), "2 /x");
}

TEST_F(ReloadingTransportTest, TheFirstCallFailsWithTheReadersWords) {
  file_.reset();
  EXPECT_EQ(Call(), "error: certificate authority: cannot read /ca");
  file_ = "CA1";
  EXPECT_EQ(Call(), "1 /x");
}

TEST_F(ReloadingTransportTest, AfterACallThatCouldNotConnectTheAddressIsLookedUpAgain) {
  Call();
  failure_ = refused_;
  EXPECT_EQ(Call(), "error: connection refused");
  failure_.reset();
  EXPECT_EQ(Call(), "1 /x") << "not more often than every ten seconds";
  clock_.Advance(10s);
  EXPECT_EQ(Call(), "2 /x");
  EXPECT_EQ(Call(), "2 /x");
}

TEST_F(ReloadingTransportTest, ALookUpThatFailsLeavesTheOldTransport) {
  Call();
  failure_ = refused_;
  Call();
  failure_.reset();
  connect_failure_ = refused_;
  clock_.Advance(10s);
  EXPECT_EQ(Call(), "1 /x");
}

TEST_F(ReloadingTransportTest, OtherFailuresAreNoReason) {
  Call();
  for (const base::Error& error :
       {base::Error{
            .kind = base::ErrorKind::kRetry, .message = "reset", .sent = base::Sent::kMaybe},
        base::Error{.kind = base::ErrorKind::kCancelled, .message = "stop"}}) {
    failure_ = error;
    Call();
    failure_.reset();
    clock_.Advance(10s);
    EXPECT_EQ(Call(), "1 /x");
  }
}

TEST_F(ReloadingTransportTest, ACallThatHadNoTimeSaysNothingOfTheAddress) {
  Call();
  for (const base::Duration time : {-1ms, 0ms, 249ms}) {
    failure_ = base::Error{.kind = base::ErrorKind::kRetry, .message = "the deadline passed"};
    Call(time);
    http::CallOptions late{.deadline = clock_.Now() + time, .stop = {}};
    struct Nowhere final : http::BodySink {
      base::Result<void> OnHead(const http::ResponseHead&) override { return {}; }
      base::Result<void> OnData(std::string_view) override { return {}; }
    } sink;
    EXPECT_FALSE(transport_->Stream({}, late, sink));
    failure_.reset();
    clock_.Advance(10s);
    EXPECT_EQ(Call(), "1 /x");
  }
}

// An address that swallows everything is known by calls that end with their time.
TEST_F(ReloadingTransportTest, AConnectionThatTookAllTheTimeOfACallIsAReason) {
  Call();
  failure_ = base::Error{.kind = base::ErrorKind::kRetry, .message = "the deadline passed"};
  takes_ = 500ms;
  Call(500ms);
  failure_.reset();
  clock_.Advance(10s);
  EXPECT_EQ(Call(), "2 /x");
}

TEST_F(ReloadingTransportTest, AddsTheServersPathPrefix) {
  transport_ = Make(Config("/k8s/clusters/c"));
  EXPECT_EQ(Call(), "1 /k8s/clusters/c/x");
}

TEST_F(ReloadingTransportTest, ManyThreadsShareOneTransport) {
  std::vector<std::jthread> threads;
  threads.reserve(8);
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([this] {
      for (int n = 0; n < 50; ++n) EXPECT_EQ(Call(), "1 /x");
    });
  }
  threads.clear();
  EXPECT_EQ(made_, 1);
}

}  // namespace
}  // namespace rabbit::kube
