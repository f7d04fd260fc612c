#include "operator/commands/print_plan.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "operator/plan/words.h"

namespace rabbit::commands {
namespace {

using base::Json;

// More of a value is of no use on a terminal; JSON has all of it.
constexpr std::size_t kLongestValue = 200;
constexpr std::size_t kMostLines = 1'000;  // that are compared one by one

enum class Colour { kNone, kAdd, kChange, kRemove, kRun, kBold, kWarn };

class Text {
 public:
  explicit Text(bool colours) : colours_(colours) {}
  void Line(std::size_t indent, std::string_view line, Colour colour = Colour::kNone) {
    text_.append(indent, ' ');
    Append(line, colour);
    text_ += '\n';
  }
  void Append(std::string_view part, Colour colour) {
    const bool plain = !colours_ || colour == Colour::kNone;
    if (!plain) text_ += CodeOf(colour);
    text_ += part;
    if (!plain) text_ += "\033[0m";
  }
  void Indent(std::size_t count) { text_.append(count, ' '); }
  void End() { text_ += '\n'; }
  std::string Take() { return std::move(text_); }

 private:
  static std::string_view CodeOf(Colour colour) {
    switch (colour) {
      case Colour::kAdd:
        return "\033[32m";
      case Colour::kChange:
        return "\033[33m";
      case Colour::kRemove:
        return "\033[31m";
      case Colour::kRun:
        return "\033[36m";
      case Colour::kWarn:
        return "\033[35m";
      case Colour::kBold:
        return "\033[1m";
      case Colour::kNone:
        break;
    }
    return "";
  }
  const bool colours_;
  std::string text_;
};

std::pair<std::string_view, Colour> SignOf(Kind kind) {
  switch (kind) {
    case Kind::kCreate:
      return {"+", Colour::kAdd};
    case Kind::kDelete:
      return {"-", Colour::kRemove};
    case Kind::kRun:
      return {">", Colour::kRun};
    case Kind::kChange:
      break;
  }
  return {"~", Colour::kChange};
}

std::vector<std::string> LinesOf(const std::string& text) {
  std::vector<std::string> lines;
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

// The text in a JSON string of several lines.
std::optional<std::string> LongText(const std::optional<std::string>& value) {
  if (!value) return std::nullopt;
  const auto parsed = base::ParseJson(*value);
  if (!parsed || !parsed->is_string()) return std::nullopt;
  auto text = parsed->get<std::string>();
  if (text.find('\n') == std::string::npos) return std::nullopt;
  return text;
}

// The lines that differ, by their longest common subsequence.
void PrintLines(Text& text, std::size_t indent, const std::vector<std::string>& before,
                const std::vector<std::string>& after) {
  std::vector<std::vector<std::size_t>> common(before.size() + 1,
                                               std::vector<std::size_t>(after.size() + 1, 0));
  for (std::size_t i = before.size(); i-- > 0;) {
    for (std::size_t j = after.size(); j-- > 0;) {
      common[i][j] = before[i] == after[j] ? common[i + 1][j + 1] + 1
                                           : std::max(common[i + 1][j], common[i][j + 1]);
    }
  }
  const auto shown = [](const std::string& line) { return plan::Shortened(line, kLongestValue); };
  std::size_t i = 0, j = 0;
  while (i < before.size() || j < after.size()) {
    if (i < before.size() && j < after.size() && before[i] == after[j]) {
      ++i, ++j;
    } else if (j == after.size() || (i < before.size() && common[i + 1][j] >= common[i][j + 1])) {
      text.Line(indent, "- " + shown(before[i++]), Colour::kRemove);
    } else {
      text.Line(indent, "+ " + shown(after[j++]), Colour::kAdd);
    }
  }
}

void PrintDifference(Text& text, std::size_t indent, const base::Difference& difference) {
  const auto before = LongText(difference.before);
  const auto after = LongText(difference.after);
  if (before && after) {
    const auto one = LinesOf(*before);
    const auto other = LinesOf(*after);
    if (one.size() <= kMostLines && other.size() <= kMostLines) {
      text.Line(indent, difference.path + ":");
      PrintLines(text, indent + 2, one, other);
      return;
    }
  }
  const auto value = [](const std::optional<std::string>& json) {
    return json ? plan::Shortened(*json, kLongestValue) : std::string("(none)");
  };
  text.Indent(indent);
  text.Append(difference.path + ": ", Colour::kNone);
  if (difference.before) text.Append(value(difference.before), Colour::kRemove);
  if (difference.before) text.Append(" -> ", Colour::kNone);
  text.Append(value(difference.after), difference.after ? Colour::kAdd : Colour::kNone);
  text.End();
}

void PrintSteps(Text& text, std::string_view heading, const std::vector<plan::Step>& steps,
                const std::vector<StepChanges>& changes) {
  if (steps.empty()) return;
  text.Line(0, heading);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const plan::Step& step = steps[i];
    const StepChanges none;
    const StepChanges& of_it = i < changes.size() ? changes[i] : none;
    const auto [sign, colour] = SignOf(of_it.kind);
    text.Indent(2);
    text.Append(std::to_string(i + 1) + ". ", Colour::kNone);
    text.Append(std::string(sign) + " " + plan::Describe(step), colour);
    std::string rest;
    // Steps are counted from 1 here, as people do.
    if (step.after) rest += ", after " + std::to_string(*step.after + 1);
    if (!step.reason.empty()) rest += ": " + step.reason;
    if (step.repairs_drift) rest += " (repair)";
    text.Append(rest, Colour::kNone);
    text.End();
    for (const base::Difference& difference : of_it.changes) PrintDifference(text, 7, difference);
  }
}

void PrintPart(Text& text, std::string_view heading, const std::vector<std::string>& lines,
               Colour colour) {
  if (lines.empty()) return;
  text.Line(0, heading, colour);
  for (const std::string& line : lines) text.Line(2, line);
}

std::vector<std::string> ProblemLines(const plan::Plan& plan) {
  std::vector<std::string> lines;
  for (const plan::Problem& problem : plan.problems) {
    lines.push_back(problem.reason + (problem.needs_person ? " (needs a person): " : ": ") +
                    problem.message);
  }
  return lines;
}

std::vector<std::string> WarningLines(const ClusterPlan& of) {
  std::vector<std::string> lines;
  for (const plan::Warning& warning : of.plan.warnings) lines.push_back(warning.message);
  for (const api::SpecWarning& warning : of.cluster.findings.warnings) {
    lines.push_back(warning.path + ": " + warning.message);
  }
  for (const std::string& path : of.cluster.findings.unknown_fields) {
    lines.push_back(path + ": no such field; it has no effect");
  }
  for (const std::string& path : of.plan.fields_without_effect) {
    lines.push_back(path + ": this version of the operator does not act on it yet");
  }
  return lines;
}

std::vector<std::string> WaitLines(const plan::Plan& plan) {
  std::vector<std::string> lines;
  for (const plan::Wait& wait : plan.waits) lines.push_back(wait.reason + ": " + wait.message);
  return lines;
}

bool HasSteps(const ClusterPlan& plan) {
  return !plan.plan.steps.empty() || !plan.plan.held.empty();
}

bool FileChanges(const ClusterPlan& plan) { return plan.is_new || !plan.declared.empty(); }

// ---- JSON

Json ValueJson(const std::optional<std::string>& text) {
  if (!text) return nullptr;
  auto value = base::ParseJson(*text);
  return value ? std::move(*value) : Json(*text);
}

Json ChangesJson(const std::vector<base::Difference>& changes) {
  Json list = Json::array();
  for (const base::Difference& change : changes) {
    list.push_back({{"path", change.path},
                    {"old", ValueJson(change.before)},
                    {"new", ValueJson(change.after)}});
  }
  return list;
}

std::string_view NameOf(Kind kind) {
  switch (kind) {
    case Kind::kCreate:
      return "create";
    case Kind::kDelete:
      return "delete";
    case Kind::kRun:
      return "run";
    case Kind::kChange:
      break;
  }
  return "change";
}

Json StepsJson(const std::vector<plan::Step>& steps, const std::vector<StepChanges>& changes) {
  Json list = Json::array();
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const StepChanges none;
    const StepChanges& of_it = i < changes.size() ? changes[i] : none;
    Json entry = {{"number", i + 1},
                  {"action", NameOf(of_it.kind)},
                  {"step", plan::Describe(steps[i])},
                  {"reason", steps[i].reason},
                  {"repair", steps[i].repairs_drift},
                  {"changes", ChangesJson(of_it.changes)}};
    if (steps[i].after) entry["after"] = *steps[i].after + 1;
    list.push_back(std::move(entry));
  }
  return list;
}

Json ClusterJson(const ClusterPlan& of) {
  const auto told = [](const auto& entries) {
    Json list = Json::array();
    for (const auto& entry : entries) {
      list.push_back({{"reason", entry.reason}, {"message", entry.message}});
    }
    return list;
  };
  Json problems = told(of.plan.problems);
  for (std::size_t i = 0; i < problems.size(); ++i) {
    problems[i]["needsPerson"] = of.plan.problems[i].needs_person;
  }
  Json cluster = {
      {"namespace", of.cluster.meta.key.ns},
      {"name", of.cluster.meta.key.name},
      {"exitCode", ExitCodeOf(of)},
      {"broker", {{"seen", !of.broker.empty()}, {"by", of.broker}, {"trouble", of.broker_trouble}}},
      {"paused", of.cluster.spec.paused},
      {"notes", of.notes},
      {"steps", StepsJson(of.plan.steps, of.steps)},
      {"held", StepsJson(of.plan.held, of.held)},
      {"problems", std::move(problems)},
      {"waits", told(of.plan.waits)},
      {"warnings", WarningLines(of)}};
  if (!of.file.empty()) {
    cluster["file"] = of.file;
    cluster["new"] = of.is_new;
    cluster["declared"] = ChangesJson(of.declared);
  }
  return cluster;
}

}  // namespace

int ExitCodeOf(const ClusterPlan& plan) {
  if (plan.plan.unplanned) return kCannotTell;
  if (HasSteps(plan) || FileChanges(plan)) return kSomethingToDo;
  if (!plan.broker_trouble.empty()) return kCannotTell;
  return plan.plan.waits.empty() && plan.plan.problems.empty() ? kNothingToDo : kSomethingToDo;
}

std::string PrintPlan(const ClusterPlan& of, bool colours) {
  Text text(colours);
  text.Append("RabbitCluster " + of.cluster.meta.key.ToString(), Colour::kBold);
  if (!of.file.empty()) text.Append(" as of " + of.file, Colour::kNone);
  text.End();
  if (!of.broker.empty()) text.Line(0, "broker: " + of.broker);
  if (!of.broker_trouble.empty()) {
    text.Line(0, "broker not looked at: " + of.broker_trouble, Colour::kWarn);
    text.Line(0, "what is at the broker is no part of this plan");
  }
  PrintPart(text, "note:", of.notes, Colour::kNone);
  PrintPart(text, "problems:", ProblemLines(of.plan), Colour::kRemove);
  PrintPart(text, "warnings:", WarningLines(of), Colour::kWarn);
  if (of.is_new) text.Line(0, "the file creates this RabbitCluster", Colour::kAdd);
  if (!of.declared.empty()) {
    text.Line(0, "the file changes what is declared:");
    for (const base::Difference& difference : of.declared) PrintDifference(text, 2, difference);
  }
  PrintSteps(text, "the operator would:", of.plan.steps, of.steps);
  PrintSteps(text, "the operator would, were spec.paused false:", of.plan.held, of.held);
  PrintPart(text, "and waits for:", WaitLines(of.plan), Colour::kNone);
  if (of.plan.unplanned) {
    text.Line(0, "nothing is planned: " + of.plan.unplanned->because, Colour::kRemove);
  } else if (!of.plan.steps.empty() || !of.plan.waits.empty() || of.plan.look_at_broker) {
    text.Line(0, "and then looks again: what follows from that shows only then");
  } else if (ExitCodeOf(of) == kNothingToDo) {
    text.Line(0, "nothing to do");
  } else if (of.plan.held.empty()) {
    text.Line(0, "nothing for the operator to do");
  }
  return text.Take();
}

std::string PrintJson(const std::vector<ClusterPlan>& plans) {
  Json clusters = Json::array();
  for (const ClusterPlan& plan : plans) clusters.push_back(ClusterJson(plan));
  return base::DumpPretty({{"clusters", std::move(clusters)}}) + "\n";
}

}  // namespace rabbit::commands
