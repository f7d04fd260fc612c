#include "kube/frame_splitter.h"

#include <gtest/gtest.h>

#include <vector>

namespace rabbit::kube {
namespace {

class FrameSplitterTest : public testing::Test {
 protected:
  base::Result<void> Feed(std::string_view data) {
    return splitter_.Feed(data, [this](std::string_view line) -> base::Result<void> {
      lines_.emplace_back(line);
      if (line == "bad") return base::Fail(base::ErrorKind::kInvalid, "bad line");
      return {};
    });
  }
  FrameSplitter splitter_{10};
  std::vector<std::string> lines_;
};

using Lines = std::vector<std::string>;

TEST_F(FrameSplitterTest, SeveralLinesMayComeAtOnce) {
  EXPECT_TRUE(Feed("one\ntwo\n\nthree\n"));
  EXPECT_EQ(lines_, (Lines{"one", "two", "three"}));
}

TEST_F(FrameSplitterTest, ALineMayBeCutAtEveryByte) {
  constexpr std::string_view kStream = "{\"a\":1}\n{}\n{\"b\":2}\n";
  for (std::size_t first = 0; first <= kStream.size(); ++first) {
    for (std::size_t second = first; second <= kStream.size(); ++second) {
      lines_.clear();
      EXPECT_TRUE(Feed(kStream.substr(0, first)));
      EXPECT_TRUE(Feed(kStream.substr(first, second - first)));
      EXPECT_TRUE(Feed(kStream.substr(second)));
      EXPECT_EQ(lines_, (Lines{"{\"a\":1}", "{}", "{\"b\":2}"})) << first << " " << second;
    }
  }
}

TEST_F(FrameSplitterTest, ALastLineWithoutItsEndIsDropped) {
  EXPECT_TRUE(Feed("one\n{\"tw"));
  EXPECT_EQ(lines_, (Lines{"one"}));
}

TEST_F(FrameSplitterTest, ALineOfExactlyTheBoundIsFineAndALongerOneIsAnError) {
  EXPECT_TRUE(Feed("0123456789\n"));
  EXPECT_EQ(lines_.size(), 1U);
  EXPECT_TRUE(Feed("01234"));
  const auto result = Feed("567890");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, base::ErrorKind::kInternal);
}

TEST_F(FrameSplitterTest, AnErrorOfALineEndsTheCall) {
  const auto result = Feed("one\nbad\ntwo\n");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message, "bad line");
  EXPECT_EQ(lines_, (Lines{"one", "bad"}));
}

}  // namespace
}  // namespace rabbit::kube
