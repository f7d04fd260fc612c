// Describe(): the words for a step. Never a secret: passwords, hashes and standard input stay out.
#include "operator/plan/plan.h"
#include "operator/plan/policies.h"
#include "operator/plan/words.h"
#include "operator/resources/names.h"

namespace rabbit::plan {
namespace {

std::string Text(const CreateObject& step) {
  return "create " + std::string(step.type.kind()) + " " + step.name;
}
std::string Text(const CreateSecretOnce& step) { return "create Secret " + step.name; }
std::string Text(const ChangeSecret& step) {
  return "change the " + step.what + " of Secret " + step.name;
}
std::string Text(const ApplyObject& step) {
  return "apply " + std::string(step.type.kind()) + " " + step.name;
}
std::string Text(const DeleteObject& step) {
  return "delete " + std::string(step.type.kind()) + " " + step.name;
}
std::string Text(const PutClusterName& step) { return "set the cluster name " + Quoted(step.name); }
std::string Text(const PutVhost& step) { return "write vhost " + Shortened(step.name); }
std::string Text(const DeleteVhost& step) {
  return "delete vhost " + Shortened(step.name) + (step.if_empty ? "" : " with all that is in it");
}
std::string Text(const PutVhostLimit& step) {
  return "set limit " + step.limit + " of vhost " + Shortened(step.vhost) + " to " +
         std::to_string(step.value);
}
std::string Text(const DeleteVhostLimit& step) {
  return "remove limit " + step.limit + " of vhost " + Shortened(step.vhost);
}
std::string Text(const PutUser& step) { return "write user " + Shortened(step.name); }
std::string Text(const DeleteUser& step) { return "delete user " + Shortened(step.name); }
std::string Text(const PutUserLimit& step) {
  return "set limit " + step.limit + " of user " + Shortened(step.user) + " to " +
         std::to_string(step.value);
}
std::string Text(const DeleteUserLimit& step) {
  return "remove limit " + step.limit + " of user " + Shortened(step.user);
}
std::string Text(const PutPermissions& step) {
  return "write permissions of user " + Shortened(step.user) + " in vhost " + Shortened(step.vhost);
}
std::string Text(const DeletePermissions& step) {
  return "delete permissions of user " + Shortened(step.user) + " in vhost " +
         Shortened(step.vhost);
}
std::string Text(const PutTopicPermission& step) {
  return "write topic permission of user " + Shortened(step.user) + " on exchange " +
         Shortened(step.exchange) + " in vhost " + Shortened(step.vhost);
}
std::string Text(const DeleteTopicPermission& step) {
  return "delete topic permission of user " + Shortened(step.user) + " on exchange " +
         Shortened(step.exchange) + " in vhost " + Shortened(step.vhost);
}
std::string Text(const PutPolicy& step) {
  return "write " + PolicySubject(Shortened(step.vhost), Shortened(step.name), step.kind);
}
std::string Text(const DeletePolicy& step) {
  return "delete " + PolicySubject(Shortened(step.vhost), Shortened(step.name), step.kind);
}
std::string Text(const ImportDefinitions& step) {
  return "import definitions of " + step.source + ": " + step.list + " (" +
         (step.entries == 1 ? "1 entry" : std::to_string(step.entries) + " entries") + ")";
}
std::string Text(const EnableFlag& step) { return "enable feature flag " + Shortened(step.name); }
std::string Text(const SetPlugins& step) {
  return "enable plugins " + Listed(step.plugins, 10) + " in pod " + step.pod;
}
std::string Text(const ExecInPod& step) {
  std::string command;
  for (const std::string& word : step.command) {
    if (!command.empty()) command += ' ';
    command += word;
  }
  return "run " + Quoted(command, 120) + " in pod " + step.pod;
}
std::string Text(const ResetOwnUser& step) {
  return "set user " + std::string(resources::kOperatorUser) + " anew in pod " + step.pod;
}

}  // namespace

std::string Describe(const Step& step) {
  return std::visit([](const auto& action) { return Text(action); }, step.action);
}

}  // namespace rabbit::plan
