// Runs prepare.sh for real, with its four folders moved into a temporary one.
#include "operator/resources/guard.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

namespace rabbit::resources {
namespace {

namespace fs = std::filesystem;

class GuardTest : public testing::Test {
 protected:
  GuardTest() {
    std::string pattern = (fs::temp_directory_path() / "guard-XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
    for (const char* folder : {"source", "etc", "data", "run"}) {
      fs::create_directories(root_ / folder);
    }
    Write("source/cookie", "COOKIE");
    Write("source/config/rabbitmq.conf", "listeners.tcp.default = 5672\n");
    Write("source/config/advanced.config", "[].\n");
    Write("source/config/enabled_plugins", "[rabbitmq_management].");
    Write("source/config/hash", "spec-made");
    Write("source/operator-user/username", "rabbit-operator");
    Write("source/operator-user/password", "hunter2");
    Formed("false");
  }
  ~GuardTest() override {
    if (child_ > 0) {
      ::kill(child_, SIGKILL);
      ::waitpid(child_, nullptr, 0);
    }
    fs::remove_all(root_);
  }

  void Formed(const std::string& formed) { Write("source/inventory/formed", formed); }
  void HasData() { Write("data/mnesia/rabbit@n/schema.DAT", "tables"); }

  // Starts the guard.
  void Start() { child_ = Spawn({"/bin/sh", "-c", std::string(PrepareScript())}); }
  void StartWithTls(const std::string& conf) {
    child_ = Spawn({"/bin/sh", "-c",
                    "TLS_CONF='" + conf + "'\n" + std::string(PrepareScript()) +
                        std::string(PrepareTlsScript())});
  }

  // Its exit code; -1 while it holds (there for a moment, and the file that says so).
  int Wait() {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    // From before the first look on, so that nothing happens unseen between two looks.
    const int changes = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    ::inotify_add_watch(changes, (root_ / "run").c_str(), IN_CREATE | IN_DELETE);
    const int end = static_cast<int>(::syscall(SYS_pidfd_open, child_, 0));
    std::optional<int> outcome = Outcome();
    while (!outcome && std::chrono::steady_clock::now() < until) {
      std::array<pollfd, 2> events{{{changes, POLLIN, 0}, {end, POLLIN, 0}}};
      const auto left =
          std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
      ::poll(events.data(), events.size(), static_cast<int>(left.count()));
      std::array<char, 4096> ignored{};
      while (::read(changes, ignored.data(), ignored.size()) > 0) {
      }
      outcome = Outcome();
    }
    ::close(changes);
    ::close(end);
    return outcome.value_or(-2);
  }

  void Terminate() const { ::kill(child_, SIGTERM); }
  void Remove(const std::string& file) const { fs::remove(root_ / file); }

  // A command of the operator's, run to its end; the exit code.
  int Exec(const std::vector<std::string>& command) {
    int status = 0;
    ::waitpid(Spawn(command), &status, 0);
    return WEXITSTATUS(status);
  }

  [[nodiscard]] std::string Read(const std::string& file) const {
    std::ostringstream text;
    text << std::ifstream(root_ / file).rdbuf();
    return text.str();
  }
  [[nodiscard]] unsigned Mode(const std::string& file) const {
    struct stat info {};
    return ::stat((root_ / file).c_str(), &info) == 0 ? info.st_mode & 0777U : 0U;
  }
  [[nodiscard]] fs::path Path(const std::string& file) const { return root_ / file; }
  [[nodiscard]] bool Exists(const std::string& file) const { return fs::exists(root_ / file); }
  void Write(const std::string& file, const std::string& text) {
    fs::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << text;
  }

 private:
  using Place = std::pair<const char*, const char*>;
  static constexpr std::array<Place, 5> kPlaces{{{"/etc/rabbit-operator", "source"},
                                                 {"/etc/rabbitmq", "etc"},
                                                 {"/var/lib/rabbitmq", "data"},
                                                 {"/run/rabbit-operator", "run"},
                                                 {"/dev/termination-log", "told"}}};

  [[nodiscard]] std::string Moved(std::string text) const {
    for (const auto& [in_pod, here] : kPlaces) {
      const std::string from = in_pod;
      const std::string to = (root_ / here).string();
      for (auto at = text.find(from); at != std::string::npos;
           at = text.find(from, at + to.size())) {
        text.replace(at, from.size(), to);
      }
    }
    return text;
  }

  std::optional<int> Outcome() {
    int status = 0;
    if (::waitpid(child_, &status, WNOHANG) == child_) {
      child_ = 0;
      return WIFEXITED(status) ? WEXITSTATUS(status) : 1000;
    }
    if (Exists("run/held") && !Exists("run/release")) return -1;
    return std::nullopt;
  }

  pid_t Spawn(const std::vector<std::string>& command) {
    std::vector<std::string> words;
    words.reserve(command.size());
    for (const std::string& word : command) words.push_back(Moved(word));
    std::vector<char*> argv;
    argv.reserve(words.size() + 1);
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    const pid_t pid = ::fork();
    if (pid == 0) {
      ::setenv("RABBITMQ_NODENAME", "rabbit@n", 1);
      const int null = ::open("/dev/null", O_RDWR);
      for (const int stream : {0, 1, 2}) ::dup2(null, stream);
      ::execv(argv[0], argv.data());
      ::_exit(127);
    }
    return pid;
  }

  fs::path root_;
  pid_t child_ = 0;
};

TEST_F(GuardTest, ABlankDiskPassesBeforeTheClusterHasFormed) {
  Start();
  EXPECT_EQ(Wait(), 0);
}

TEST_F(GuardTest, ADiskWithDataPassesAtAnyTime) {
  Formed("true");
  HasData();
  Start();
  EXPECT_EQ(Wait(), 0);
}

TEST_F(GuardTest, ABlankDiskIsHeldOnceTheClusterHasFormed) {
  Formed("true");
  Start();
  EXPECT_EQ(Wait(), -1);
  EXPECT_FALSE(Exists("etc/rabbitmq.conf"));
}

TEST_F(GuardTest, ABlankDiskIsHeldWhenNothingSaysWhetherTheClusterHasFormed) {
  Formed("");
  Start();
  EXPECT_EQ(Wait(), -1);
}

TEST_F(GuardTest, LostAndFoundIsNoData) {
  Formed("true");
  Write("data/lost+found/x", "");
  Write("data/mnesia/rabbit@other/schema.DAT", "of another node");
  Start();
  EXPECT_EQ(Wait(), -1);
}

TEST_F(GuardTest, AReleaseOpensOnce) {
  Formed("true");
  Start();
  ASSERT_EQ(Wait(), -1);
  EXPECT_EQ(Exec(IsHeldCommand()), 0);
  EXPECT_EQ(Exec(ReleaseCommand("uid-of-the-volume")), 0);
  EXPECT_EQ(Wait(), 0);
  EXPECT_NE(Exec(IsHeldCommand()), 0);
  Start();
  EXPECT_EQ(Wait(), -1);
}

TEST_F(GuardTest, AReleaseOfANodeThatIsNotHeldOpensNothingLater) {
  HasData();
  Exec(ReleaseCommand("uid"));
  Start();
  ASSERT_EQ(Wait(), 0);
  EXPECT_FALSE(Exists("run/release"));
}

TEST_F(GuardTest, AHeldPodStopsAtOnceWhenItIsDeleted) {
  Formed("true");
  Start();
  ASSERT_EQ(Wait(), -1);
  Terminate();
  Remove("run/held");  // so that Wait() waits for the end
  EXPECT_EQ(Wait(), 143);
}

TEST_F(GuardTest, TheBrokerFindsItsFilesAndOnlyItMayReadTheSecretOnes) {
  Start();
  ASSERT_EQ(Wait(), 0);
  EXPECT_EQ(Read("data/.erlang.cookie"), "COOKIE");
  EXPECT_EQ(Mode("data/.erlang.cookie"), 0400U);
  EXPECT_EQ(Read("etc/rabbitmq.conf"), "listeners.tcp.default = 5672\n");
  EXPECT_EQ(Read("etc/advanced.config"), "[].\n");
  EXPECT_EQ(Read("etc/enabled_plugins"), "[rabbitmq_management].");
  EXPECT_EQ(Mode("etc/enabled_plugins"), 0600U);  // rabbitmq-plugins writes it
  EXPECT_EQ(Read("etc/conf.d/90-first-boot.conf"),
            "default_user = rabbit-operator\ndefault_pass = hunter2\n"
            "default_user_tags.administrator = true\n");
  EXPECT_EQ(Mode("etc/conf.d/90-first-boot.conf"), 0400U);
}

TEST_F(GuardTest, ARestartWritesAllFilesAnew) {
  Start();
  ASSERT_EQ(Wait(), 0);
  Write("source/cookie", "OTHER");
  Write("source/config/rabbitmq.conf", "listeners.tcp.default = 5673\n");
  Write("source/config/hash", "spec-made2");
  Start();
  ASSERT_EQ(Wait(), 0);
  EXPECT_EQ(Read("data/.erlang.cookie"), "OTHER");
  EXPECT_EQ(Read("etc/rabbitmq.conf"), "listeners.tcp.default = 5673\n");
  EXPECT_EQ(Read("told"), "spec-made2");
}

TEST_F(GuardTest, WhatTheBrokerBootsFromIsToldOnceItIsCopied) {
  Formed("true");
  Start();
  ASSERT_EQ(Wait(), -1);
  EXPECT_FALSE(Exists("told"));
  Write("source/config/hash", "spec-of-later");  // renewed while it was held
  ASSERT_EQ(Exec(ReleaseCommand("uid")), 0);
  ASSERT_EQ(Wait(), 0);
  EXPECT_EQ(Read("told"), "spec-of-later");
}

TEST_F(GuardTest, ABrokerDoesNotBootFromWhatIsNotThere) {
  Remove("source/config/hash");
  Start();
  EXPECT_GT(Wait(), 0);
}

TEST_F(GuardTest, ABrokerBootsAlsoWhenNothingCanBeTold) {
  fs::create_directories(Path("told"));  // no file can be written there
  Start();
  EXPECT_EQ(Wait(), 0);
}

TEST_F(GuardTest, WhatTheTemplateSaysOfTlsIsPutWhereTheBrokerReadsItAfterTheRest) {
  Write("etc/conf.d/50-tls.conf", "of before");
  StartWithTls("listeners.tcp = none\nlisteners.ssl.default = 5671\n");
  EXPECT_EQ(Wait(), 0);
  EXPECT_EQ(Read("etc/conf.d/50-tls.conf"), "listeners.tcp = none\nlisteners.ssl.default = 5671\n");
  EXPECT_EQ(Mode("etc/conf.d/50-tls.conf"), 0600U);
  EXPECT_TRUE(Exists("etc/conf.d/90-first-boot.conf"));
}

}  // namespace
}  // namespace rabbit::resources
