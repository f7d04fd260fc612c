#include "runtime/events.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "base/hash.h"
#include "base/json.h"
#include "base/utf8.h"
#include "http/transport.h"

namespace rabbit::runtime {
namespace {

constexpr CounterFamily kEvents{
    "rabbit_operator_events_total",
    "Events: written, suppressed (a noisy object), dropped (the queue was full, or the lease "
    "lost), failed."};

// Limits of the API server.
constexpr std::size_t kLongestNote = 1024;
constexpr std::size_t kLongestWord = 128;

constexpr std::chrono::seconds kCallTime{5};
constexpr int kTries = 3;
constexpr std::chrono::seconds kLongestWait{10};
constexpr std::size_t kMaxBody = 256 << 10;

// At most `most` bytes, without cutting a character.
std::string Cut(std::string_view text, std::size_t most) {
  std::size_t size = 0;
  while (size < text.size()) {
    const std::size_t next = std::max<std::size_t>(1, base::Utf8Length(text.substr(size)));
    if (size + next > most) break;
    size += next;
  }
  return std::string(text.substr(0, size));
}

// Events about cluster-scoped objects live here.
std::string Namespace(const ObjectReference& object) {
  return object.key.ns.empty() ? "default" : object.key.ns;
}

std::string CreateBody(const Event& event, const std::string& name, const std::string& time,
                       const EventRecorderOptions& options) {
  base::Json regarding{{"apiVersion", event.regarding.api_version},
                       {"kind", event.regarding.kind},
                       {"name", event.regarding.key.name},
                       {"uid", event.regarding.uid}};
  if (!event.regarding.key.ns.empty()) regarding["namespace"] = event.regarding.key.ns;
  return base::Dump({{"apiVersion", "events.k8s.io/v1"},
                     {"kind", "Event"},
                     {"metadata", {{"name", name}, {"namespace", Namespace(event.regarding)}}},
                     {"eventTime", time},
                     {"reportingController", options.controller},
                     {"reportingInstance", Cut(options.instance, kLongestWord)},
                     {"regarding", std::move(regarding)},
                     {"type", event.warning ? "Warning" : "Normal"},
                     {"reason", event.reason},
                     {"action", event.action},
                     {"note", event.note}});
}

std::string CountBody(int count, const std::string& time) {
  return base::Dump({{"series", {{"count", count}, {"lastObservedTime", time}}}});
}

}  // namespace

EventRecorder::EventRecorder(kube::Client& client, const Fence& fence, base::Clock& clock,
                             Metrics& metrics, base::Logger& logger, EventRecorderOptions options)
    : client_(client),
      fence_(fence),
      clock_(clock),
      metrics_(metrics),
      logger_(logger),
      options_(std::move(options)) {
  for (const char* result : {"written", "suppressed", "dropped", "failed"}) {
    metrics_.Add(kEvents, {{"result", result}}, 0);
  }
}

EventRecorder::~EventRecorder() { Stop(clock_.Now()); }

void EventRecorder::Count(std::string_view result) {
  metrics_.Add(kEvents, {{"result", std::string(result)}});
}

void EventRecorder::Record(Event event) {
  event.reason = Cut(event.reason, kLongestWord);
  event.action = Cut(event.action.empty() ? event.reason : event.action, kLongestWord);
  event.note = Cut(event.note, kLongestNote);
  bool dropped = false;
  {
    base::MutexLock lock(mutex_);
    dropped = stopping_ || queue_.size() >= options_.queue;
    if (!dropped) queue_.push_back({std::move(event), clock_.WallNow()});
    changed_.NotifyAll();
  }
  if (dropped) Count("dropped");
}

void EventRecorder::Start() {
  if (thread_.joinable()) return;
  thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
}

bool EventRecorder::Stop(base::TimePoint deadline) {
  bool all = false;
  std::size_t lost = 0;
  {
    base::MutexLock lock(mutex_);
    stopping_ = true;
    changed_.NotifyAll();
    while (thread_.joinable() && (busy_ || !queue_.empty()) && clock_.Now() < deadline) {
      changed_.WaitUntil(mutex_, deadline);
    }
    all = !busy_ && queue_.empty();
    lost = queue_.size();
    queue_.clear();
  }
  for (; lost > 0; --lost) Count("dropped");
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
  return all;
}

void EventRecorder::Run(const std::stop_token& stop) {
  for (;;) {
    std::optional<Queued> next;
    {
      base::MutexLock lock(mutex_);
      busy_ = false;
      changed_.NotifyAll();
      while (queue_.empty() && !stopping_ && !stop.stop_requested()) {
        changed_.WaitUntil(mutex_, stop, clock_.Now() + std::chrono::minutes(1));
      }
      if (queue_.empty() || stop.stop_requested()) return;
      next = std::move(queue_.front());
      queue_.pop_front();
      busy_ = true;
    }
    Write(*next, stop);
  }
}

void EventRecorder::Write(const Queued& queued, const std::stop_token& stop) {
  const Event& event = queued.event;
  if (!fence_.MayWrite(clock_.Now())) return Count("dropped");
  // Different in every process, for its instance, and at every time.
  const auto unique = [&] {
    return base::Hash64(options_.instance + "/" + event.regarding.uid + "/" + event.reason + "/" +
                        event.note + "/" + std::to_string(queued.at.time_since_epoch().count()));
  };
  for (int tries = 1;; ++tries) {
    const EventWrite write = series_.On(event, clock_.Now(), unique());
    if (write.kind == EventWrite::Kind::kNothing) return Count("suppressed");
    const auto result = Send(queued, write, stop);
    if (result) return Count("written");
    // The API server forgets Events after an hour or so; a new one takes its place.
    series_.Forget(event);
    const bool gone =
        write.kind == EventWrite::Kind::kCount && result.error().kind == base::ErrorKind::kNotFound;
    if (!gone || tries > 1) {
      Count("failed");
      logger_.Debug("event not written", {{"about", event.regarding.key.ToString()},
                                          {"reason", event.reason},
                                          {"error", result.error().message}});
      return;
    }
  }
}

base::Result<void> EventRecorder::Send(const Queued& queued, const EventWrite& write,
                                       const std::stop_token& stop) {
  const ObjectReference& about = queued.event.regarding;
  const std::string time = base::FormatMicroTime(queued.at);
  for (int tries = 1;; ++tries) {
    const base::TimePoint now = clock_.Now();
    if (!fence_.MayWrite(now)) return base::Fail(base::ErrorKind::kCancelled, "lost the lease");
    const http::CallOptions options{std::min(now + kCallTime, fence_.WritesEndBy()), stop,
                                    kMaxBody};
    const auto result =
        write.kind == EventWrite::Kind::kCreate
            ? client_.Create(kube::kEvents, Namespace(about),
                             CreateBody(queued.event, write.name, time, options_), options)
            : client_.MergePatch(kube::kEvents, {Namespace(about), write.name},
                                 CountBody(write.count, time), options);
    if (result) return {};
    const base::Error& error = result.error();
    // Our own try of before, whose answer was lost.
    if (error.kind == base::ErrorKind::kExists && tries > 1) return {};
    const bool again =
        error.kind == base::ErrorKind::kRetry || error.kind == base::ErrorKind::kThrottled;
    if (!again || tries == kTries || stop.stop_requested()) return tl::unexpected(error);
    const base::Duration wait = error.retry_after
                                    ? std::min<base::Duration>(*error.retry_after, kLongestWait)
                                    : options_.between_tries;
    const base::TimePoint until = clock_.Now() + wait;
    base::MutexLock lock(mutex_);
    while (!stop.stop_requested() && clock_.Now() < until) changed_.WaitUntil(mutex_, stop, until);
  }
}

}  // namespace rabbit::runtime
