#include "kube/config.h"

#include <gtest/gtest.h>

#include <map>

#include "http/test_server.h"

namespace rabbit::kube {
namespace {

// Files in memory.
class ConfigTest : public testing::Test {
 protected:
  base::Result<std::string> Read(const std::string& path) const {
    const auto found = files_.find(path);
    if (found != files_.end()) return found->second;
    return base::Fail(base::ErrorKind::kNotFound, "cannot read " + path + ": No such file");
  }
  ReadFileFunction Reader() {
    return [this](const std::string& path) { return Read(path); };
  }
  base::Result<ClusterConfig> Load(std::string_view context = "") {
    return LoadKubeconfig("/home/u/config", context, Reader());
  }
  // The error of the load, or "loaded".
  std::string Error(std::string_view context = "") {
    const auto config = Load(context);
    if (config) return "loaded";
    EXPECT_EQ(config.error().kind, base::ErrorKind::kInvalid);
    EXPECT_EQ(config.error().message.find('\n'), std::string::npos);
    return config.error().message;
  }
  // A file with one context, dev, whose cluster and user have these fields besides.
  void Write(const std::string& cluster, const std::string& user) {
    files_["/home/u/config"] =
        "apiVersion: v1\nkind: Config\ncurrent-context: dev\n"
        "contexts:\n- name: dev\n  context: {cluster: c, user: u, namespace: team}\n"
        "clusters:\n- name: c\n  cluster: {" +
        cluster +
        "}\n"
        "users:\n- name: u\n  user: {" +
        user + "}\n";
  }
  static constexpr const char* kCluster =
      "server: 'https://api.example:6443', certificate-authority-data: Q0E=";

  std::map<std::string, std::string> files_;
};

TEST_F(ConfigTest, ReadsServerTrustTokenAndNamespace) {
  Write(kCluster, "token: abc");
  const auto config = Load();
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->server, (http::ParsedUrl{true, "api.example", 6443, ""}));
  EXPECT_EQ(config->ca.value, "CA");
  EXPECT_EQ(config->token.value, base::Secret("abc"));
  EXPECT_EQ(config->default_namespace, "team");
  EXPECT_EQ(config->origin, "context dev of /home/u/config");
}

TEST_F(ConfigTest, ClientCertificatesComeFromFilesOrData) {
  Write(kCluster, "client-certificate: crt.pem, client-key-data: S0VZ");
  const auto config = Load();
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->client_certificate.file, "/home/u/crt.pem");
  EXPECT_EQ(config->client_key.value, base::Secret("KEY"));
}

TEST_F(ConfigTest, DataWinsOverAFile) {
  Write("server: 'https://a', certificate-authority: ca.pem, certificate-authority-data: Q0E=", "");
  EXPECT_EQ(Load()->ca, (Source<std::string>{"", "CA"}));
}

TEST_F(ConfigTest, RelativePathsAreRelativeToTheirFile) {
  Write("server: 'https://a', certificate-authority: pki/ca.pem", "tokenFile: ../t");
  EXPECT_EQ(Load()->ca.file, "/home/u/pki/ca.pem");
  EXPECT_EQ(Load()->token.file, "/home/u/../t");
  Write("server: 'https://a', certificate-authority: /etc/ca.pem", "");
  EXPECT_EQ(Load()->ca.file, "/etc/ca.pem");
}

TEST_F(ConfigTest, AContextMayBeNamed) {
  Write(kCluster, "token: abc");
  files_["/home/u/config"] += "---\n";  // what follows a document is not read
  EXPECT_EQ(Error("dev"), "loaded");
  EXPECT_EQ(Error("prod"), "/home/u/config: no context prod");
}

TEST_F(ConfigTest, SkippingVerificationIsTheUsersOwnWord) {
  Write("server: 'https://a', insecure-skip-tls-verify: true", "");
  EXPECT_TRUE(Load()->insecure);
  EXPECT_TRUE(Load()->ca.empty());
  Write("server: 'https://a', insecure-skip-tls-verify: true, certificate-authority: x", "");
  EXPECT_EQ(Error(),
            "/home/u/config: cluster c: insecure-skip-tls-verify: contradicts "
            "certificate-authority");
}

TEST_F(ConfigTest, WithoutACaTheSystemsRootsAreTrusted) {
  Write("server: 'https://a', tls-server-name: other", "");
  EXPECT_EQ(Load()->ca.file, "/etc/ssl/certs/ca-certificates.crt");
  EXPECT_EQ(Load()->server_name, "other");
}

TEST_F(ConfigTest, APlainServerNeedsNoTrust) {
  Write("server: 'http://127.0.0.1:8080/k8s/'", "");
  const auto config = Load();
  EXPECT_TRUE(config->ca.empty());
  EXPECT_EQ(config->server.path_prefix, "/k8s");
  EXPECT_TRUE(LoadTls(*config, Reader()));
}

TEST_F(ConfigTest, ErrorsNameFileAndField) {
  Write("certificate-authority-data: Q0E=", "");
  EXPECT_EQ(Error(), "/home/u/config: cluster c: server: is missing");
  Write("server: [a]", "");
  EXPECT_EQ(Error(), "/home/u/config: cluster c: server: must be a string");
  Write("server: 'ftp://a'", "");
  EXPECT_TRUE(Error().starts_with("/home/u/config: cluster c: server: ")) << Error();
  Write("server: 'https://a', certificate-authority-data: '%%'", "");
  EXPECT_EQ(Error(), "/home/u/config: cluster c: certificate-authority-data: is not base64");
  Write("server: 'https://a', insecure-skip-tls-verify: 'yes'", "");
  EXPECT_EQ(Error(), "/home/u/config: cluster c: insecure-skip-tls-verify: must be true or false");
  Write(kCluster, "client-key: k");
  EXPECT_EQ(Error(),
            "/home/u/config: user u: client-certificate: is missing, but there is a client-key");
  Write(kCluster, "client-certificate: k");
  EXPECT_EQ(Error(),
            "/home/u/config: user u: client-key: is missing, but there is a client-certificate");
  Write(kCluster, "token: 7");
  EXPECT_EQ(Error(), "/home/u/config: user u: token: must be a string");
}

TEST_F(ConfigTest, WhatWeCannotDoIsRefused) {
  const std::string plugin =
      "credential plugins are not supported: use a client certificate, token or tokenFile";
  Write(kCluster, "exec: {command: aws}");
  EXPECT_EQ(Error(), "/home/u/config: user u: exec: " + plugin);
  Write(kCluster, "auth-provider: {name: gcp}");
  EXPECT_EQ(Error(), "/home/u/config: user u: auth-provider: " + plugin);
  Write(kCluster, "username: x, password: y");
  EXPECT_EQ(Error(), "/home/u/config: user u: username: the API server takes no passwords");
  Write(kCluster, "as: x");
  EXPECT_EQ(Error(), "/home/u/config: user u: as: impersonation is not supported");
  Write("server: 'https://a', proxy-url: 'http://p'", "");
  EXPECT_EQ(Error(), "/home/u/config: cluster c: proxy-url: proxies are not supported");
}

TEST_F(ConfigTest, EmptyFieldsThatToolsWriteAreNotRefused) {
  Write(std::string(kCluster) + ", proxy-url: ''", "token: abc, exec: null, as: '', username: ''");
  EXPECT_EQ(Error(), "loaded");
}

TEST_F(ConfigTest, DataMayBeWrappedIntoLines) {
  Write("server: 'https://a', certificate-authority-data: \"Q\\r\\n0E=\\n\"", "");
  EXPECT_EQ(Load()->ca.value, "CA");
}

// What the fields name, read at the start.
class FilesTest : public ConfigTest {
 protected:
  FilesTest() {
    files_["/home/u/ca.pem"] = ca_.pem();
    files_["/home/u/crt.pem"] = client_.pem;
    files_["/home/u/key.pem"] = client_.key_pem;
    files_["/home/u/token"] = "abc";
    Write("server: 'https://a', certificate-authority: ca.pem",
          "tokenFile: token, client-certificate: crt.pem, client-key: key.pem");
  }
  std::string Check() {
    const auto config = Load();
    if (!config) return config.error().message;
    const auto checked = CheckFiles(*config, Reader());
    if (checked) return "usable";
    EXPECT_EQ(checked.error().kind, base::ErrorKind::kInvalid);
    EXPECT_EQ(checked.error().message.find('\n'), std::string::npos);
    return checked.error().message;
  }
  const http::TestCa ca_;
  const http::TestCertificate client_ = ca_.Issue("operator", "");
  const http::TestCertificate other_ = ca_.Issue("other", "");
};

TEST_F(FilesTest, GoodOnesAreUsable) {
  EXPECT_EQ(Check(), "usable");
  Write("server: 'https://a', certificate-authority: ca.pem", "token: abc");
  EXPECT_EQ(Check(), "usable");
  Write("server: 'http://a'", "token: abc");
  EXPECT_EQ(Check(), "usable");
}

TEST_F(FilesTest, AMissingOneIsNamedWithItsField) {
  const std::vector<std::pair<std::string, std::string>> table = {
      {"ca.pem", "certificate-authority"},
      {"crt.pem", "client-certificate"},
      {"key.pem", "client-key"},
      {"token", "tokenFile"}};
  for (const auto& [file, field] : table) {
    const std::string path = "/home/u/" + file;
    const std::string content = files_[path];
    files_.erase(path);
    EXPECT_EQ(Check(), "context dev of /home/u/config: " + field + ": cannot read " + path +
                           ": No such file");
    files_[path] = " \n";
    EXPECT_EQ(Check(), "context dev of /home/u/config: " + field + ": " + path + " is empty");
    files_[path] = content;
  }
}

TEST_F(FilesTest, OneThatHoldsSomethingElseIsNamedWithItsField) {
  const std::string origin = "context dev of /home/u/config: ";
  files_["/home/u/ca.pem"] = "no certificate";
  EXPECT_EQ(Check(), origin +
                         "certificate-authority /home/u/ca.pem: CA: certificate 1 cannot be read: "
                         "no PEM certificate in it");
  files_["/home/u/ca.pem"] = ca_.pem();
  files_["/home/u/key.pem"] = other_.key_pem;
  EXPECT_EQ(Check(),
            origin +
                "client-certificate /home/u/crt.pem and client-key /home/u/key.pem: client "
                "key and client certificate do not belong together");
  files_["/home/u/key.pem"] = "s3cret";
  EXPECT_NE(Check().find("client-key /home/u/key.pem: client key cannot be read"),
            std::string::npos);
  EXPECT_EQ(Check().find("s3cret"), std::string::npos);
  Write("server: 'https://a', certificate-authority-data: Q0E=", "");
  EXPECT_TRUE(Check().starts_with(origin + "certificate-authority-data: CA: ")) << Check();
}

TEST_F(FilesTest, WhatIsNotUsedIsNotLookedAt) {
  files_.erase("/home/u/ca.pem");
  Write("server: 'https://a', insecure-skip-tls-verify: true", "");
  EXPECT_EQ(Check(), "usable");
}

TEST_F(ConfigTest, BrokenFilesAreNamed) {
  EXPECT_EQ(Error(), "kubeconfig: cannot read /home/u/config: No such file");
  files_["/home/u/config"] = "";
  EXPECT_EQ(Error(), "kubeconfig: /home/u/config is empty");
  files_["/home/u/config"] = "a: [";
  EXPECT_TRUE(Error().starts_with("/home/u/config: ")) << Error();
  files_["/home/u/config"] = "[]";
  EXPECT_EQ(Error(), "/home/u/config: is not a kubeconfig");
  files_["/home/u/config"] = "kind: Config";
  EXPECT_EQ(Error(), "/home/u/config: current-context: is missing, and none was named");
  files_["/home/u/config"] = "current-context: dev\ncontexts: {}";
  EXPECT_EQ(Error(), "/home/u/config: contexts: must be a list");
  files_["/home/u/config"] =
      "current-context: dev\ncontexts: [{name: dev, context: {cluster: c, user: u}}]";
  EXPECT_EQ(Error(), "/home/u/config: context dev: cluster: no cluster c");
  files_["/home/u/config"] = "current-context: dev\ncontexts: [{name: dev}]";
  EXPECT_EQ(Error(), "/home/u/config: context dev: cluster: is missing");
}

TEST_F(ConfigTest, OfSeveralFilesTheFirstEntryOfANameCounts) {
  files_["/a/one"] =
      "current-context: dev\n"
      "contexts: [{name: dev, context: {cluster: c, user: u}}]\n"
      "users: [{name: u, user: {tokenFile: t}}]";
  files_["/b/two"] =
      "current-context: other\n"
      "clusters: [{name: c, cluster: {server: 'https://two', certificate-authority: ca}}]\n"
      "users: [{name: u, user: {tokenFile: wrong}}]";
  const auto config =
      LoadKubeconfig(std::vector<std::string>{"/missing", "/a/one", "/b/two"}, "", Reader());
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->server.host, "two");
  EXPECT_EQ(config->ca.file, "/b/ca");
  EXPECT_EQ(config->token.file, "/a/t");
  EXPECT_FALSE(LoadKubeconfig(std::vector<std::string>{"/x", "/y"}, "", Reader()));
}

TEST_F(ConfigTest, ErrorsNeverHoldASecret) {
  Write(kCluster, "token: \"s3cret\\nx\"");
  EXPECT_EQ(Error().find("s3cret"), std::string::npos) << Error();
  Write(kCluster, "client-certificate-data: Q0E=, client-key-data: 's3cret!'");
  EXPECT_EQ(Error().find("s3cret"), std::string::npos) << Error();
  files_["/home/u/config"] = "users:\n- token: s3cret\n  : {";
  EXPECT_EQ(Error().find("s3cret"), std::string::npos) << Error();
}

// ---- in a pod

class InClusterTest : public ConfigTest {
 protected:
  InClusterTest() {
    files_[directory_ + "token"] = "tok\n";
    files_[directory_ + "ca.crt"] = "CA";
    files_[directory_ + "namespace"] = "operators\n";
  }
  base::Result<ClusterConfig> LoadIt() {
    return LoadInCluster(
        "/root/",
        [this](const std::string& name) -> std::optional<std::string> {
          const auto found = environment_.find(name);
          if (found == environment_.end()) return std::nullopt;
          return found->second;
        },
        Reader());
  }
  std::string Message() {
    const auto config = LoadIt();
    return config ? "loaded" : config.error().message;
  }
  const std::string directory_ = "/root/var/run/secrets/kubernetes.io/serviceaccount/";
  std::map<std::string, std::string> environment_{{"KUBERNETES_SERVICE_HOST", "10.0.0.1"},
                                                  {"KUBERNETES_SERVICE_PORT", "443"}};
};

TEST_F(InClusterTest, UsesTheServiceAccountsFiles) {
  const auto config = LoadIt();
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->server, (http::ParsedUrl{true, "10.0.0.1", 443, ""}));
  EXPECT_EQ(config->token.file, directory_ + "token");
  EXPECT_EQ(config->ca.file, directory_ + "ca.crt");
  EXPECT_EQ(config->default_namespace, "operators");
}

TEST_F(InClusterTest, OutsideOfAPodIsNotFound) {
  environment_.clear();
  const auto config = LoadIt();
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().kind, base::ErrorKind::kNotFound);
}

TEST_F(InClusterTest, AnIpv6ServerIsRefusedInWords) {
  environment_["KUBERNETES_SERVICE_HOST"] = "fd00::1";
  EXPECT_TRUE(Message().starts_with("KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT: "));
}

TEST_F(InClusterTest, MissingFilesAreNamed) {
  files_.erase(directory_ + "token");
  EXPECT_EQ(Message(),
            "service account's token: cannot read " + directory_ + "token: No such file");
  EXPECT_EQ(LoadIt().error().kind, base::ErrorKind::kInvalid);  // it is a pod
  files_[directory_ + "token"] = "t";
  files_[directory_ + "ca.crt"] = " ";
  EXPECT_EQ(Message(), "service account: certificate authority: " + directory_ + "ca.crt is empty");
}

// ---- what follows from a configuration

TEST_F(ConfigTest, AnEndpointKeepsTheNameForTheHeader) {
  Write(kCluster, "");
  EXPECT_EQ(EndpointAt(*Load(), "10.1.2.3"),
            (http::Endpoint{true, "10.1.2.3", 6443, "api.example:6443"}));
}

TEST_F(ConfigTest, TlsSettingsHoldTheFilesContent) {
  files_["/home/u/ca"] = "ROOTS";
  files_["/home/u/crt"] = "CHAIN";
  files_["/home/u/key"] = "KEY";
  Write("server: 'https://a', certificate-authority: ca, tls-server-name: name",
        "client-certificate: crt, client-key: key");
  const auto tls = LoadTls(*Load(), Reader());
  ASSERT_TRUE(tls) << tls.error().message;
  EXPECT_EQ(*tls, (http::TlsSettings{.ca_pem = "ROOTS",
                                     .client_certificate_pem = "CHAIN",
                                     .client_key_pem = base::Secret("KEY"),
                                     .server_name = "name"}));
  files_.erase("/home/u/key");
  EXPECT_EQ(LoadTls(*Load(), Reader()).error().message,
            "client key: cannot read /home/u/key: No such file");
}

TEST_F(ConfigTest, CredentialsPreferTheTokensFile) {
  base::ManualClock clock;
  files_["/home/u/t"] = "from file";
  Write(kCluster, "tokenFile: t, token: static");
  EXPECT_EQ(MakeCredentials(*Load(), clock, Reader())->Current()->value.Reveal(), "from file");
  Write(kCluster, "token: static");
  EXPECT_EQ(MakeCredentials(*Load(), clock, Reader())->Current()->value.Reveal(), "static");
  Write(kCluster, "");
  EXPECT_TRUE(MakeCredentials(*Load(), clock, Reader())->Current()->value.empty());
}

}  // namespace
}  // namespace rabbit::kube
