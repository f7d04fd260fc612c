#include "kube/list_scanner.h"

#include <gtest/gtest.h>

#include <vector>

namespace rabbit::kube {
namespace {

struct Page {
  std::vector<std::string> items;
  std::string version, token, error;
};

Page Scan(const std::vector<std::string_view>& pieces, std::size_t max_item = 1000) {
  Page page;
  ListScanner scanner(
      [&page](std::string_view text) -> base::Result<void> {
        page.items.emplace_back(text);
        return {};
      },
      max_item);
  for (const std::string_view piece : pieces) {
    if (auto result = scanner.Feed(piece); !result) {
      page.error = result.error().message;
      return page;
    }
  }
  if (auto result = scanner.Finish(); !result) page.error = result.error().message;
  page.version = scanner.resource_version();
  page.token = scanner.continue_token();
  return page;
}

constexpr std::string_view kPage =
    R"({"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"39","continue":"x=="},)"
    R"( "items" : [ {"metadata":{"name":"a,]}\""}}, {"b":[1,2]} ,{}] })"
    "\n";

TEST(ListScannerTest, HandsOutItemsAndMetadata) {
  const Page page = Scan({kPage});
  EXPECT_EQ(page.error, "");
  EXPECT_EQ(page.items, (std::vector<std::string>{R"({"metadata":{"name":"a,]}\""}})",
                                                  R"({"b":[1,2]})", "{}"}));
  EXPECT_EQ(page.version, "39");
  EXPECT_EQ(page.token, "x==");
}

TEST(ListScannerTest, APageMayBeCutAtEveryByte) {
  const Page whole = Scan({kPage});
  for (std::size_t cut = 0; cut <= kPage.size(); ++cut) {
    const Page page = Scan({kPage.substr(0, cut), kPage.substr(cut)});
    EXPECT_EQ(page.error, "") << cut;
    EXPECT_EQ(page.items, whole.items) << cut;
    EXPECT_EQ(page.version, "39") << cut;
    EXPECT_EQ(page.token, "x==") << cut;
  }
}

TEST(ListScannerTest, APageMayComeByteByByte) {
  std::vector<std::string_view> bytes;
  for (std::size_t i = 0; i < kPage.size(); ++i) bytes.push_back(kPage.substr(i, 1));
  EXPECT_EQ(Scan(bytes).items, Scan({kPage}).items);
}

TEST(ListScannerTest, NoPrefixOfAPageIsAPage) {
  for (std::size_t size = 0; size + 2 < kPage.size(); ++size) {  // without brace and newline
    EXPECT_EQ(Scan({kPage.substr(0, size)}).error, "the list was cut off") << size;
  }
}

TEST(ListScannerTest, MetadataMayComeAfterTheItems) {
  const Page page = Scan({R"({"items":[{"a":1}],"metadata":{"resourceVersion":"7"}})"});
  EXPECT_EQ(page.items.size(), 1U);
  EXPECT_EQ(page.version, "7");
  EXPECT_EQ(page.token, "");
}

TEST(ListScannerTest, AnEmptyListHasNoItems) {
  EXPECT_EQ(Scan({R"({"metadata":{"resourceVersion":"7"},"items":[]})"}).error, "");
  EXPECT_EQ(Scan({R"({"metadata":{"resourceVersion":"7"},"items":null})"}).error, "");
  EXPECT_EQ(Scan({R"({"items":null})"}).error, "");
}

TEST(ListScannerTest, OtherMembersAreSkippedWhateverTheyAre) {
  const Page page = Scan(
      {R"({"a":{"items":[{"no":1}]},"b":"items","c":-1.5,"d":true,"items":[{"yes":1}],"e":[[]]})"});
  EXPECT_EQ(page.error, "");
  EXPECT_EQ(page.items, (std::vector<std::string>{R"({"yes":1})"}));
}

TEST(ListScannerTest, RefusesWhatIsNoList) {
  for (const std::string_view bad :
       {"[]", "<html>", R"({"items":{}})", R"({"items":[1]})", R"({"items":[{}{}]})",
        R"({"items":[{},]})", R"({"items":[,{}]})", R"({"items":7})", R"({"items":nope})",
        R"({"a" 1})", R"({"a":,})", R"({"a":1,})", R"({"a":1}x)", R"({7:1})"}) {
    EXPECT_NE(Scan({bad}).error, "") << bad;
  }
}

TEST(ListScannerTest, AnItemIsBoundedAndAListIsNot) {
  std::string list = R"({"items":[{})";
  for (int i = 0; i < 1000; ++i) list += R"(,{"a":"0123456789"})";
  list += "]}";
  EXPECT_EQ(Scan({list}, 100).items.size(), 1001U);
  EXPECT_EQ(Scan({R"({"items":[{"a":")", std::string(50, 'x'), std::string(50, 'x')}, 100).error,
            "a list item is too large");
}

TEST(ListScannerTest, AnErrorOfAnItemEndsTheScan) {
  int seen = 0;
  ListScanner scanner([&seen](std::string_view) -> base::Result<void> {
    ++seen;
    return base::Fail(base::ErrorKind::kInvalid, "no");
  });
  EXPECT_FALSE(scanner.Feed(R"({"items":[{},{}]})"));
  EXPECT_EQ(seen, 1);
}

}  // namespace
}  // namespace rabbit::kube
