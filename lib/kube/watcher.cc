#include "kube/watcher.h"

#include <malloc.h>

#include "kube/frame_splitter.h"
#include "kube/list_scanner.h"
#include "kube/status.h"

namespace rabbit::kube {

// A list page: the items go to the sink as they come.
class Watcher::PageSink final : public http::BodySink {
 public:
  explicit PageSink(Watcher& watcher)
      : scanner_([&watcher](std::string_view text) -> base::Result<void> {
          auto item = ReadItem(text);
          // Without its name nobody could say what to keep: the list as a whole is in doubt.
          if (!item) return tl::unexpected(std::move(item.error()));
          if (auto result = watcher.sink_.Listed(*std::move(item)); !result) {
            watcher.NoteBadObject(result.error());
          }
          return {};
        }) {}

  base::Result<void> OnHead(const http::ResponseHead&) override { return {}; }
  base::Result<void> OnData(std::string_view data) override { return scanner_.Feed(data); }
  [[nodiscard]] const ListScanner& scanner() const { return scanner_; }

 private:
  ListScanner scanner_;
};

// A watch: each line is an event.
class Watcher::StreamSink final : public http::BodySink {
 public:
  explicit StreamSink(Watcher& watcher) : watcher_(watcher) {}

  base::Result<void> OnHead(const http::ResponseHead&) override {
    opened_ = true;
    watcher_.machine_.OnOpened(watcher_.clock_.Now());
    watcher_.Note({}, "watch");
    return {};
  }
  base::Result<void> OnData(std::string_view data) override {
    return frames_.Feed(data, [this](std::string_view line) { return OnLine(line); });
  }
  [[nodiscard]] bool opened() const { return opened_; }

 private:
  base::Result<void> OnLine(std::string_view line) {
    std::string_view type, object;
    Members members(line);
    while (members.Next()) {
      if (members.key() == "type") type = members.value();
      if (members.key() == "object") object = members.value();
    }
    if (members.malformed() || type.empty() || object.empty()) {
      return base::Fail(base::ErrorKind::kInternal, "a line of the watch is no event");
    }
    if (type == R"("ERROR")") return tl::unexpected(ErrorFromStatus(object));
    if (type == R"("BOOKMARK")") {
      watcher_.machine_.OnEvent(VersionOf(object));
      return {};
    }
    const bool deleted = type == R"("DELETED")";
    if (!deleted && type != R"("ADDED")" && type != R"("MODIFIED")") return {};
    auto item = ReadItem(object);
    if (!item) return tl::unexpected(std::move(item.error()));
    std::string version = item->resource_version;
    if (deleted) {
      watcher_.sink_.Deleted(item->key);
    } else if (auto result = watcher_.sink_.Changed(*std::move(item)); !result) {
      watcher_.NoteBadObject(result.error());
    }
    watcher_.machine_.OnEvent(std::move(version));
    if (watcher_.observer_ != nullptr) watcher_.observer_->OnWatchEvent(watcher_.target_.type);
    return {};
  }

  static std::string VersionOf(std::string_view object) {
    const auto metadata = FindMember(object, "metadata");
    const auto version = metadata ? FindMember(*metadata, "resourceVersion") : std::nullopt;
    return version ? Unquote(*version).value_or("") : "";
  }

  Watcher& watcher_;
  FrameSplitter frames_;
  bool opened_ = false;
};

Watcher::Watcher(Client& client, base::Clock& clock, base::Random& random, base::Logger& logger,
                 WatchObserver* observer, WatchTarget target, ObjectSink& sink,
                 const WatchSettings& settings)
    : client_(client),
      clock_(clock),
      logger_(logger),
      observer_(observer),
      target_(std::move(target)),
      sink_(sink),
      settings_(settings),
      machine_(settings, random) {}

Watcher::~Watcher() { Stop(); }

void Watcher::Start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { Run(stop); });
}

void Watcher::Stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

void Watcher::Run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const auto until = Step(stop);
    if (!until) continue;
    base::MutexLock lock(mutex_);
    wake_.WaitUntil(mutex_, stop, *until);
  }
}

std::optional<base::TimePoint> Watcher::Step(const std::stop_token& stop) {
  const WatchCall call = machine_.Next(clock_.Now());
  switch (call.kind) {
    case WatchCall::Kind::kWait:
      return call.until;
    case WatchCall::Kind::kList:
      List(call, stop);
      return std::nullopt;
    case WatchCall::Kind::kWatch:
      Watch(call, stop);
      return std::nullopt;
  }
  return std::nullopt;
}

void Watcher::List(const WatchCall& call, const std::stop_token& stop) {
  if (call.continue_token.empty()) {
    listed_ = 0;
    sink_.BeginList();
  }
  PageSink page(*this);
  auto result =
      client_.Stream(ListRequest(target_.type, target_.selection,
                                 {call.limit, call.continue_token, call.resource_version}),
                     {.deadline = clock_.Now() + settings_.list_deadline, .stop = stop}, page);
  if (result) result = page.scanner().Finish();
  Note(result, "list");
  if (!result) {
    machine_.OnListFailed(result.error(), clock_.Now());
    return;
  }
  listed_ += page.scanner().items();
  if (!machine_.OnPage(page.scanner().resource_version(), page.scanner().continue_token(),
                       clock_.Now())) {
    return;
  }
  sink_.FinishList();
  // A list leaves many small holes behind, which the allocator would keep for itself.
  malloc_trim(0);
  logger_.Debug("listed", {{"kind", target_.type.kind()}, {"objects", listed_}});
  if (observer_ != nullptr) observer_->OnList(target_.type, listed_);
}

void Watcher::Watch(const WatchCall& call, const std::stop_token& stop) {
  StreamSink stream(*this);
  const auto result = client_.Stream(
      WatchRequest(target_.type, target_.selection, call.resource_version, call.timeout),
      {.deadline = clock_.Now() + call.timeout + settings_.watch_grace, .stop = stop}, stream);
  // A stream that breaks is how watches end in a network; the next one tells if it is more.
  const bool broke = stream.opened() && !result && result.error().kind == base::ErrorKind::kRetry &&
                     result.error().http_status == 0;
  if (!result && !broke) Note(result, "watch");
  machine_.OnStreamEnd(result, clock_.Now());
}

void Watcher::Note(const base::Result<void>& result, std::string_view doing) {
  if (!result && result.error().kind == base::ErrorKind::kCancelled) return;
  {
    base::MutexLock lock(mutex_);
    if (result) {
      trouble_.reset();
    } else {
      if (!trouble_) trouble_since_ = clock_.Now();
      trouble_ =
          base::Wrap(result.error(), std::string(doing) + " " + std::string(target_.type.plural()));
    }
  }
  if (result) return;
  logger_.Warn(
      "watcher has trouble",
      {{"kind", target_.type.kind()}, {"doing", doing}, {"error", result.error().message}});
  if (observer_ != nullptr) observer_->OnTrouble(target_.type, result.error().kind);
}

void Watcher::NoteBadObject(const base::Error& error) {
  logger_.Warn("object not understood", {{"kind", target_.type.kind()}, {"error", error.message}});
  if (observer_ != nullptr) observer_->OnBadObject(target_.type);
}

std::optional<base::Error> Watcher::Trouble() const {
  base::MutexLock lock(mutex_);
  return trouble_;
}

std::optional<base::Error> Watcher::LastingTrouble(base::Duration least) const {
  base::MutexLock lock(mutex_);
  return trouble_ && clock_.Now() - trouble_since_ >= least ? trouble_ : std::nullopt;
}

}  // namespace rabbit::kube
