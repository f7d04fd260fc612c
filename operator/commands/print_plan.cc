#include "operator/commands/print_plan.h"

#include <string_view>
#include <vector>

namespace rabbit::commands {
namespace {

// A heading with its lines, or nothing without lines.
void AddPart(std::string& text, std::string_view heading, const std::vector<std::string>& lines) {
  if (lines.empty()) return;
  text.append(heading).append(":\n");
  for (const std::string& line : lines) text.append("  ").append(line).append("\n");
}

std::vector<std::string> StepLines(const std::vector<plan::Step>& steps) {
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const plan::Step& step = steps[i];
    std::string line = std::to_string(i + 1) + ". " + plan::Describe(step);
    // Steps are counted from 1 here, as people do.
    if (step.after) line += ", after " + std::to_string(*step.after + 1);
    if (!step.reason.empty()) line += ": " + step.reason;
    if (step.repairs_drift) line += " (repair)";
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace

std::string PrintPlan(const api::RabbitCluster& cluster, const plan::Plan& plan) {
  std::vector<std::string> problems, waits, warnings;
  for (const plan::Problem& problem : plan.problems) {
    problems.push_back(problem.reason + (problem.needs_person ? " (needs a person): " : ": ") +
                       problem.message);
  }
  for (const plan::Wait& wait : plan.waits) waits.push_back(wait.reason + ": " + wait.message);
  for (const plan::Warning& warning : plan.warnings) warnings.push_back(warning.message);
  for (const api::SpecWarning& warning : cluster.findings.warnings) {
    warnings.push_back(warning.path + ": " + warning.message);
  }
  for (const std::string& path : cluster.findings.unknown_fields) {
    warnings.push_back(path + ": no such field; it has no effect");
  }

  std::string text = "RabbitCluster " + cluster.meta.key.ToString() + "\n";
  AddPart(text, "problems", problems);
  AddPart(text, "warnings", warnings);
  AddPart(text, "waits for", waits);
  AddPart(text, "would do", StepLines(plan.steps));
  AddPart(text, "would do if spec.paused were false", StepLines(plan.held));
  if (plan.steps.empty() && plan.held.empty()) text += "nothing to do\n";
  return text;
}

}  // namespace rabbit::commands
