#include "rabbitmq/array_scanner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rabbit::rabbitmq {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// The elements, or the error's text as only element; `cut` bytes at a time.
std::vector<std::string> Scan(std::string_view text, std::size_t cut, std::size_t most = 100) {
  std::vector<std::string> elements;
  ArrayScanner scanner(
      [&](std::string_view element) -> base::Result<void> {
        elements.emplace_back(element);
        return {};
      },
      most);
  for (std::size_t at = 0; at < text.size(); at += cut) {
    if (const auto fed = scanner.Feed(text.substr(at, cut)); !fed) return {fed.error().message};
  }
  if (const auto done = scanner.Finish(); !done) return {done.error().message};
  return elements;
}

TEST(ArrayScanner, FindsElementsHoweverTheTextIsCut) {
  constexpr std::string_view kText =
      " [ {\"a\":1} ,\n{\"b\":[{},[]],\"c\":\"]}{\\\"[\\\\\"},{}\r\n] \n";
  for (std::size_t cut = 1; cut <= kText.size(); ++cut) {
    EXPECT_THAT(Scan(kText, cut),
                ElementsAre("{\"a\":1}", "{\"b\":[{},[]],\"c\":\"]}{\\\"[\\\\\"}", "{}"))
        << cut;
  }
}

TEST(ArrayScanner, AnEmptyListHasNoElements) { EXPECT_THAT(Scan("[]", 1), ElementsAre()); }

TEST(ArrayScanner, ACutListIsAnErrorAtEveryByte) {
  constexpr std::string_view kText = "[{\"a\":1},{}]";
  for (std::size_t size = 0; size < kText.size(); ++size) {
    EXPECT_THAT(Scan(kText.substr(0, size), 1), ElementsAre(HasSubstr("ends in the middle")))
        << size;
  }
}

TEST(ArrayScanner, RefusesWhatIsNoListOfObjects) {
  for (const std::string_view text :
       {"{}", "<html>", "[1]", "[{},]", "[,]", "[{}{}]", "[{}]x", "[[]]", "null"}) {
    EXPECT_THAT(Scan(text, 1), ElementsAre(HasSubstr("not a list of objects"))) << text;
  }
}

TEST(ArrayScanner, BoundsAnElement) {
  EXPECT_THAT(Scan("[{\"a\":\"0123456789\"}]", 3, 10), ElementsAre(HasSubstr("longer than 10")));
}

TEST(ArrayScanner, AnErrorOfTheReaderEndsTheScan) {
  ArrayScanner scanner([](std::string_view) -> base::Result<void> {
    return base::Fail(base::ErrorKind::kInternal, "enough");
  });
  EXPECT_EQ(scanner.Feed("[{},{}]").error().message, "enough");
}

}  // namespace
}  // namespace rabbit::rabbitmq
