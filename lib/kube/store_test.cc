#include "kube/store.h"

#include <gtest/gtest.h>

#include <thread>

namespace rabbit::kube {
namespace {

struct Thing {
  std::string text;
  std::string owner;
};

std::string Text(const std::shared_ptr<const Thing>& thing) { return thing ? thing->text : "-"; }

class StoreTest : public testing::Test {
 protected:
  StoreTest() {
    store_.AddHandler([this](const Store<Thing>::Change& change) {
      told_ += change.key.ToString() + ":" + Text(change.before) + ">" + Text(change.after) + " ";
      // Updated before told.
      EXPECT_EQ(store_.Get(change.key), change.after);
    });
  }
  static std::shared_ptr<const Thing> Make(std::string text, std::string owner = "") {
    return std::make_shared<const Thing>(Thing{std::move(text), std::move(owner)});
  }
  // "a=1" is object a with resourceVersion and text 1; "a=?" is one that was not understood.
  void Reset(const std::vector<std::string>& objects) {
    std::vector<Store<Thing>::Listed> list;
    for (const std::string& object : objects) {
      const std::string text = object.substr(2);
      list.push_back({{"", object.substr(0, 1)}, text, text == "?" ? nullptr : Make(text)});
    }
    store_.Reset(std::move(list));
  }
  std::string All() const {
    std::string all;
    for (const auto& value : store_.All()) all += value->text + " ";
    return all;
  }
  std::string Told() { return std::exchange(told_, ""); }
  std::string Owned(const std::string& owner) const {
    std::string all;
    for (const auto& value : store_.Indexed(owner)) all += value->text + " ";
    return all;
  }

  Store<Thing> store_{[](const Thing& thing) { return thing.owner; }};
  std::string told_;
};

TEST_F(StoreTest, TellsOfWhatIsAddedChangedAndDeleted) {
  store_.Put({"ns", "a"}, "1", Make("x"));
  EXPECT_EQ(Told(), "ns/a:->x ");
  store_.Put({"ns", "a"}, "2", Make("y"));
  EXPECT_EQ(Told(), "ns/a:x>y ");
  store_.Remove({"ns", "a"});
  EXPECT_EQ(Told(), "ns/a:y>- ");
  EXPECT_EQ(store_.Get({"ns", "a"}), nullptr);
}

TEST_F(StoreTest, TheSameVersionAgainIsNotTold) {
  store_.Put({"", "a"}, "1", Make("x"));
  Told();
  store_.Put({"", "a"}, "1", Make("x"));
  EXPECT_EQ(Told(), "");
}

TEST_F(StoreTest, RemovingWhatIsNotThereIsNotTold) {
  store_.Remove({"", "a"});
  EXPECT_EQ(Told(), "");
}

TEST_F(StoreTest, ARelistTellsTheDifferencesOnly) {
  Reset({"a=1", "b=1", "c=1"});
  EXPECT_EQ(Told(), "a:->1 b:->1 c:->1 ");
  Reset({"a=1", "c=2", "d=1"});
  EXPECT_EQ(Told(), "c:1>2 d:->1 b:1>- ");
  EXPECT_EQ(All(), "1 2 1 ");
}

TEST_F(StoreTest, AnObjectThatIsMissingAfterARelistIsDeletedWithItsLastState) {
  Reset({"a=1"});
  store_.Put({"", "a"}, "2", Make("last"));
  Told();
  Reset({});
  EXPECT_EQ(Told(), "a:last>- ");
}

TEST_F(StoreTest, AnObjectThatIsNotUnderstoodKeepsItsLastState) {
  Reset({"a=1"});
  Told();
  Reset({"a=?", "b=?"});
  EXPECT_EQ(Told(), "");
  EXPECT_EQ(All(), "1 ");
}

TEST_F(StoreTest, UnchangedValuesAreTheSameValuesAfterARelist) {
  Reset({"a=1"});
  const auto before = store_.Get({"", "a"});
  Reset({"a=1"});
  EXPECT_EQ(store_.Get({"", "a"}), before);
}

TEST_F(StoreTest, HasSyncedOnlyAfterEveryHandlerSawTheFirstList) {
  EXPECT_FALSE(store_.HasSynced());
  bool synced_in_handler = true;
  store_.AddHandler([&](const auto&) { synced_in_handler = store_.HasSynced(); });
  Reset({"a=1"});
  EXPECT_FALSE(synced_in_handler);
  EXPECT_TRUE(store_.HasSynced());
}

TEST_F(StoreTest, AnEmptyListSyncsToo) {
  Reset({});
  EXPECT_TRUE(store_.HasSynced());
}

TEST_F(StoreTest, TheIndexFollowsEveryChange) {
  store_.Put({"", "a"}, "1", Make("x", "left"));
  store_.Put({"", "b"}, "1", Make("y", "left"));
  store_.Put({"", "c"}, "1", Make("z", ""));
  EXPECT_EQ(Owned("left"), "x y ");
  store_.Put({"", "a"}, "2", Make("x", "right"));
  EXPECT_EQ(Owned("left"), "y ");
  EXPECT_EQ(Owned("right"), "x ");
  store_.Remove({"", "b"});
  EXPECT_EQ(Owned("left"), "");
  EXPECT_EQ(Owned(""), "");
  store_.Reset({});
  EXPECT_EQ(Owned("right"), "");
}

TEST_F(StoreTest, ASnapshotOutlivesItsObject) {
  store_.Put({"", "a"}, "1", Make("x"));
  const auto value = store_.Get({"", "a"});
  store_.Remove({"", "a"});
  EXPECT_EQ(value->text, "x");
}

TEST_F(StoreTest, ReadersNeverSeeHalfOfARelist) {
  Store<Thing> store;
  const auto fill = [&store](const std::string& text) {
    std::vector<Store<Thing>::Listed> list;
    for (const char* name : {"a", "b", "c", "d"}) list.push_back({{"", name}, text, Make(text)});
    store.Reset(std::move(list));
  };
  fill("0");
  std::jthread writer([&fill] {
    for (int i = 1; i < 500; ++i) fill(std::to_string(i));
  });
  for (int i = 0; i < 500; ++i) {
    const auto all = store.All();
    ASSERT_EQ(all.size(), 4U);
    EXPECT_EQ(all.front()->text, all.back()->text);
  }
}

}  // namespace
}  // namespace rabbit::kube
