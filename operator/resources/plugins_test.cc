// Runs set_plugins.sh for real, with commands that answer as those of RabbitMQ do.
#include "operator/resources/plugins.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/json.h"
#include "base/yaml.h"
#include "operator/resources/names.h"

namespace rabbit::resources {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class SetPluginsTest : public testing::Test {
 protected:
  SetPluginsTest() {
    std::string pattern = (fs::temp_directory_path() / "plugins-XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
    // Takes any list of known ones; writes down what it was last given.
    Command("rabbitmq-plugins", R"sh(
if [ -e "$ROOT/lost" ] && [ "$RABBITMQ_PLUGINS_DIR" != /a:/b ]; then
  echo "Error: :plugins_dir_does_not_exist"; exit 64
fi
[ ! -e "$ROOT/down" ] || { echo "Error: the node is down"; exit 69; }
shift
shift
unknown=
for name in "$@"; do
  case $name in rabbitmq_management|rabbitmq_shovel) ;; *) unknown="$unknown, $name" ;; esac
done
if [ -n "$unknown" ]; then
  printf 'Error:\nThe following plugins were not found: %s\n' "${unknown#, }" >&2; exit 65
fi
echo "$*" >"$ROOT/enabled")sh");
    Command("rabbitmqctl", R"sh(echo '{ok,"/a:/b"}')sh");
  }
  ~SetPluginsTest() override { fs::remove_all(root_); }

  void Command(const std::string& name, const std::string& text) {
    const fs::path path = root_ / name;
    std::ofstream(path) << "#!/bin/sh\nROOT=" << root_.string() << "\n" << text << "\n";
    fs::permissions(path, fs::perms::owner_all);
  }
  void Is(const std::string& state) { std::ofstream(root_ / state) << ""; }

  // Its exit code.
  int Set(const std::vector<std::string>& plugins) {
    std::string line = "PATH=" + root_.string() + ":$PATH; export PATH; exec";
    for (const std::string& word : SetPluginsCommand(plugins)) {
      std::string quoted;
      for (const char c : word) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
      line += " '" + quoted + "'";
    }
    const int status = std::system((line + " 2>" + (root_ / "said").string()).c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  std::string Read(const char* name) {
    std::ifstream file(root_ / name);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  fs::path root_;
};

TEST_F(SetPluginsTest, ExactlyTheNamedOnesAreEnabled) {
  EXPECT_EQ(Set({"rabbitmq_management", "rabbitmq_shovel"}), 0);
  EXPECT_EQ(Read("enabled"), "rabbitmq_management rabbitmq_shovel\n");
  EXPECT_EQ(Read("said"), "");
}

TEST_F(SetPluginsTest, WhatTheImageLacksIsNamedAndNothingIsChanged) {
  EXPECT_EQ(Set({"nope", "rabbitmq_management", "rabbitmq_shov", "rabbitmq_shovel"}),
            kSomePluginsMissing);
  EXPECT_EQ(Read("enabled"), "");
  EXPECT_THAT(MissingPlugins(Read("said")), ElementsAre("nope", "rabbitmq_shov"));
}

TEST_F(SetPluginsTest, CommandsThatLookElsewhereAreToldWhereTheBrokerLooks) {
  Is("lost");
  EXPECT_EQ(Set({"rabbitmq_shovel"}), 0);
  EXPECT_EQ(Read("enabled"), "rabbitmq_shovel\n");
  EXPECT_EQ(Set({"rabbitmq_management", "nope"}), kSomePluginsMissing);
  EXPECT_THAT(MissingPlugins(Read("said")), ElementsAre("nope"));
}

TEST_F(SetPluginsTest, AnyOtherFailureSaysWhatTheCommandSaid) {
  Is("down");
  EXPECT_EQ(Set({"rabbitmq_shovel"}), 1);
  EXPECT_THAT(Read("said"), HasSubstr("the node is down"));
  EXPECT_THAT(MissingPlugins(Read("said")), IsEmpty());
}

// Else the operator's command would be refused.
TEST(SetPluginsPolicyTest, TheAdmissionPolicyHasTheScriptAsItIs) {
  std::stringstream text;
  text << std::ifstream(fs::path(RABBIT_SOURCE_DIR) / "manifests/base/exec-policy.yaml").rdbuf();
  const auto documents = base::ParseYaml(text.str());
  ASSERT_TRUE(documents.has_value() && !documents->empty());
  std::string allowed;
  for (const base::Json& variable : (*documents)[0]["spec"]["variables"]) {
    if (variable["name"] == "plugins") allowed = variable["expression"];
  }
  EXPECT_THAT(allowed, HasSubstr("r'''" + SetPluginsCommand({})[2] + "'''"));
  EXPECT_THAT(allowed, HasSubstr("\"" + SetPluginsCommand({})[3] + "\""));
  EXPECT_THAT(allowed, HasSubstr("\"" + std::string(kBrokerContainer) + "\""));
}

// As 4.3.6 says that a port is taken, shortened.
TEST(TroubleInTest, IsTheErrorOnOneLine) {
  EXPECT_EQ(TroubleIn("The following plugins have been configured:\n  rabbitmq_mqtt\n"
                      "Stack trace: \n\n** (CaseClauseError) no case clause matching:\n\n"
                      "    {:could_not_start, :rabbitmq_mqtt,\n     :eaddrinuse}\n"),
            "** (CaseClauseError) no case clause matching: {:could_not_start, :rabbitmq_mqtt, "
            ":eaddrinuse}");
  EXPECT_EQ(TroubleIn("Error: unable to perform an operation on node 'r@h'. Please"),
            "Error: unable to perform an operation on node 'r@h'. Please");
  EXPECT_EQ(TroubleIn("no such plugin: a b\n"), "no such plugin: a b");
  EXPECT_EQ(TroubleIn(" \n"), "");
}

TEST(MissingPluginsTest, AreReadFromWhatAStepSays) {
  EXPECT_THAT(MissingPlugins("enable plugins in pod c-node-0: no such plugin: a_1 b; c"),
              ElementsAre("a_1", "b"));
  EXPECT_THAT(MissingPlugins("no such plugin:"), IsEmpty());
  EXPECT_THAT(MissingPlugins(""), IsEmpty());
}

}  // namespace
}  // namespace rabbit::resources
