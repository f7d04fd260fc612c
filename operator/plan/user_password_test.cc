#include "operator/plan/user_password.h"

#include <gmock/gmock.h>

#include "operator/plan/fixture.h"

namespace rabbit::plan {
namespace {

using observe::SecretState;
using testing::ElementsAre;
using testing::IsEmpty;

class UserPasswordTest : public PlanTest {
 protected:
  struct Row {
    const char* name;
    observe::SecretView secret;
    bool own;
    std::string says;  // empty: the password is had
  };
  std::vector<std::string> Said(const Plan& plan) {
    std::vector<std::string> said = Waits(plan);
    for (const std::string& problem : Problems(plan)) said.push_back(problem);
    return said;
  }
  static observe::SecretView View(SecretState state, std::string key = "",
                                  const std::string& value = "") {
    observe::SecretView view;
    view.state = state;
    if (!key.empty()) view.data.emplace(std::move(key), base::Secret(value));
    return view;
  }
};

TEST_F(UserPasswordTest, LiesWhereTheUserSaysOrInASecretOfItsOwn) {
  api::User user;
  user.name = "root";
  const PasswordSource own = SourceOf(cluster_, user);
  EXPECT_EQ(own.secret, resources::UserSecretName("c", "root"));
  EXPECT_EQ(own.key, "password");
  EXPECT_TRUE(own.own);
  user.password_secret_ref = {"rabbit-root", "pass"};
  const PasswordSource given = SourceOf(cluster_, user);
  EXPECT_EQ(given.secret, "rabbit-root");
  EXPECT_EQ(given.key, "pass");
  EXPECT_FALSE(given.own);
}

TEST_F(UserPasswordTest, IsReadOrItIsSaidWhyNot) {
  observe::SecretView refused = View(SecretState::kUnknown);
  refused.trouble = "403";
  const std::string who = "user root: Secret s ";
  const Row rows[] = {
      {"there", View(SecretState::kPresent, "k", "x"), false, ""},
      {"there, and ours", View(SecretState::kPresent, "k", "x"), true, ""},
      {"somebody's, which the user refers to", View(SecretState::kForeign, "k", "x"), false, ""},
      {"somebody's, of the name of ours", View(SecretState::kForeign, "k", "x"), true,
       "NeedsPerson NameTaken: " + who + "exists, but not for this cluster: delete or rename it"},
      {"not read yet", View(SecretState::kUnknown), false,
       "SecretUnknown: " + who + "is yet to be read"},
      {"not readable", refused, false, "SecretUnknown: " + who + "could not be read: 403"},
      {"not there, and not ours", View(SecretState::kAbsent), false,
       "NeedsPerson SecretMissing: " + who + "does not exist: create it with key k"},
      {"not there, and ours", View(SecretState::kAbsent), true,
       "SecretUnknown: " + who + "is being created"},
      {"of another key", View(SecretState::kPresent, "other", "x"), false,
       "NeedsPerson SecretKeyMissing: " + who + "has no key k: add it"},
      {"empty", View(SecretState::kPresent, "k", ""), false,
       "NeedsPerson SecretKeyMissing: " + who + "has nothing under key k: give it a value"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    seen_.secrets = {{"s", row.secret}};
    Plan plan;
    const auto password = ReadSecret(seen_, {"s", "k", row.own}, "user root", plan);
    if (row.says.empty()) {
      EXPECT_EQ(password, base::Secret("x"));
      EXPECT_THAT(Said(plan), IsEmpty());
    } else {
      EXPECT_EQ(password, std::nullopt);
      EXPECT_THAT(Said(plan), ElementsAre(row.says));
    }
  }
}

}  // namespace
}  // namespace rabbit::plan
