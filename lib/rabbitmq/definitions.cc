#include "rabbitmq/definitions.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/hash.h"
#include "base/json.h"
#include "rabbitmq/parse.h"
#include "rabbitmq/password_hash.h"
#include "rabbitmq/policy_check.h"

namespace rabbit::rabbitmq {
namespace {

using base::ErrorKind;
using base::Fail;
using base::Json;
using base::Result;

constexpr std::size_t kMaxEntryBytes = 1 << 20;

// A list of the document: what names its entries.
struct List {
  std::string_view list;
  std::string_view noun;
  std::array<std::string_view, 6> names;  // the last ones may be empty
  bool presence_only = false;             // an import changes nothing of what is there
};
constexpr List kLists[] = {
    {"users", "user", {"name"}},
    {"vhosts", "vhost", {"name"}, true},
    {"permissions", "permission", {"user", "vhost"}},
    {"topic_permissions", "topic permission", {"user", "vhost", "exchange"}},
    {"parameters", "parameter", {"component", "vhost", "name"}},
    {"global_parameters", "global parameter", {"name"}},
    {"policies", "policy", {"vhost", "name"}},
    {"queues", "queue", {"vhost", "name"}, true},
    {"exchanges", "exchange", {"vhost", "name"}, true},
    {"bindings",
     "binding",
     {"vhost", "source", "destination_type", "destination", "routing_key", "arguments"},
     true},
};

const List* FindList(std::string_view name) {
  const auto* found = std::ranges::find(kLists, name, &List::list);
  return found == std::ranges::end(kLists) ? nullptr : found;
}

// Its key, or the name that it lacks.
Result<DefinitionKey> KeyOf(const List& list, const Json& entry) {
  DefinitionKey key{.list = std::string(list.list), .names = {}};
  for (const std::string_view name : list.names) {
    if (name.empty()) break;
    const Json* value = base::Find(entry, {name});
    if (name == "arguments") {
      key.names.push_back(value == nullptr ? "{}" : base::Dump(*value));
    } else if (value == nullptr || !value->is_string()) {
      return Fail(ErrorKind::kInvalid, "has no " + std::string(name));
    } else {
      key.names.push_back(value->get<std::string>());
    }
  }
  return key;
}

std::vector<std::string> Tags(const Json& tags) {
  std::vector<std::string> list;
  if (tags.is_array()) {
    for (const Json& tag : tags) {
      if (tag.is_string()) list.push_back(tag.get<std::string>());
    }
  } else if (tags.is_string()) {
    std::string_view rest = tags.get_ref<const std::string&>();
    while (!rest.empty()) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      std::string_view tag = rest.substr(0, comma);
      while (tag.starts_with(' ')) tag.remove_prefix(1);
      while (tag.ends_with(' ')) tag.remove_suffix(1);
      if (!tag.empty()) list.emplace_back(tag);
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
  }
  std::ranges::sort(list);
  return list;
}

bool SameField(std::string_view field, const Json& wanted, const Json& actual) {
  if (field == "tags") return Tags(wanted) == Tags(actual);
  // An empty map is at times an empty list.
  const bool both_empty = (wanted.is_object() || wanted.is_array()) && wanted.empty() &&
                          (actual.is_object() || actual.is_array()) && actual.empty();
  return both_empty || wanted == actual;
}

// Which fields of its entries are secret.
std::vector<std::string_view> SecretFields(std::string_view list) {
  if (list == "users") return {"password", "password_hash"};
  if (list == "parameters" || list == "global_parameters") return {"value"};
  return {};
}

void AddTexts(const Json& value, std::vector<base::Secret>& texts) {
  if (value.is_string()) texts.emplace_back(value.get<std::string>());
  if (!value.is_structured()) return;
  for (const Json& part : value) AddTexts(part, texts);
}

std::string_view NameIn(const DefinitionKey& key, std::string_view what) {
  const List* list = FindList(key.list);
  for (std::size_t i = 0; list != nullptr && i < key.names.size(); ++i) {
    if (list->names[i] == what) return key.names[i];
  }
  return {};
}

}  // namespace

std::string_view VhostOf(const DefinitionKey& key) { return NameIn(key, "vhost"); }
std::string_view UserOf(const DefinitionKey& key) { return NameIn(key, "user"); }

std::string DigestOf(const Definitions& definitions) {
  std::string all;
  for (const auto& [key, text] : definitions) {
    all.append(key.list).append(1, ' ');
    auto entry = base::ParseJson(text.Reveal());
    if (entry && entry->is_object()) {
      for (const std::string_view field : SecretFields(key.list)) entry->erase(std::string(field));
      all.append(base::Dump(*entry));
    }
    all.append(1, '\n');
  }
  return base::ShortHash(all);
}

std::vector<base::Secret> SecretsIn(std::string_view document) {
  std::vector<base::Secret> texts;
  const auto json = base::ParseJson(document);
  if (!json || !json->is_object()) return texts;
  for (const auto& [list, entries] : json->items()) {
    for (const std::string_view field : SecretFields(list)) {
      for (const Json& entry : entries) {
        if (const Json* value = base::Find(entry, {field})) AddTexts(*value, texts);
      }
    }
  }
  return texts;
}

std::string RefusalOf(const DefinitionKey& key, const base::Secret& text, const Version& version) {
  const bool is_operators = key.list == "parameters" && key.names.front() == "operator_policy";
  if (key.list != "policies" && !is_operators) return {};
  auto entry = base::ParseJson(text.Reveal());
  if (!entry || !entry->is_object()) return {};
  if (is_operators) {
    Json value = entry->value("value", Json::object());
    if (!value.is_object()) return {};
    value["vhost"] = key.names[1];
    value["name"] = key.names[2];
    *entry = std::move(value);
  }
  const auto policy = ParsePolicy(base::Dump(*entry));
  if (!policy) return {};
  const auto issues = CheckPolicy(*policy, is_operators ? PolicyKind::kOperator : PolicyKind::kUser,
                                  {.version = version, .nodes = {}});
  const PolicyIssue* refusal = FirstRefusal(issues);
  return refusal == nullptr ? std::string() : refusal->message;
}

std::string DefinitionKey::ToString() const {
  const List* of = FindList(list);
  if (of == nullptr || names.empty()) return list;
  const auto named = [&](std::string_view what) -> std::string {
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (of->names[i] == what) return names[i];
    }
    return {};
  };
  std::string text(of->noun);
  if (list == "bindings") {
    text += " from " + named("source") + " to " + named("destination");
  } else if (list == "parameters") {
    text += " " + named("component") + " " + named("name");
  } else if (list == "permissions" || list == "topic_permissions") {
    text += " of user " + named("user");
  } else {
    text += " " + named("name");
  }
  if (!named("vhost").empty()) text += " in vhost " + named("vhost");
  return text;
}

DefinitionKey UserDefinition(std::string_view user) { return {"users", {std::string(user)}}; }
DefinitionKey VhostDefinition(std::string_view vhost) { return {"vhosts", {std::string(vhost)}}; }
DefinitionKey PermissionDefinition(std::string_view user, std::string_view vhost) {
  return {"permissions", {std::string(user), std::string(vhost)}};
}
DefinitionKey TopicPermissionDefinition(std::string_view user, std::string_view vhost,
                                        std::string_view exchange) {
  return {"topic_permissions", {std::string(user), std::string(vhost), std::string(exchange)}};
}
DefinitionKey PolicyDefinition(std::string_view vhost, std::string_view name) {
  return {"policies", {std::string(vhost), std::string(name)}};
}
DefinitionKey ParameterDefinition(std::string_view component, std::string_view vhost,
                                  std::string_view name) {
  return {"parameters", {std::string(component), std::string(vhost), std::string(name)}};
}

Result<Definitions> ParseDefinitions(std::string_view json) {
  const auto document = base::ParseJson(json);
  // Its message may quote the text, and with it a password.
  if (!document) return Fail(ErrorKind::kInvalid, "is not JSON");
  if (!document->is_object()) return Fail(ErrorKind::kInvalid, "is not a JSON object");
  Definitions definitions;
  for (const List& list : kLists) {
    const std::string name(list.list);
    const Json* entries = base::Find(*document, {name});
    if (entries == nullptr) continue;
    if (!entries->is_array()) return Fail(ErrorKind::kInvalid, name + ": must be a list");
    for (std::size_t i = 0; i < entries->size(); ++i) {
      const std::string at = name + "[" + std::to_string(i) + "]";
      const Json& entry = (*entries)[i];
      if (!entry.is_object()) return Fail(ErrorKind::kInvalid, at + ": must be an object");
      auto key = KeyOf(list, entry);
      if (!key) {
        std::string why = at + ": " + key.error().message;
        if (why.ends_with("has no vhost")) {
          why += ": definitions of one vhost alone cannot be imported, only those of a broker";
        }
        return Fail(ErrorKind::kInvalid, std::move(why));
      }
      if (!definitions.emplace(*key, base::Secret(base::Dump(entry))).second) {
        return Fail(ErrorKind::kInvalid, at + ": " + key->ToString() + " is there twice");
      }
    }
  }
  return definitions;
}

base::Secret ComposeDefinitions(const Definitions& definitions,
                                const std::vector<DefinitionKey>& keys) {
  std::string text = "{";
  for (const List& list : kLists) {
    std::string entries;
    for (const DefinitionKey& key : keys) {
      const auto found = key.list == list.list ? definitions.find(key) : definitions.end();
      if (found == definitions.end()) continue;
      entries += (entries.empty() ? "" : ",");
      entries += found->second.Reveal();
    }
    if (entries.empty()) continue;
    text += (text.size() == 1 ? "\"" : ",\"");
    text.append(list.list).append("\":[").append(entries).append("]");
  }
  return base::Secret(text + "}");
}

bool HasDefinition(const DefinitionKey& key, const base::Secret& wanted, std::string_view actual) {
  const List* list = FindList(key.list);
  if (list == nullptr || list->presence_only) return true;
  const auto want = base::ParseJson(wanted.Reveal());
  const auto have = base::ParseJson(actual);
  if (!want || !have || !want->is_object() || !have->is_object()) return false;
  for (const auto& [field, value] : want->items()) {
    if (key.list == "users" && field == "password" && value.is_string()) {
      const base::Secret password(value.get<std::string>());
      const base::Secret hash(base::FindString(*have, {"password_hash"}));
      if (!PasswordMatches(password, hash, base::FindString(*have, {"hashing_algorithm"}))) {
        return false;
      }
      continue;
    }
    const auto found = have->find(field);
    if (found != have->end() && !SameField(field, value, *found)) return false;
  }
  return true;
}

DefinitionsFinder::DefinitionsFinder(const Definitions& wanted) : wanted_(wanted) {
  for (const auto& [key, text] : wanted) {
    found_[key] = false;
    lists_.insert(key.list);
  }
}

Result<void> DefinitionsFinder::Feed(std::string_view data) {
  for (const char c : data) {
    if (auto done = OnByte(c); !done) return done;
  }
  return {};
}

Result<void> DefinitionsFinder::OnByte(char c) {
  const auto not_it = [] {
    return Fail(ErrorKind::kInternal, "the broker's definitions are not an object of lists");
  };
  const bool in_entry = depth_ >= 3;
  if ((in_entry && !passed_over_) || in_name_) {
    if (text_.size() == kMaxEntryBytes) {
      return Fail(ErrorKind::kInternal, "an entry of the broker's definitions is longer than " +
                                            std::to_string(kMaxEntryBytes) + " bytes");
    }
    text_ += c;
  }
  if (in_string_) {
    if (escaped_) {
      escaped_ = false;
    } else if (c == '\\') {
      escaped_ = true;
    } else if (c == '"') {
      in_string_ = false;
      if (in_name_) {
        text_.pop_back();
        passed_over_ = !lists_.contains(text_);
        list_ = text_;  // also the text of a plain member, which is then followed by no list
        in_name_ = false;
      }
    }
    return {};
  }
  const bool is_space = c == ' ' || c == '\n' || c == '\r' || c == '\t';
  if (ended_) return is_space ? Result<void>{} : Result<void>(not_it());
  if (c == '"') {
    in_string_ = true;
    in_name_ = depth_ == 1;
    if (in_name_) text_.clear();
  } else if (c == '{' || c == '[') {
    if (depth_ == 0 && c != '{') return not_it();
    if (++depth_ == 3) text_.assign(1, c);
  } else if (c == '}' || c == ']') {
    if (--depth_ < 0) return not_it();
    if (depth_ == 2) OnEntry();
    ended_ = depth_ == 0;
  } else if (depth_ == 0 && !is_space) {
    return not_it();
  }
  return {};
}

void DefinitionsFinder::OnEntry() {
  const List* list = passed_over_ ? nullptr : FindList(list_);
  if (list == nullptr) return;
  const auto entry = base::ParseJson(text_);
  if (!entry) return;
  const auto key = KeyOf(*list, *entry);
  if (!key) return;
  const auto wanted = wanted_.find(*key);
  if (wanted != wanted_.end()) found_[*key] = HasDefinition(*key, wanted->second, text_);
}

Result<std::vector<DefinitionKey>> DefinitionsFinder::Finish() const {
  if (!ended_) return Fail(ErrorKind::kInternal, "the broker's definitions end in the middle");
  std::vector<DefinitionKey> missing;
  for (const auto& [key, found] : found_) {
    if (!found) missing.push_back(key);
  }
  return missing;
}

}  // namespace rabbit::rabbitmq
