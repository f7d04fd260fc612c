#include "kube/client.h"

#include <optional>

#include "kube/credentials.h"
#include "kube/request.h"
#include "kube/status.h"

namespace rabbit::kube {
namespace {

constexpr std::size_t kMaxErrorBody = 64 << 10;

bool IsSuccess(int status) { return status >= 200 && status < 300; }

// Lets a body through to `sink` when the answer is a success, and keeps it for the error otherwise.
class AnswerSink final : public http::BodySink {
 public:
  AnswerSink(http::BodySink& sink, http::Method method, RequestObserver* observer)
      : sink_(sink), method_(method), observer_(observer) {}

  base::Result<void> OnHead(const http::ResponseHead& head) override {
    head_ = head;
    // Now, not at the end of the stream, which may be ten minutes away.
    if (observer_ != nullptr) observer_->OnAnswer(method_, head.status);
    return IsSuccess(head.status) ? sink_.OnHead(head) : base::Result<void>();
  }
  base::Result<void> OnData(std::string_view data) override {
    if (IsSuccess(head_.status)) return sink_.OnData(data);
    refusal_.append(data.substr(0, kMaxErrorBody - refusal_.size()));
    if (refusal_.size() < kMaxErrorBody) return {};
    return base::Fail(base::ErrorKind::kInternal, "error text too long");
  }

  [[nodiscard]] int status() const { return head_.status; }
  [[nodiscard]] bool refused() const { return head_.status != 0 && !IsSuccess(head_.status); }
  [[nodiscard]] base::Error error() const {
    return ErrorFromAnswer(head_.status, head_.headers, refusal_);
  }

 private:
  http::BodySink& sink_;
  http::Method method_;
  RequestObserver* observer_;
  http::ResponseHead head_;
  std::string refusal_;
};

std::string Doing(std::string_view verb, const ResourceType& type, const ObjectKey& key) {
  return std::string(verb).append(" ").append(type.kind()).append(" ").append(key.ToString());
}

template <typename T>
base::Result<T> Told(base::Result<T> result, std::string_view verb, const ResourceType& type,
                     const ObjectKey& key) {
  if (result) return result;
  return base::FailWrapped(std::move(result.error()), Doing(verb, type, key));
}

}  // namespace

Client::Client(http::Transport& transport, Credentials& credentials, RequestObserver* observer)
    : transport_(transport), credentials_(credentials), observer_(observer) {}

base::Result<std::uint64_t> Client::Authorize(http::Request& request) {
  auto token = credentials_.Current();
  if (!token) return tl::unexpected(std::move(token.error()));
  std::erase_if(request.headers,
                [](const auto& header) { return header.first == "Authorization"; });
  if (!token->value.empty()) {
    request.headers.emplace_back("Authorization", "Bearer " + std::string(token->value.Reveal()));
  }
  return token->serial;
}

void Client::Observe(http::Method method, int status) {
  if (observer_ != nullptr) observer_->OnAnswer(method, status);
}

base::Result<std::string> Client::Send(http::Request request, const http::CallOptions& options) {
  request.headers.emplace_back("User-Agent", kFieldManager);
  for (bool again = true;; again = false) {
    const auto serial = Authorize(request);
    if (!serial) return tl::unexpected(serial.error());
    auto response = transport_.Send(request, options);
    Observe(request.method, response ? response->status : 0);
    if (!response) return tl::unexpected(std::move(response.error()));
    if (IsSuccess(response->status)) return std::move(response->body);
    if (response->status == 401) {
      credentials_.Reject(*serial);
      if (again) continue;
    }
    return tl::unexpected(ErrorFromAnswer(response->status, response->headers, response->body));
  }
}

base::Result<void> Client::Stream(http::Request request, const http::CallOptions& options,
                                  http::BodySink& sink) {
  request.headers.emplace_back("User-Agent", kFieldManager);
  for (bool again = true;; again = false) {
    const auto serial = Authorize(request);
    if (!serial) return tl::unexpected(serial.error());
    AnswerSink answer(sink, request.method, observer_);
    auto result = transport_.Stream(request, options, answer);
    if (answer.status() == 0) Observe(request.method, 0);
    if (!answer.refused()) return result;
    if (answer.status() == 401) {
      credentials_.Reject(*serial);
      if (again) continue;
    }
    return tl::unexpected(answer.error());
  }
}

base::Result<std::string> Client::Get(const ResourceType& type, const ObjectKey& key,
                                      const http::CallOptions& options) {
  return Told(Send(GetRequest(type, key), options), "get", type, key);
}

base::Result<std::string> Client::Create(const ResourceType& type, std::string_view ns,
                                         std::string_view body, const http::CallOptions& options) {
  auto result = Send(CreateRequest(type, ns, body), options);
  if (result) return result;
  return base::FailWrapped(std::move(result.error()),
                           std::string("create ").append(type.kind()).append(" in ").append(ns));
}

base::Result<std::string> Client::Replace(const ResourceType& type, const ObjectKey& key,
                                          std::string_view body, const http::CallOptions& options) {
  return Told(Send(ReplaceRequest(type, key, body), options), "replace", type, key);
}

base::Result<std::string> Client::Apply(const ResourceType& type, const ObjectKey& key,
                                        std::string_view body, const http::CallOptions& options) {
  return Told(Send(ApplyRequest(type, key, body), options), "apply", type, key);
}

base::Result<std::string> Client::ApplyStatus(const ResourceType& type, const ObjectKey& key,
                                              std::string_view body,
                                              const http::CallOptions& options) {
  return Told(Send(ApplyStatusRequest(type, key, body), options), "apply status of", type, key);
}

base::Result<std::string> Client::JsonPatch(const ResourceType& type, const ObjectKey& key,
                                            std::string_view patch,
                                            const http::CallOptions& options) {
  return Told(Send(JsonPatchRequest(type, key, patch), options), "patch", type, key);
}

base::Result<std::string> Client::MergePatch(const ResourceType& type, const ObjectKey& key,
                                             std::string_view patch,
                                             const http::CallOptions& options) {
  return Told(Send(MergePatchRequest(type, key, patch), options), "patch", type, key);
}

base::Result<void> Client::Delete(const ResourceType& type, const ObjectKey& key,
                                  std::string_view uid, const http::CallOptions& options) {
  auto result = Send(DeleteRequest(type, key, uid), options);
  if (result || result.error().kind == base::ErrorKind::kNotFound) return {};
  return base::FailWrapped(std::move(result.error()), Doing("delete", type, key));
}

}  // namespace rabbit::kube
