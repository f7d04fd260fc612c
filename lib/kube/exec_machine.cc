#include "kube/exec_machine.h"

#include <algorithm>
#include <charconv>

#include "kube/json_text.h"
#include "kube/status.h"

namespace rabbit::kube {
namespace {

enum Channel : unsigned char { kInput = 0, kOutput = 1, kErrors = 2, kStatus = 3, kClose = 255 };

std::string Member(std::string_view object, std::string_view key) {
  const auto value = FindMember(object, key);
  return value ? Unquote(*value).value_or("") : "";
}

// The message of the cause ExitCode. The text of the Status itself differs between versions.
std::optional<int> ExitCode(std::string_view status) {
  const auto details = FindMember(status, "details");
  const auto causes = details ? FindMember(*details, "causes") : std::nullopt;
  if (!causes) return std::nullopt;
  for (std::size_t at = causes->find('{'); at != std::string_view::npos;
       at = causes->find('{', at + 1)) {
    const std::string_view cause = causes->substr(at);
    if (Member(cause, "reason") != "ExitCode") continue;
    const std::string text = Member(cause, "message");
    int code = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), code);
    if (failure == std::errc() && end == text.data() + text.size()) return code;
  }
  return std::nullopt;
}

}  // namespace

std::optional<ExecMachine::Input> ExecMachine::NextInput(std::string_view input,
                                                         std::size_t offset) {
  if (offset >= input.size()) return std::nullopt;
  const std::string_view data = input.substr(offset, kMaxMessage - 1);
  Input next{std::string(1, static_cast<char>(kInput)), data.size()};
  next.message.append(data);
  return next;
}

std::string ExecMachine::EndOfInput() {
  return {static_cast<char>(kClose), static_cast<char>(kInput)};
}

void ExecMachine::Append(std::string& to, std::string_view data) {
  const std::size_t room = max_ - std::min(max_, to.size());
  if (data.size() > room) result_.truncated = true;
  to.append(data.substr(0, room));
}

void ExecMachine::OnMessage(std::string_view message) {
  if (message.empty() || ended_) return;
  const auto channel = static_cast<unsigned char>(message.front());
  const std::string_view data = message.substr(1);
  if (data.empty()) return;  // the server begins with one of these
  if (channel == kOutput) Append(result_.output, data);
  if (channel == kErrors) Append(result_.errors, data);
  if (channel == kStatus) OnStatus(data);
}

void ExecMachine::OnStatus(std::string_view status) {
  if (Member(status, "status") == "Success") {
    ended_ = std::move(result_);
    return;
  }
  if (const auto code = ExitCode(status)) {
    result_.exit_code = *code;
    ended_ = std::move(result_);
    return;
  }
  base::Error error = ErrorFromStatus(status);
  error.kind = base::ErrorKind::kRetry;
  error.sent = base::Sent::kMaybe;
  // A Status from here has no code, or that of something inside the node.
  error.http_status = 0;
  const std::string message = Member(status, "message");
  error.message = "the command did not run to its end: " + (message.empty() ? "?" : message);
  ended_ = tl::unexpected(std::move(error));
}

}  // namespace rabbit::kube
