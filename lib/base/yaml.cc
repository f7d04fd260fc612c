#include "base/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

#include "base/json.h"
#include "base/utf8.h"
#include "base/yaml_scalar.h"

namespace rabbit::base {
namespace {

constexpr std::size_t kMaxDepth = 100;
constexpr std::size_t kMaxAliasedNodes = 1000;

std::string At(const YAML::Mark& mark) {
  if (mark.is_null()) return "";
  return "line " + std::to_string(mark.line + 1) + ", column " + std::to_string(mark.column + 1) +
         ": ";
}

// yaml-cpp takes 0x04 for the end of the text, and repairs bad UTF-8 silently.
Result<void> CheckCharacters(std::string_view text) {
  int line = 1;
  while (!text.empty()) {
    const std::size_t length = Utf8Length(text);
    const auto c = static_cast<unsigned char>(text[0]);
    if (length == 0 || c == 0x7F || (c < 0x20 && c != '\t' && c != '\n' && c != '\r')) {
      return Fail(ErrorKind::kInvalid, "line " + std::to_string(line) +
                                           (length == 0 ? ": not UTF-8" : ": a control character"));
    }
    if (c == '\n') ++line;
    text.remove_prefix(length);
  }
  return {};
}

// Leaves the parser from within its callbacks; caught in ParseYaml().
struct Refused {
  std::string message;
};

[[noreturn]] void Refuse(const YAML::Mark& mark, const std::string& why) {
  throw Refused{At(mark) + why};
}

std::string_view ShortTag(std::string_view tag) {
  constexpr std::string_view kCore = "tag:yaml.org,2002:";
  return tag.starts_with(kCore) ? tag.substr(kCore.size()) : std::string_view();
}

std::size_t CountNodes(const Json& value) {
  std::size_t count = 1;
  if (value.is_structured()) {
    for (const Json& child : value) count += CountNodes(child);
  }
  return count;
}

// The text that `scalar` has as a key of an object, or nothing for null.
struct KeyText {
  std::optional<std::string> operator()(std::nullptr_t) const { return std::nullopt; }
  std::optional<std::string> operator()(NotANumber) const { return std::nullopt; }
  std::optional<std::string> operator()(const std::string& text) const { return text; }
  std::optional<std::string> operator()(bool value) const { return value ? "true" : "false"; }
  template <typename T>
  std::optional<std::string> operator()(T value) const {
    return Dump(Json(value));
  }
};

// Builds one document from the parser's events.
class Builder final : public YAML::EventHandler {
 public:
  // What the document holds; null for an empty one.
  Json Take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    AddScalar(mark, anchor, nullptr);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    if (tag == "?" && value == "<<" && IsKeyNext()) Refuse(mark, "merge keys are not supported");
    AddScalar(mark, anchor, Resolve(mark, tag, value));
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    // An anchor is known from its end on, so a value cannot contain itself.
    if (found == anchors_.end()) Refuse(mark, "the alias stands inside of what it names");
    if (IsKeyNext()) Refuse(mark, "an alias cannot be a key");
    aliased_ += CountNodes(found->second);
    if (aliased_ > kMaxAliasedNodes) Refuse(mark, "aliases expand to too many nodes");
    Place(Json(found->second));
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    if (!IsDefaultTag(tag) && ShortTag(tag) != "seq") Refuse(mark, "tag " + tag + " is not known");
    Open(mark, anchor, Json::array());
  }
  void OnSequenceEnd() override { Close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    if (!IsDefaultTag(tag) && ShortTag(tag) != "map") Refuse(mark, "tag " + tag + " is not known");
    Open(mark, anchor, Json::object());
  }
  void OnMapEnd() override { Close(); }

 private:
  struct Frame {
    Json value;
    std::optional<std::string> key;  // of a map, read and waiting for its value
    YAML::anchor_t anchor;
  };

  static bool IsDefaultTag(const std::string& tag) {
    return tag.empty() || tag == "?" || tag == "!";
  }

  bool IsKeyNext() const {
    return !open_.empty() && open_.back().value.is_object() && !open_.back().key;
  }

  static YamlScalar Resolve(const YAML::Mark& mark, const std::string& tag,
                            const std::string& value) {
    if (tag == "?") return ResolvePlainScalar(value);
    if (tag == "!" || ShortTag(tag) == "str") return value;
    YamlScalar scalar = ResolvePlainScalar(value);
    const std::string_view kind = ShortTag(tag);
    const bool is_int = std::holds_alternative<std::int64_t>(scalar) ||
                        std::holds_alternative<std::uint64_t>(scalar);
    const bool fits = (kind == "int" && is_int) ||
                      (kind == "bool" && std::holds_alternative<bool>(scalar)) ||
                      (kind == "null" && std::holds_alternative<std::nullptr_t>(scalar)) ||
                      (kind == "float" && (is_int || std::holds_alternative<double>(scalar)));
    if (fits) return scalar;
    if (kind == "int" || kind == "bool" || kind == "null" || kind == "float") {
      Refuse(mark, "the value is not of its tag " + tag);
    }
    Refuse(mark, "tag " + tag + " is not known");
  }

  void AddScalar(const YAML::Mark& mark, YAML::anchor_t anchor, const YamlScalar& scalar) {
    if (std::holds_alternative<NotANumber>(scalar)) Refuse(mark, "JSON has no such number");
    if (IsKeyNext()) {
      const std::optional<std::string> key = std::visit(KeyText(), scalar);
      if (!key) Refuse(mark, "null cannot be a key");
      if (open_.back().value.contains(*key)) Refuse(mark, "key \"" + *key + "\" stands here twice");
      open_.back().key = *key;
      return;
    }
    Json value = std::visit(
        [](const auto& v) {
          if constexpr (std::is_same_v<std::decay_t<decltype(v)>, NotANumber>) {
            return Json();
          } else {
            return Json(v);
          }
        },
        scalar);
    if (anchor != 0) anchors_[anchor] = value;
    Place(std::move(value));
  }

  void Open(const YAML::Mark& mark, YAML::anchor_t anchor, Json empty) {
    if (IsKeyNext()) Refuse(mark, "only a scalar can be a key");
    if (open_.size() >= kMaxDepth) Refuse(mark, "nested too deep");
    open_.push_back({std::move(empty), std::nullopt, anchor});
  }

  void Close() {
    Frame frame = std::move(open_.back());
    open_.pop_back();
    if (frame.anchor != 0) anchors_[frame.anchor] = frame.value;
    Place(std::move(frame.value));
  }

  void Place(Json value) {
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (Frame& frame = open_.back(); frame.value.is_array()) {
      frame.value.push_back(std::move(value));
    } else {
      frame.value[*frame.key] = std::move(value);
      frame.key.reset();
    }
  }

  Json root_;
  std::vector<Frame> open_;
  std::map<YAML::anchor_t, Json> anchors_;
  std::size_t aliased_ = 0;
};

}  // namespace

Result<std::vector<nlohmann::json>> ParseYaml(std::string_view text) {
  if (auto ok = CheckCharacters(text); !ok) return tl::unexpected(ok.error());
  std::vector<Json> documents;
  try {
    std::istringstream in{std::string(text)};
    YAML::Parser parser(in);
    for (;;) {
      Builder builder;
      if (!parser.HandleNextDocument(builder)) return documents;
      Json document = builder.Take();
      if (!document.is_null()) documents.push_back(std::move(document));
    }
  } catch (const Refused& refused) {
    return Fail(ErrorKind::kInvalid, refused.message);
  } catch (const YAML::Exception& error) {
    return Fail(ErrorKind::kInvalid, At(error.mark) + error.msg);
  } catch (const std::exception&) {
    return Fail(ErrorKind::kInvalid, "not YAML");
  }
}

}  // namespace rabbit::base
