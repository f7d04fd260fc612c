// Describe(): the words for a step. Never a secret: passwords, hashes and standard input stay out.
#include "operator/plan/plan.h"
#include "operator/plan/words.h"

namespace rabbit::plan {
namespace {

std::string Text(const CreateObject& step) {
  return "create " + std::string(step.type.kind()) + " " + step.name;
}
std::string Text(const CreateSecretOnce& step) { return "create Secret " + step.name; }
std::string Text(const HandOverSecret& step) { return "change the owner of Secret " + step.name; }
std::string Text(const ApplyObject& step) {
  return "apply " + std::string(step.type.kind()) + " " + step.name;
}
std::string Text(const DeleteObject& step) {
  return "delete " + std::string(step.type.kind()) + " " + step.name;
}
std::string Text(const PutClusterName& step) { return "set the cluster name " + Quoted(step.name); }
std::string Text(const PutVhost& step) { return "write vhost " + Shortened(step.name); }
std::string Text(const PutUser& step) { return "write user " + Shortened(step.name); }
std::string Text(const DeleteUser& step) { return "delete user " + Shortened(step.name); }
std::string Text(const PutPermissions& step) {
  return "write permissions of user " + Shortened(step.user) + " in vhost " + Shortened(step.vhost);
}
std::string Text(const DeletePermissions& step) {
  return "delete permissions of user " + Shortened(step.user) + " in vhost " +
         Shortened(step.vhost);
}
std::string Text(const PutPolicy& step) {
  return "write policy " + Shortened(step.name) + " in vhost " + Shortened(step.vhost);
}
std::string Text(const DeletePolicy& step) {
  return "delete policy " + Shortened(step.name) + " in vhost " + Shortened(step.vhost);
}
std::string Text(const ExecInPod& step) {
  std::string command;
  for (const std::string& word : step.command) {
    if (!command.empty()) command += ' ';
    command += word;
  }
  return "run " + Quoted(command, 120) + " in pod " + step.pod;
}

}  // namespace

std::string Describe(const Step& step) {
  return std::visit([](const auto& action) { return Text(action); }, step.action);
}

}  // namespace rabbit::plan
