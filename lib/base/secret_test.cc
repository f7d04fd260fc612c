#include "base/secret.h"

#include <gtest/gtest.h>

#include <cstring>
#include <new>
#include <sstream>
#include <type_traits>
#include <utility>

namespace rabbit::base {
namespace {

template <typename T>
concept Streams = requires(std::ostream& out, const T& value) { out << value; };

static_assert(!Streams<Secret>);
static_assert(!std::is_convertible_v<Secret, std::string>);
static_assert(!std::is_convertible_v<Secret, std::string_view>);
static_assert(!std::is_convertible_v<std::string, Secret>);

TEST(Secret, ComparesByValue) {
  EXPECT_EQ(Secret("a"), Secret("a"));
  EXPECT_NE(Secret("a"), Secret("b"));
  EXPECT_NE(Secret("a"), Secret("ab"));
  EXPECT_EQ(Secret(), Secret(""));
}

TEST(Secret, PrintsAsADigestThatTellsValuesApart) {
  EXPECT_EQ(Secret("hunter2").Digest(), Secret("hunter2").Digest());
  EXPECT_NE(Secret("hunter2").Digest(), Secret("hunter3").Digest());
  EXPECT_EQ(Secret("hunter2").Digest().size(), std::strlen("secret:01234567"));
}

TEST(Secret, IsPrintedByAFailedTestAsItsDigest) {
  const Secret secret("hunter2");
  EXPECT_EQ(testing::PrintToString(secret), secret.Digest());
}

// Looks at the storage after the Secret is gone; short strings live inside the object.
class SecretStorage : public testing::Test {
 protected:
  bool Holds(std::string_view text) const {
    return std::string_view(bytes_, sizeof bytes_).find(text) != std::string_view::npos;
  }
  alignas(Secret) char bytes_[sizeof(Secret)] = {};
};

TEST_F(SecretStorage, IsWipedWhenTheSecretIsMovedFrom) {
  auto* secret = new (bytes_) Secret("hunter2");
  ASSERT_TRUE(Holds("hunter2"));
  const Secret other = std::move(*secret);
  EXPECT_FALSE(Holds("hunter2"));
  EXPECT_EQ(other.Reveal(), "hunter2");
  secret->~Secret();
}

TEST_F(SecretStorage, IsWipedWhenAShorterOneIsAssigned) {
  auto* secret = new (bytes_) Secret("hunter2");
  *secret = Secret("h");
  EXPECT_FALSE(Holds("nter2"));
  EXPECT_EQ(secret->Reveal(), "h");
  secret->~Secret();
}

TEST(Secret, SurvivesAssignmentToItself) {
  Secret secret("hunter2");
  Secret& same = secret;
  secret = same;
  EXPECT_EQ(secret.Reveal(), "hunter2");
}

}  // namespace
}  // namespace rabbit::base
