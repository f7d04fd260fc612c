#include "kube/reloading_transport.h"

#include <utility>

namespace rabbit::kube {

ReloadingTransport::ReloadingTransport(ClusterConfig config, base::Clock& clock,
                                       base::Logger& logger, Connect connect, ReadFileFunction read)
    : config_(std::move(config)),
      clock_(clock),
      logger_(logger),
      connect_(std::move(connect)),
      read_(std::move(read)) {}

base::Result<ReloadingTransport::Shared> ReloadingTransport::Current(
    const http::CallOptions& options) {
  bool anew = false;
  {
    base::MutexLock lock(mutex_);
    while (making_ && !current_) {
      if (options.stop.stop_requested()) {
        return base::Fail(base::ErrorKind::kCancelled, "stop requested");
      }
      if (clock_.Now() >= options.deadline) {
        return base::Fail(base::ErrorKind::kRetry, "deadline passed while connecting");
      }
      made_.WaitUntil(mutex_, options.stop, options.deadline);
    }
    const base::Duration age = clock_.Now() - looked_at_;
    anew = !current_ || (unreachable_ && age >= kReconnect);
    if (!anew && (age < kLook || making_)) return current_;
    if (making_) return current_;
    making_ = true;
  }
  auto made = Make(anew, options);
  base::MutexLock lock(mutex_);
  making_ = false;
  looked_at_ = clock_.Now();
  made_.NotifyAll();
  if (made) {
    if (*made) {
      current_ = *std::move(made);
      unreachable_ = false;
    }
    return current_;
  }
  if (!current_) return tl::unexpected(std::move(made.error()));
  // What there is may still do: a half-written file is whole a moment later.
  logger_.Warn("API server's settings not reloaded", {{"error", made.error().message}});
  return current_;
}

base::Result<ReloadingTransport::Shared> ReloadingTransport::Make(
    bool anew, const http::CallOptions& options) {
  auto tls = LoadTls(config_, read_);
  if (!tls) return tl::unexpected(std::move(tls.error()));
  if (!anew && *tls == tls_) return Shared();
  auto transport = connect_(config_, *tls, options);
  if (!transport) return tl::unexpected(std::move(transport.error()));
  tls_ = *std::move(tls);
  return Shared(*std::move(transport));
}

http::Request ReloadingTransport::Prefixed(const http::Request& request) const {
  http::Request prefixed = request;
  prefixed.target.insert(0, config_.server.path_prefix);
  return prefixed;
}

void ReloadingTransport::Learn(const Shared& used, const base::Error& error, base::TimePoint began,
                               base::TimePoint deadline) {
  if (!SaysUnreachable(error, began, deadline)) return;
  base::MutexLock lock(mutex_);
  if (used == current_) unreachable_ = true;
}

base::Result<http::Response> ReloadingTransport::Send(const http::Request& request,
                                                      const http::CallOptions& options) {
  auto transport = Current(options);
  if (!transport) return tl::unexpected(std::move(transport.error()));
  const base::TimePoint began = clock_.Now();
  auto response = config_.server.path_prefix.empty()
                      ? (*transport)->Send(request, options)
                      : (*transport)->Send(Prefixed(request), options);
  if (!response) Learn(*transport, response.error(), began, options.deadline);
  return response;
}

base::Result<void> ReloadingTransport::Stream(const http::Request& request,
                                              const http::CallOptions& options,
                                              http::BodySink& sink) {
  auto transport = Current(options);
  if (!transport) return tl::unexpected(std::move(transport.error()));
  const base::TimePoint began = clock_.Now();
  auto result = config_.server.path_prefix.empty()
                    ? (*transport)->Stream(request, options, sink)
                    : (*transport)->Stream(Prefixed(request), options, sink);
  if (!result) Learn(*transport, result.error(), began, options.deadline);
  return result;
}

}  // namespace rabbit::kube
