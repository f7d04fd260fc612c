#include "operator/commands/read_only.h"

#include <string>

namespace rabbit::commands {
namespace {

base::Error Refusal(const http::Request& request) {
  const std::string path = request.target.substr(0, request.target.find('?'));
  return {.kind = base::ErrorKind::kInternal,
          .message = "a plan only looks: " + std::string(http::Name(request.method)) + " " + path +
                     " was not sent"};
}

}  // namespace

bool ChangesNothing(const http::Request& request) {
  if (request.method == http::Method::kGet || request.method == http::Method::kHead) return true;
  const std::size_t query = request.target.find('?');
  if (query == std::string::npos) return false;
  const std::string parameters = "&" + request.target.substr(query + 1) + "&";
  return parameters.find("&dryRun=All&") != std::string::npos;
}

base::Result<http::Response> ReadOnlyTransport::Send(const http::Request& request,
                                                     const http::CallOptions& options) {
  if (!ChangesNothing(request)) return tl::unexpected(Refusal(request));
  return transport_.Send(request, options);
}

base::Result<void> ReadOnlyTransport::Stream(const http::Request& request,
                                             const http::CallOptions& options,
                                             http::BodySink& sink) {
  if (!ChangesNothing(request)) return tl::unexpected(Refusal(request));
  return transport_.Stream(request, options, sink);
}

}  // namespace rabbit::commands
