// lib/kube/client.h: typed calls of the Kubernetes API on JSON texts.
// Requests are built by pure functions (kube/request.h); the Client adds credentials, sends, and
// turns a Status answer into an Error (Status reason in Error::reason). Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "http/transport.h"
#include "kube/resource.h"

namespace rabbit::kube {

class Credentials;  // kube/credentials.h

// Told of each answer, for rest_client_requests_total. Implementations are thread-safe.
class RequestObserver {
 public:
  virtual ~RequestObserver() = default;
  virtual void OnAnswer(http::Method method, int status) = 0;  // status 0: no answer
};

class Client {
 public:
  // None is owned; all must outlive the client. `observer` may be null.
  Client(http::Transport& transport, Credentials& credentials, RequestObserver* observer);

  // Sends and maps: 2xx gives the body; everything else an Error whose message is the Status'
  // message. A 401 makes the credentials drop tokens older than the request, and is tried once
  // more.
  base::Result<std::string> Send(http::Request request, const http::CallOptions& options);
  base::Result<void> Stream(http::Request request, const http::CallOptions& options,
                            http::BodySink& sink);

  // The body of the object; kNotFound when it is not there.
  base::Result<std::string> Get(const ResourceType& type, const ObjectKey& key,
                                const http::CallOptions& options);
  // POST. kExists when the name is taken (also by an object that is being deleted).
  base::Result<std::string> Create(const ResourceType& type, std::string_view ns,
                                   std::string_view body, const http::CallOptions& options);
  // PUT. `body` carries metadata.resourceVersion: kConflict when it is stale.
  base::Result<std::string> Replace(const ResourceType& type, const ObjectKey& key,
                                    std::string_view body, const http::CallOptions& options);
  // Server-side apply, forced, as field manager "rabbit-operator". `body` carries metadata.uid, so
  // that a forced apply never takes over a stranger's object and never creates one: both are
  // kConflict.
  base::Result<std::string> Apply(const ResourceType& type, const ObjectKey& key,
                                  std::string_view body, const http::CallOptions& options);
  // The same on /status. kNotFound when the object is gone.
  base::Result<std::string> ApplyStatus(const ResourceType& type, const ObjectKey& key,
                                        std::string_view body, const http::CallOptions& options);
  // RFC 6902 and RFC 7386 patches; a failed `test` is kInvalid.
  base::Result<std::string> JsonPatch(const ResourceType& type, const ObjectKey& key,
                                      std::string_view patch, const http::CallOptions& options);
  base::Result<std::string> MergePatch(const ResourceType& type, const ObjectKey& key,
                                       std::string_view patch, const http::CallOptions& options);
  // Background propagation, with the uid as precondition (empty: none). Already gone is success.
  base::Result<void> Delete(const ResourceType& type, const ObjectKey& key, std::string_view uid,
                            const http::CallOptions& options);

 private:
  // Puts the token into the request and returns its serial.
  base::Result<std::uint64_t> Authorize(http::Request& request);
  void Observe(http::Method method, int status);

  http::Transport& transport_;
  Credentials& credentials_;
  RequestObserver* observer_;
};

}  // namespace rabbit::kube
