// lib/kube/reloading_transport.h: the API server behind one http::Transport, however often its
// certificates or its address change.
// The files that the configuration names are looked at once a minute; when their content differs,
// calls that start from then on use a new transport, and running ones end on the old one. The same
// happens, at most every ten seconds, after a call that could not connect though it had the time:
// the name may have moved to another address. A file that cannot be read leaves everything as it
// is. Adds the path prefix of the server's URL to each target. Thread-safe.
#pragma once

#include <functional>
#include <memory>

#include "base/clock.h"
#include "base/log.h"
#include "base/mutex.h"
#include "http/transport.h"
#include "kube/config.h"

namespace rabbit::kube {

class ReloadingTransport final : public http::Transport {
 public:
  static constexpr std::chrono::seconds kLook{60};
  static constexpr std::chrono::seconds kReconnect{10};

  // Makes a transport; may resolve the host's name, within the options' deadline. lib/kube links no
  // implementation: the executable decides.
  using Connect = std::function<base::Result<std::unique_ptr<http::Transport>>(
      const ClusterConfig& config, const http::TlsSettings& tls, const http::CallOptions& options)>;

  // `clock` and `logger` must outlive it. Nothing is read or connected before the first call.
  ReloadingTransport(ClusterConfig config, base::Clock& clock, base::Logger& logger,
                     Connect connect, ReadFileFunction read = ReadFile);

  base::Result<http::Response> Send(const http::Request& request,
                                    const http::CallOptions& options) override;
  base::Result<void> Stream(const http::Request& request, const http::CallOptions& options,
                            http::BodySink& sink) override;

 private:
  using Shared = std::shared_ptr<http::Transport>;

  // The transport for a call that starts now.
  base::Result<Shared> Current(const http::CallOptions& options) RABBIT_EXCLUDES(mutex_);
  // Makes one if it would differ from what there is, or if `anew`. Null: the old one will do.
  base::Result<Shared> Make(bool anew, const http::CallOptions& options) RABBIT_EXCLUDES(mutex_);
  http::Request Prefixed(const http::Request& request) const;
  // After a call on `used` that set out at `began` and ended with `error`.
  void Learn(const Shared& used, const base::Error& error, base::TimePoint began,
             base::TimePoint deadline) RABBIT_EXCLUDES(mutex_);

  const ClusterConfig config_;
  base::Clock& clock_;
  base::Logger& logger_;
  const Connect connect_;
  const ReadFileFunction read_;

  base::Mutex mutex_;
  base::CondVar made_;
  bool making_ RABBIT_GUARDED_BY(mutex_) = false;  // one thread at a time looks and connects
  Shared current_ RABBIT_GUARDED_BY(mutex_);
  base::TimePoint looked_at_ RABBIT_GUARDED_BY(mutex_){};
  bool unreachable_ RABBIT_GUARDED_BY(mutex_) = false;
  http::TlsSettings tls_;  // what current_ was made of; owned by the thread that is making
};

}  // namespace rabbit::kube
