// lib/http/call.h: the meeting point of a blocked caller and the I/O thread that serves its call.
// Internal to lib/http. The I/O thread says what happened (On…), the caller waits for it with a
// deadline and a stop token. Shared by both, so that it outlives a caller that gave up.
// Every method is thread-safe; each belongs to one side.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "base/mutex.h"
#include "http/transport.h"

namespace rabbit::http {

// How cpprestsdk (or whoever does the I/O) says that a call has failed.
struct Failure {
  std::string what;    // its own fixed text, which names the phase
  int code = 0;        // errno, an OpenSSL error, or asio's end of file (1 or 2); 0: none
  bool stale = false;  // the kept-alive connection was found closed before anything was sent

  bool operator==(const Failure&) const = default;
};

class Call {
 public:
  static constexpr std::size_t kMaxBuffered = 64 << 10;  // bytes of a body that nobody took yet

  // kWhole: the caller wants the answer as a whole, so it is woken at the end (or when the buffer
  // is full), and not for the head and each piece of the body.
  enum class Wanted { kPieces, kWhole };
  explicit Call(Wanted wanted = Wanted::kPieces) : wanted_(wanted) {}

  // --- The I/O thread's side ---

  // The connection stands, and the request's header is out.
  void OnUpload();
  void OnHead(ResponseHead head);
  // True: `data` was copied, go on. False: the buffer is full (or the call was given up); keep
  // `data` valid and read no more until `taken` is called, with false when the call was given up.
  // `taken` is called once, on any thread, without a lock.
  [[nodiscard]] bool OnData(std::string_view data, std::function<void(bool)> taken);
  void OnEnd(std::optional<Failure> failure);
  // Calls the `taken` that waits, if one does, with false. After GiveUp().
  void ReleaseHeldData();

  // --- The caller's side ---

  enum class Event { kHead, kData, kEnd, kDeadline, kConnectDeadline, kStopped };
  // Waits for what comes next. kEnd comes after all data was taken; `connect_deadline` counts until
  // OnUpload(). A stop or a deadline that has passed comes before anything else.
  [[nodiscard]] Event Wait(const CallOptions& options, base::TimePoint connect_deadline);
  [[nodiscard]] ResponseHead TakeHead();        // after kHead
  base::Result<void> GiveData(BodySink& sink);  // after kData

  // From here on data is refused. False: the call has ended already.
  [[nodiscard]] bool GiveUp();
  void WaitForEnd(base::Duration at_most);

  // How far the request came. After GiveUp() without an end it may have come further than is known.
  [[nodiscard]] base::Sent sent();
  [[nodiscard]] std::optional<Failure> failure();

 private:
  struct HeldData {
    std::string_view data;
    std::function<void(bool)> taken;
  };

  // Whether what has arrived is to be handed out.
  [[nodiscard]] bool WorthWaking() const RABBIT_REQUIRES(mutex_) {
    return wanted_ == Wanted::kPieces || held_ || ended_;
  }

  const Wanted wanted_;
  const base::RealClock clock_;
  base::Mutex mutex_;
  base::CondVar changed_;
  bool uploading_ RABBIT_GUARDED_BY(mutex_) = false;
  std::optional<ResponseHead> head_ RABBIT_GUARDED_BY(mutex_);  // until TakeHead()
  bool head_taken_ RABBIT_GUARDED_BY(mutex_) = false;
  std::string buffered_ RABBIT_GUARDED_BY(mutex_);
  std::optional<HeldData> held_ RABBIT_GUARDED_BY(mutex_);  // did not fit; comes after buffered_
  bool given_up_ RABBIT_GUARDED_BY(mutex_) = false;
  bool ended_ RABBIT_GUARDED_BY(mutex_) = false;
  std::optional<Failure> failure_ RABBIT_GUARDED_BY(mutex_);
};

}  // namespace rabbit::http
