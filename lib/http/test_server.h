// lib/http/test_server.h: for tests: a real server on 127.0.0.1 whose every byte a test decides,
// plain or TLS, and certificates made on the spot.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "base/mutex.h"
#include "base/secret.h"

struct ssl_ctx_st;
struct ssl_st;
struct evp_pkey_st;
struct x509_st;

namespace rabbit::http {

struct TestCertificate {
  std::string pem;
  std::string key_pem;
};

class TestCa {
 public:
  explicit TestCa(const std::string& common_name = "test CA");
  ~TestCa();
  TestCa(const TestCa&) = delete;
  TestCa& operator=(const TestCa&) = delete;

  [[nodiscard]] const std::string& pem() const { return pem_; }
  // `names` as in openssl's configuration: "DNS:api.test,IP:127.0.0.1"; empty: none at all.
  [[nodiscard]] TestCertificate Issue(const std::string& common_name, const std::string& names,
                                      std::chrono::hours valid = std::chrono::hours(24)) const;

 private:
  evp_pkey_st* key_;
  x509_st* certificate_;
  std::string pem_;
};

struct TestTls {
  TestCertificate certificate;
  std::string client_ca_pem;  // not empty: a client certificate of this CA is required
};

// One accepted connection, on a thread of its own.
class Peer {
 public:
  Peer(int fd, ssl_ctx_st* context);
  ~Peer();
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  [[nodiscard]] bool Handshake();  // true at once without TLS
  // One request, header and body (by Content-Length); empty when the client has gone.
  [[nodiscard]] std::string ReadRequest();
  [[nodiscard]] std::string ReadSome();  // empty when the client has gone
  bool Write(std::string_view bytes);    // false when the client has gone
  // Plain only: writes until the client has taken nothing more for `patience`; returns how much.
  std::size_t WriteUntilHeldUp(std::string_view bytes, std::chrono::milliseconds patience);
  // Answers 200 with `body` and its length.
  bool Answer(std::string_view body);
  void WaitUntilClosed();
  void WaitForHangUp();  // the same without reading
  void Close();          // for both directions; the client knows of it when this returns
  void Reset();          // before Close(): with a TCP reset instead of an orderly end
  [[nodiscard]] std::string client_name() const;        // common name in the client's certificate
  [[nodiscard]] std::string server_name() const;        // SNI
  [[nodiscard]] int number() const { return number_; }  // the first connection is 1

 private:
  friend class TestServer;
  int fd_;
  bool reset_ = false;
  ssl_st* ssl_ = nullptr;
  std::string unread_;
  int number_ = 0;
};

class TestServer {
 public:
  using Script = std::function<void(Peer&)>;  // for each connection; it is closed when that returns

  explicit TestServer(Script script, const TestTls* tls = nullptr);
  ~TestServer();  // ends every connection
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] int connections() const { return connections_; }

 private:
  void Accept();

  Script script_;
  ssl_ctx_st* context_ = nullptr;
  int listener_;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_ = 0;
  base::Mutex mutex_;
  std::list<int> open_ RABBIT_GUARDED_BY(mutex_);
  bool stopping_ RABBIT_GUARDED_BY(mutex_) = false;
  std::list<std::jthread> threads_;  // the acceptor's alone
  std::jthread acceptor_;
};

// A script that answers every request with `body`.
[[nodiscard]] TestServer::Script AnswerAll(std::string body);

}  // namespace rabbit::http
