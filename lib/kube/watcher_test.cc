#include "kube/watcher.h"

#include <gtest/gtest.h>

#include "kube/credentials.h"
#include "test/fakes/scripted_transport.h"

namespace rabbit::kube {
namespace {

using namespace std::chrono_literals;

struct Thing {
  ObjectKey key;
  std::string color;
};

// {"metadata":{…},"color":"red"}; no color is an error.
base::Result<Thing> ParseThing(std::string_view json) {
  const auto color = FindMember(json, "color");
  if (!color) return base::Fail(base::ErrorKind::kInvalid, "no color");
  return Thing{ReadItem(json)->key, Unquote(*color).value_or("?")};
}

std::string Object(std::string_view name, std::string_view version, std::string_view color) {
  std::string text = R"({"metadata":{"name":")";
  text.append(name).append(R"(","resourceVersion":")").append(version).append(R"("})");
  if (!color.empty()) text.append(R"(,"color":")").append(color).append("\"");
  return text + "}";
}

std::string Line(std::string_view type, const std::string& object) {
  return R"({"type":")" + std::string(type) + R"(","object":)" + object + "}\n";
}

std::string List(std::string_view version, const std::vector<std::string>& objects,
                 std::string_view token = "") {
  std::string text = R"({"kind":"PodList","metadata":{"resourceVersion":")";
  text.append(version).append(R"(","continue":")").append(token).append(R"("},"items":[)");
  for (std::size_t i = 0; i < objects.size(); ++i)
    text.append(i == 0 ? "" : ",").append(objects[i]);
  return text + "]}\n";
}

std::string Bookmark(std::string_view version) { return Line("BOOKMARK", Object("", version, "")); }

constexpr const char* kExpired =
    R"({"kind":"Status","message":"too old","reason":"Expired","code":410})";

constexpr const char* kFirstList =
    "GET /api/v1/pods?labelSelector=a%3Db&limit=100&resourceVersion=0";

class WatcherTest : public testing::Test, public WatchObserver {
 protected:
  WatcherTest() {
    store_.AddHandler([this](const Store<Thing>::Change& change) {
      told_ += (change.after ? (change.before ? "~" : "+") : "-") + change.key.name + " ";
    });
  }

  // Makes the calls that are due now; stops before a wait, and when the script is over.
  void Run() {
    while (server_.left() > 0 && !watcher_.Step({})) {
    }
  }
  // Runs, and lets the time of every wait pass.
  void RunThroughWaits() {
    while (server_.left() > 0) {
      if (const auto until = watcher_.Step({})) {
        waits_.push_back(*until - clock_.Now());
        clock_.Advance(waits_.back());
      }
    }
  }
  fakes::ScriptedTransport::Call& ExpectList(std::string_view query) {
    return server_.Expect("GET /api/v1/pods?labelSelector=a%3Db" + std::string(query));
  }
  fakes::ScriptedTransport::Call& ExpectWatch(std::string_view version) {
    return server_.Expect(
        "GET /api/v1/pods?watch=true&allowWatchBookmarks=true&timeoutSeconds=*"
        "&labelSelector=a%3Db&resourceVersion=" +
        std::string(version));
  }
  // What the store holds, as "name=color ".
  std::string Stored() const {
    std::string text;
    for (const auto& value : store_.All()) text += value->key.name + "=" + value->color + " ";
    return text;
  }
  std::string Told() { return std::exchange(told_, ""); }
  std::string Trouble() const {
    const auto trouble = watcher_.Trouble();
    return trouble ? trouble->message : "";
  }

  void OnList(const ResourceType&, std::size_t objects) override {
    counts_ += "list:" + std::to_string(objects) + " ";
  }
  void OnWatchEvent(const ResourceType&) override { ++events_; }
  void OnTrouble(const ResourceType&, base::ErrorKind kind) override {
    counts_ += std::string(base::Name(kind)) + " ";
  }
  void OnBadObject(const ResourceType&) override { counts_ += "bad "; }

  base::ManualClock clock_;
  base::SequenceRandom random_;
  fakes::ScriptedTransport server_;
  StaticCredentials credentials_;
  Client client_{server_, credentials_, nullptr};
  Store<Thing> store_;
  StoreFeed<Thing> feed_{store_, ParseThing};
  Watcher watcher_{
      client_, clock_, random_, base::NullLogger(), this, {kPods, {.label_selector = "a=b"}},
      feed_};
  std::string told_, counts_;
  int events_ = 0;
  std::vector<base::Duration> waits_;
};

TEST_F(WatcherTest, ListsThenFollowsTheWatch) {
  server_.Expect(kFirstList)
      .Answer(200, List("5", {Object("a", "1", "red"), Object("b", "2", "red")}));
  ExpectWatch("5")
      .Open()
      .Do([this] { EXPECT_TRUE(store_.HasSynced()); })
      .Send(Line("ADDED", Object("c", "6", "blue")))
      .Send(Line("MODIFIED", Object("a", "7", "green")))
      .Send(Line("DELETED", Object("b", "8", "red")));
  Run();
  EXPECT_EQ(Stored(), "a=green c=blue ");
  EXPECT_EQ(Told(), "+a +b +c ~a -b ");
  EXPECT_EQ(counts_, "list:2 ");
  EXPECT_EQ(events_, 3);
}

TEST_F(WatcherTest, AStreamMayBeCutAtEveryByte) {
  server_.Expect(kFirstList)
      .Answer(200, List("5", {Object("a", "1", "red"), Object("b", "2", "red")}))
      .CutEvery(1);
  ExpectWatch("5")
      .Open()
      .Send(Line("MODIFIED", Object("a", "7", "green")) + Bookmark("9") +
            Line("DELETED", Object("b", "10", "red")))
      .CutEvery(1);
  ExpectWatch("10").Open();
  Run();
  EXPECT_EQ(Stored(), "a=green ");
}

TEST_F(WatcherTest, WhatABrokenConnectionCutIsToldByTheNextWatch) {
  const std::string events =
      Line("ADDED", Object("a", "6", "red")) + Line("MODIFIED", Object("a", "7", "green"));
  for (std::size_t cut = 0; cut <= events.size(); ++cut) {
    SCOPED_TRACE(cut);
    Store<Thing> store;
    StoreFeed<Thing> feed(store, ParseThing);
    fakes::ScriptedTransport server;
    Client client(server, credentials_, nullptr);
    Watcher watcher(client, clock_, random_, base::NullLogger(), nullptr, {kPods, {}}, feed);
    const std::string first = events.substr(0, events.find('\n') + 1);
    const std::string version = cut < first.size() ? "5" : cut < events.size() ? "6" : "7";
    server.Expect("GET /api/v1/pods?limit=100&resourceVersion=0").Answer(200, List("5", {}));
    server.Expect("GET *resourceVersion=5")
        .Open()
        .Send(events.substr(0, cut))
        .Do([this] { clock_.Advance(2s); })
        .Cut();
    server.Expect("GET *watch=true*resourceVersion=" + version)
        .Open()
        .Send(version == "5"   ? events
              : version == "6" ? events.substr(first.size())
                               : Bookmark("8"));
    while (server.left() > 0) ASSERT_FALSE(watcher.Step({}));
    ASSERT_EQ(store.All().size(), 1U);
    EXPECT_EQ(store.All()[0]->color, "green");
  }
}

TEST_F(WatcherTest, PagesBecomeOneList) {
  server_.Expect(kFirstList).Answer(200, List("5", {Object("a", "1", "red")}, "t/1"));
  ExpectList("&limit=100&continue=t%2F1")
      .Answer(200, List("5", {Object("b", "2", "red")}))
      .Do([this] { EXPECT_EQ(Stored(), "") << "half of a list"; });
  Run();
  EXPECT_EQ(Stored(), "a=red b=red ");
}

TEST_F(WatcherTest, ABookmarkMovesTheVersion) {
  server_.Expect(kFirstList).Answer(200, List("5", {}));
  ExpectWatch("5").Open().Send(Bookmark("50"));
  ExpectWatch("50").Open();
  Run();
  EXPECT_EQ(Told(), "");
}

TEST_F(WatcherTest, A410InTheStreamRelistsAndTellsWhatWasMissed) {
  server_.Expect(kFirstList)
      .Answer(200, List("5", {Object("a", "1", "red"), Object("b", "2", "red")}));
  ExpectWatch("5").Open().Send(Line("ERROR", kExpired));
  ExpectList("&resourceVersion=5")
      .Answer(200, List("9", {Object("a", "8", "green"), Object("c", "9", "red")}));
  ExpectWatch("9").Open();
  RunThroughWaits();
  EXPECT_EQ(Stored(), "a=green c=red ");
  EXPECT_EQ(Told(), "+a +b ~a +c -b ");
}

TEST_F(WatcherTest, A410AsHttpStatusRelists) {
  server_.Expect(kFirstList).Answer(200, List("5", {Object("a", "1", "red")}));
  ExpectWatch("5").Answer(410, kExpired);
  ExpectList("&resourceVersion=5").Answer(200, List("9", {}));
  RunThroughWaits();
  EXPECT_EQ(Told(), "+a -a ");
}

TEST_F(WatcherTest, A429OnAWatchWaitsAsLongAsToldAndDoesNotRelist) {
  server_.Expect(kFirstList).Answer(200, List("5", {Object("a", "1", "red")}));
  ExpectWatch("5").Answer(429, "slow down", {{"Retry-After", "9"}});
  ExpectWatch("5").Open().Send(Line("DELETED", Object("a", "6", "red")));
  RunThroughWaits();
  EXPECT_EQ(waits_, (std::vector<base::Duration>{9s}));
  EXPECT_EQ(Told(), "+a -a ");
  EXPECT_EQ(counts_, "list:1 Throttled ");
}

TEST_F(WatcherTest, A500IsRetriedThenRelists) {
  server_.Expect(kFirstList).Answer(200, List("5", {}));
  for (int i = 0; i < 4; ++i) ExpectWatch("5").Answer(500, "boom");
  ExpectList("&resourceVersion=5").Answer(200, List("6", {}));
  RunThroughWaits();
  EXPECT_EQ(waits_.size(), 4U);
}

TEST_F(WatcherTest, AVersionTooLargeListsTheLatest) {
  server_.Expect(kFirstList)
      .Answer(
          504,
          R"({"reason":"Timeout","details":{"causes":[{"reason":"ResourceVersionTooLarge"}]}})");
  ExpectList("&limit=100").Answer(200, List("5", {Object("a", "1", "red")}));
  Run();
  EXPECT_EQ(Stored(), "a=red ");
}

TEST_F(WatcherTest, AFailedListChangesNothing) {
  server_.Expect(kFirstList).Answer(200, List("5", {Object("a", "1", "red")}));
  ExpectWatch("5").Answer(410, kExpired);
  ExpectList("&resourceVersion=5")
      .Open()
      .Send(R"({"metadata":{"resourceVersion":"9"},"items":[)")
      .Cut();
  ExpectList("&resourceVersion=5")
      .Open()
      .Send(R"({"metadata":{"resourceVersion":"9"},"items":[)")
      .End();
  ExpectList("&resourceVersion=5").Answer(403, "no");
  RunThroughWaits();
  EXPECT_EQ(Stored(), "a=red ");
  EXPECT_EQ(Told(), "+a ");
  EXPECT_TRUE(store_.HasSynced());
}

TEST_F(WatcherTest, TroubleIsToldUntilACallGoesWell) {
  server_.Expect(kFirstList).Answer(403, R"({"message":"pods is forbidden","reason":"Forbidden"})");
  Run();
  EXPECT_EQ(Trouble(), "list pods: 403 Forbidden: pods is forbidden");
  EXPECT_FALSE(store_.HasSynced());
  server_.Expect(kFirstList).Answer(200, List("5", {}));
  RunThroughWaits();
  EXPECT_EQ(Trouble(), "");
}

TEST_F(WatcherTest, AWatchThatCannotConnectIsTrouble) {
  server_.Expect(kFirstList).Answer(200, List("5", {}));
  ExpectWatch("5").Refuse();
  Run();
  EXPECT_EQ(Trouble(), "watch pods: connection refused");
  ExpectWatch("5").Open().Do([this] { EXPECT_EQ(Trouble(), ""); });
  RunThroughWaits();
}

TEST_F(WatcherTest, TroubleLastsFromItsFirstCallUntilOneGoesWell) {
  server_.Expect(kFirstList).Refuse();
  Run();
  EXPECT_TRUE(watcher_.LastingTrouble(0s));
  clock_.Advance(6s);
  server_.Expect(kFirstList).Refuse();
  Run();  // each failure is the newest, not the first
  clock_.Advance(4s);
  EXPECT_TRUE(watcher_.LastingTrouble(10s));
  EXPECT_FALSE(watcher_.LastingTrouble(11s));

  clock_.Advance(1min);
  server_.Expect(kFirstList).Answer(200, List("5", {}));
  Run();
  EXPECT_FALSE(watcher_.LastingTrouble(0s));
  ExpectWatch("5").Refuse();
  Run();
  clock_.Advance(9s);
  EXPECT_FALSE(watcher_.LastingTrouble(10s)) << "that one was another";
}

TEST_F(WatcherTest, AnObjectThatIsNotUnderstoodKeepsItsStateAndTheWatchGoesOn) {
  server_.Expect(kFirstList)
      .Answer(200, List("5", {Object("a", "1", "red"), Object("x", "2", "")}));
  ExpectWatch("5")
      .Open()
      .Send(Line("MODIFIED", Object("a", "6", "")))
      .Send(Line("ADDED", Object("b", "7", "blue")));
  ExpectWatch("7").Open();
  Run();
  EXPECT_EQ(Stored(), "a=red b=blue ");
  EXPECT_EQ(counts_, "bad list:2 bad ");
}

TEST_F(WatcherTest, UnknownEventTypesAreSkipped) {
  server_.Expect(kFirstList).Answer(200, List("5", {}));
  ExpectWatch("5")
      .Open()
      .Send(Line("SPARKLE", R"({"x":1})"))
      .Send(Line("ADDED", Object("a", "6", "red")));
  Run();
  EXPECT_EQ(Stored(), "a=red ");
}

TEST_F(WatcherTest, ALineThatIsNoEventRelists) {
  for (const char* bad :
       {"{\"type\":\n", "nonsense\n", "{}\n", "{\"type\":\"ADDED\",\"object\":{}}\n"}) {
    Store<Thing> store;
    StoreFeed<Thing> feed(store, ParseThing);
    Watcher watcher(client_, clock_, random_, base::NullLogger(), nullptr, {kPods, {}}, feed);
    server_.Expect("GET *resourceVersion=0").Answer(200, List("5", {}));
    server_.Expect("GET *watch=true*").Open().Send(bad);
    server_.Expect("GET /api/v1/pods?resourceVersion=5").Answer(200, List("5", {}));
    while (server_.left() > 0) {
      if (const auto until = watcher.Step({})) clock_.Advance(*until - clock_.Now());
    }
  }
}

TEST_F(WatcherTest, UnchangedObjectsAreNotParsedAgainByARelist) {
  int parsed = 0;
  Store<Thing> store;
  StoreFeed<Thing> feed(store, [&parsed](std::string_view json) {
    ++parsed;
    return ParseThing(json);
  });
  Watcher watcher(client_, clock_, random_, base::NullLogger(), nullptr, {kPods, {}}, feed);
  server_.Expect("GET *").Answer(200,
                                 List("5", {Object("a", "1", "red"), Object("b", "2", "red")}));
  server_.Expect("GET *").Answer(410, kExpired);
  server_.Expect("GET *").Answer(200,
                                 List("9", {Object("a", "1", "red"), Object("b", "9", "blue")}));
  while (server_.left() > 0) {
    if (const auto until = watcher.Step({})) clock_.Advance(*until - clock_.Now());
  }
  EXPECT_EQ(parsed, 3);
}

TEST_F(WatcherTest, EveryCallHasItsDeadline) {
  server_.Expect(kFirstList).Answer(200, List("5", {}));
  ExpectWatch("5").Open().Hold();
  const auto start = clock_.Now();
  std::stop_source stopped;
  watcher_.Step({});
  stopped.request_stop();
  watcher_.Step(stopped.get_token());
  EXPECT_EQ(server_.seen()[0].deadline, start + 60s);
  EXPECT_GE(server_.seen()[1].deadline, start + 310s);
  EXPECT_LE(server_.seen()[1].deadline, start + 610s);
}

TEST_F(WatcherTest, TheThreadListsWatchesAndEndsAtAStop) {
  base::Mutex mutex;
  base::CondVar opened;
  bool open = false;
  server_.Expect(kFirstList).Answer(200, List("5", {Object("a", "1", "red")}));
  ExpectWatch("5")
      .Open()
      .Do([&] {
        base::MutexLock lock(mutex);
        open = true;
        opened.NotifyAll();
      })
      .Hold();
  watcher_.Start();
  {
    const auto until = base::RealClock().Now() + 10s;
    base::MutexLock lock(mutex);
    while (!open && base::RealClock().Now() < until) opened.WaitUntil(mutex, until);
    EXPECT_TRUE(open);
  }
  watcher_.Stop();
  watcher_.Stop();
  EXPECT_EQ(Stored(), "a=red ");
  EXPECT_EQ(Trouble(), "");
}

TEST_F(WatcherTest, AStopEndsABackOff) {
  base::RealClock clock;
  Watcher watcher(client_, clock, random_, base::NullLogger(), nullptr, {kPods, {}}, feed_,
                  {.first_backoff = 1h, .longest_backoff = 1h});
  server_.Expect("GET *").Refuse();
  watcher.Start();
  const auto until = clock.Now() + 10s;
  while (server_.left() > 0 && clock.Now() < until) std::this_thread::yield();
  watcher.Stop();
  EXPECT_LT(clock.Now(), until);
}

}  // namespace
}  // namespace rabbit::kube
