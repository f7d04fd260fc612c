#include "base/hash.h"

#include <gtest/gtest.h>

namespace rabbit::base {
namespace {

TEST(Sha256, KnowsTheVectorsOfFips180) {
  EXPECT_EQ(Sha256Hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Sha256("abc").size(), 32U);
}

TEST(Hash64, IsTheStartOfTheDigest) {
  EXPECT_EQ(Hash64("abc"), 0xba7816bf8f01cfeaU);
  EXPECT_EQ(ShortHash("abc"), "ba7816bf8f01cf");
}

TEST(Base64, KnowsTheVectorsOfRfc4648) {
  const std::pair<std::string_view, std::string_view> vectors[] = {{"", ""},
                                                                   {"f", "Zg=="},
                                                                   {"fo", "Zm8="},
                                                                   {"foo", "Zm9v"},
                                                                   {"foob", "Zm9vYg=="},
                                                                   {"fooba", "Zm9vYmE="},
                                                                   {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : vectors) {
    EXPECT_EQ(Base64Encode(bytes), text);
    EXPECT_EQ(Base64Decode(text).value_or("failed"), bytes);
  }
}

TEST(Base64, CarriesEveryByte) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  EXPECT_EQ(Base64Decode(Base64Encode(bytes)).value_or("failed"), bytes);
}

TEST(Base64Decode, RefusesWhatIsNotExactlyOneEncoding) {
  for (const std::string_view bad : {"Zg", "Zg=", "Zg===", "=", "====", "Z===", "Zm9v\n", "Zm 9",
                                     "Zm9-", "Zh==", "Zm9=", "=m9v", "Zg==Zg=="}) {
    const auto decoded = Base64Decode(bad);
    ASSERT_FALSE(decoded) << bad;
    EXPECT_EQ(decoded.error().kind, ErrorKind::kInvalid);
  }
}

TEST(Base64Decode, DoesNotQuoteTheInputInItsError) {
  EXPECT_EQ(Base64Decode("hunter2!").error().message, "not base64 at byte 7");
}

}  // namespace
}  // namespace rabbit::base
