#include "kube/credentials.h"

#include <gtest/gtest.h>

namespace rabbit::kube {
namespace {

using namespace std::chrono_literals;

class FileCredentialsTest : public testing::Test {
 protected:
  std::string Token() {
    auto token = credentials_.Current();
    if (!token) return "error: " + token.error().message;
    serial_ = token->serial;
    return std::string(token->value.Reveal());
  }
  std::optional<std::string> file_ = "one";
  int reads_ = 0;
  std::uint64_t serial_ = 0;
  base::ManualClock clock_;
  FileCredentials credentials_{
      "/token", clock_, [this](const std::string& path) -> base::Result<std::string> {
        ++reads_;
        if (file_) return *file_;
        return base::Fail(base::ErrorKind::kNotFound, "cannot read " + path);
      }};
};

TEST_F(FileCredentialsTest, TheFileIsReadOnceAMinute) {
  EXPECT_EQ(Token(), "one");
  file_ = "two";
  clock_.Advance(59s);
  EXPECT_EQ(Token(), "one");
  EXPECT_EQ(reads_, 1);
  clock_.Advance(1s);
  EXPECT_EQ(Token(), "two");
}

TEST_F(FileCredentialsTest, WhiteSpaceAroundTheTokenIsCutOff) {
  file_ = " \n one\r\n";
  EXPECT_EQ(Token(), "one");
}

TEST_F(FileCredentialsTest, TheLastGoodTokenOutlivesABadFile) {
  Token();
  file_.reset();
  clock_.Advance(10min);
  EXPECT_EQ(Token(), "one");
  file_ = "\n";
  EXPECT_EQ(Token(), "one");
  file_ = "two";  // read at the next request, not a minute later
  EXPECT_EQ(Token(), "two");
}

TEST_F(FileCredentialsTest, WithoutAnyGoodTokenTheErrorNamesTheFile) {
  file_.reset();
  EXPECT_EQ(Token(), "error: token file: cannot read /token");
  file_ = "";
  EXPECT_EQ(Token(), "error: token file: /token is empty");
  file_ = "one";
  EXPECT_EQ(Token(), "one");
}

TEST_F(FileCredentialsTest, ARejectedTokenIsReadAnew) {
  Token();
  file_ = "two";
  credentials_.Reject(serial_);
  EXPECT_EQ(Token(), "two");
}

TEST_F(FileCredentialsTest, ALateRejectionOfAnOldTokenKeepsTheNewOne) {
  Token();
  const auto old = serial_;
  file_ = "two";
  clock_.Advance(1min);
  Token();
  credentials_.Reject(old);
  Token();
  EXPECT_EQ(reads_, 2);
}

TEST_F(FileCredentialsTest, ARejectedTokenIsStillUsedWhenTheFileIsGone) {
  Token();
  credentials_.Reject(serial_);
  file_.reset();
  EXPECT_EQ(Token(), "one");
}

TEST(StaticCredentialsTest, NeverChange) {
  StaticCredentials none, token{base::Secret("t")};
  EXPECT_TRUE(none.Current()->value.empty());
  token.Reject(token.Current()->serial);
  EXPECT_EQ(token.Current()->value.Reveal(), "t");
}

TEST(ReadFileTest, AFileThatIsNotThereIsNotFound) {
  const auto content = ReadFile("/nowhere/at/all");
  ASSERT_FALSE(content);
  EXPECT_EQ(content.error().kind, base::ErrorKind::kNotFound);
  EXPECT_EQ(content.error().message, "cannot read /nowhere/at/all: No such file or directory");
}

TEST(ReadFileTest, ADirectoryIsNoFile) { EXPECT_FALSE(ReadFile("/")); }

}  // namespace
}  // namespace rabbit::kube
