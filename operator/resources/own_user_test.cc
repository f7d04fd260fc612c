// Runs the command for real, with a rabbitmqctl that says what it was given.
#include "operator/resources/own_user.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "operator/resources/guard.h"

namespace rabbit::resources {
namespace {

namespace fs = std::filesystem;

class ImportCommandTest : public testing::Test {
 protected:
  ImportCommandTest() {
    std::string pattern = (fs::temp_directory_path() / "own-user-XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
  }
  ~ImportCommandTest() override { fs::remove_all(root_); }

  // /tmp is moved into a folder of the test's own.
  std::string Script() const {
    std::string script = ImportCommand()[2];
    const std::string tmp = "/tmp/";
    const std::size_t at = script.find(tmp);
    return script.replace(at, tmp.size(), root_.string() + "/");
  }

  // Its exit code. `ctl` is the text of rabbitmqctl, whose last argument is the file.
  int Run(const std::string& ctl, const std::string& input) const {
    Write("rabbitmqctl", "#!/bin/sh\nfor file; do :; done\n" + ctl);
    fs::permissions(root_ / "rabbitmqctl", fs::perms::owner_all);
    Write("script", Script());
    const std::string line = "PATH=" + root_.string() + ":$PATH /bin/sh -c \"$(cat " +
                             (root_ / "script").string() + ")\"";
    std::FILE* shell = ::popen(line.c_str(), "we");
    std::fputs(input.c_str(), shell);
    return WEXITSTATUS(::pclose(shell));
  }
  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(root_ / name) << text;
  }
  std::string Read(const std::string& name) const {
    std::ostringstream text;
    text << std::ifstream(root_ / name).rdbuf();
    return text.str();
  }

  fs::path root_;
};

TEST_F(ImportCommandTest, ImportsTheLineFromAFileThatNobodyElseReadsAndThatGoes) {
  const std::string out = root_.string() + "/";
  const std::string ctl = "echo \"$@\" >" + out + "arguments; cat \"$file\" >" + out +
                          "imported; stat -c %a \"$file\" >" + out + "mode";
  EXPECT_EQ(Run(ctl, "{\"a\": \"it's \\\\ $HOME %s\"}\n"), 0);
  EXPECT_EQ(Read("imported"), "{\"a\": \"it's \\\\ $HOME %s\"}");
  EXPECT_EQ(Read("mode"), "600\n");
  const std::string file = out + ".rabbit-operator-user";
  EXPECT_EQ(Read("arguments"), "-q -t 30 import_definitions --format json " + file + "\n");
  EXPECT_FALSE(fs::exists(file));
}

TEST_F(ImportCommandTest, AFailureIsTheCommandsAndTheFileGoesAllTheSame) {
  Write(".rabbit-operator-user", "of before");
  EXPECT_EQ(Run("exit 69", "{}\n"), 69);
  EXPECT_FALSE(fs::exists(root_ / ".rabbit-operator-user"));
}

TEST(ExecPolicy, SaysEachCommandWordByWord) {
  std::ostringstream policy;
  policy << std::ifstream(fs::path(RABBIT_SOURCE_DIR) / "manifests" / "base" / "exec-policy.yaml")
                .rdbuf();
  for (const auto& command : {ImportCommand(), ReleaseCommand("uid")}) {
    EXPECT_EQ(command[2].find_first_of("'\n\\"), std::string::npos) << "would end the text there";
    EXPECT_NE(policy.str().find("'" + command[2] + "'"), std::string::npos) << command[2];
  }
  EXPECT_NE(policy.str().find('"' + IsHeldCommand()[2] + '"'), std::string::npos);
}

TEST(OwnUserDefinition, SaysTheUserAndItsHash) {
  EXPECT_EQ(OwnUserDefinition(base::Secret("aGFzaA=="), "rabbit_password_hashing_sha256").Reveal(),
            "{\"users\":[{\"hashing_algorithm\":\"rabbit_password_hashing_sha256\",\"name\":"
            "\"rabbit-operator\",\"password_hash\":\"aGFzaA==\",\"tags\":\"administrator\"}]}\n");
}

}  // namespace
}  // namespace rabbit::resources
