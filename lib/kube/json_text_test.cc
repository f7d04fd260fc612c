#include "kube/json_text.h"

#include <gtest/gtest.h>

namespace rabbit::kube {
namespace {

TEST(FindMemberTest, ReturnsTheTextOfTheValue) {
  constexpr std::string_view kObject =
      R"( { "a" : "x}\"," , "b":[1,{"c":"]"}], "c":{"a":2} ,"d":-1.5e3,"e":null} )";
  EXPECT_EQ(FindMember(kObject, "a"), R"("x}\",")");
  EXPECT_EQ(FindMember(kObject, "b"), R"([1,{"c":"]"}])");
  EXPECT_EQ(FindMember(kObject, "c"), R"({"a":2})");
  EXPECT_EQ(FindMember(kObject, "d"), "-1.5e3");
  EXPECT_EQ(FindMember(kObject, "e"), "null");
  EXPECT_EQ(FindMember(kObject, "f"), std::nullopt);
  EXPECT_EQ(FindMember("{}", "a"), std::nullopt);
}

TEST(MembersTest, EveryPrefixOfAnObjectIsMalformed) {
  constexpr std::string_view kObject = R"({"a":{"b":["c\"",1]},"d":"e"})";
  for (std::size_t size = 0; size < kObject.size(); ++size) {
    Members members(kObject.substr(0, size));
    while (members.Next()) {
    }
    EXPECT_TRUE(members.malformed()) << kObject.substr(0, size);
  }
}

TEST(MembersTest, StopsAtWhatIsNoObject) {
  for (const std::string_view bad : {"", "[]", "7", "{,}", R"({"a"})", R"({"a":})",
                                     R"({"a":1 "b":2})", R"({a:1})", R"({"a":1,})"}) {
    Members members(bad);
    while (members.Next()) {
    }
    EXPECT_TRUE(members.malformed()) << bad;
  }
}

TEST(UnquoteTest, ResolvesEscapes) {
  EXPECT_EQ(Unquote(R"("plain")"), "plain");
  EXPECT_EQ(Unquote(R"("\"\\\/\b\f\n\r\t")"), "\"\\/\b\f\n\r\t");
  EXPECT_EQ(Unquote(R"("\u0041\u00e9\u20ac\ud83d\ude00")"), "Aé€😀");
  EXPECT_EQ(Unquote(R"("\ud83d")"), "\xEF\xBF\xBD");  // half a pair
}

TEST(UnquoteTest, RefusesWhatIsNoString) {
  for (const std::string_view bad : {"", "7", "\"", R"("\u12")", R"("\x")", R"("\)", R"("\")"}) {
    EXPECT_EQ(Unquote(bad), std::nullopt) << bad;
  }
}

TEST(QuoteTest, IsUndoneByUnquote) {
  const std::string text = std::string("a\"b\\c\nd\x01") + "é" + std::string(1, '\0');
  EXPECT_EQ(Unquote(Quote(text)), text);
}

std::string TextOf(std::string_view object) {
  const auto item = ReadItem(object);
  return item ? item->text : item.error().message;
}

TEST(ReadItemTest, KnowsWhichObjectItIs) {
  const auto item = ReadItem(
      R"({"kind":"Pod","metadata":{"name":"a","namespace":"ns","resourceVersion":"5","x":1},"spec":{}})");
  ASSERT_TRUE(item);
  EXPECT_EQ(item->key, (ObjectKey{"ns", "a"}));
  EXPECT_EQ(item->resource_version, "5");
}

TEST(ReadItemTest, CutsManagedFieldsOutWhereverTheyStand) {
  EXPECT_EQ(TextOf(R"({"metadata":{"name":"a","managedFields":[{"f:a":{}}]},"s":1})"),
            R"({"metadata":{"name":"a"},"s":1})");
  EXPECT_EQ(TextOf(R"({"metadata":{"managedFields":[{"x":"]"}], "name":"a"},"s":1})"),
            R"({"metadata":{"name":"a"},"s":1})");
  EXPECT_EQ(TextOf(R"({"metadata":{"name":"a", "managedFields":[] , "b":2},"s":1})"),
            R"({"metadata":{"name":"a" , "b":2},"s":1})");
  EXPECT_EQ(TextOf(R"({"s":1,"metadata":{"name":"a"}})"), R"({"s":1,"metadata":{"name":"a"}})");
}

TEST(ReadItemTest, ManagedFieldsElsewhereStay) {
  constexpr std::string_view kText = R"({"metadata":{"name":"a"},"spec":{"managedFields":[1]}})";
  EXPECT_EQ(TextOf(kText), kText);
}

TEST(ReadItemTest, RefusesWhatHasNoName) {
  for (const std::string_view bad : {"", "{}", R"({"metadata":{}})", R"({"metadata":{"name":5}})",
                                     R"({"metadata":{"name":"a")"}) {
    EXPECT_FALSE(ReadItem(bad)) << bad;
  }
}

}  // namespace
}  // namespace rabbit::kube
