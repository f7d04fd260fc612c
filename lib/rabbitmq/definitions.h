// lib/rabbitmq/definitions.h: what a broker exports and imports: users, vhosts, permissions,
// policies, parameters, queues, exchanges, bindings, as one JSON document. Values and pure
// functions. Read leniently, as versions differ in it: an entry is only asked for what names it.
// The texts may hold passwords (users, shovels), so they are Secrets.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/secret.h"
#include "rabbitmq/version.h"

namespace rabbit::rabbitmq {

// What names an entry: its list ("policies"), and its vhost, name and the like there, in the order
// of the table in definitions.cc.
struct DefinitionKey {
  std::string list;
  std::vector<std::string> names;
  auto operator<=>(const DefinitionKey&) const = default;
  // "policy half in vhost /": for people.
  [[nodiscard]] std::string ToString() const;
};

// Keys by which others ask.
[[nodiscard]] DefinitionKey UserDefinition(std::string_view user);
[[nodiscard]] DefinitionKey VhostDefinition(std::string_view vhost);
[[nodiscard]] DefinitionKey PermissionDefinition(std::string_view user, std::string_view vhost);
[[nodiscard]] DefinitionKey TopicPermissionDefinition(std::string_view user, std::string_view vhost,
                                                      std::string_view exchange);
[[nodiscard]] DefinitionKey PolicyDefinition(std::string_view vhost, std::string_view name);
[[nodiscard]] DefinitionKey ParameterDefinition(std::string_view component, std::string_view vhost,
                                                std::string_view name);

using Definitions = std::map<DefinitionKey, base::Secret>;  // the text of each: a JSON object

// Of those that were looked for, which the broker does not have, or has different. (Compared by the
// pointer: another one was another look.)
struct MissingDefinitions {
  std::shared_ptr<const Definitions> of;
  std::vector<DefinitionKey> keys;
  bool operator==(const MissingDefinitions&) const = default;
};

// The vhost and the user that the entry is of; empty: of none.
[[nodiscard]] std::string_view VhostOf(const DefinitionKey& key);
[[nodiscard]] std::string_view UserOf(const DefinitionKey& key);

// A digest that tells other definitions, and nothing of a secret: it is made without passwords,
// their hashes, and the values of parameters.
[[nodiscard]] std::string DigestOf(const Definitions& definitions);

// The passwords, hashes and texts in values of parameters of a document that is to be imported.
[[nodiscard]] std::vector<base::Secret> SecretsIn(std::string_view document);

// Why a broker of this version would refuse the entry; empty: it may take it. Of policies and
// operator policies; the others are left to the broker.
[[nodiscard]] std::string RefusalOf(const DefinitionKey& key, const base::Secret& text,
                                    const Version& version);

// kInvalid says what is wrong, and where. What is no list (the version that exported it) is left
// out, and so are lists that no version knows.
[[nodiscard]] base::Result<Definitions> ParseDefinitions(std::string_view json);

// The document of these of them, as the broker imports it.
[[nodiscard]] base::Secret ComposeDefinitions(const Definitions& definitions,
                                              const std::vector<DefinitionKey>& keys);

// Whether the broker has the entry as it is wanted. A vhost, queue, exchange or binding that is
// there is not changed by an import: it is enough that it is there. Of others each field counts
// that the broker shows. A password is compared with the hash.
[[nodiscard]] bool HasDefinition(const DefinitionKey& key, const base::Secret& wanted,
                                 std::string_view actual);

// Reads what a broker exports, as it streams in, and finds the wanted that it has not. Its memory
// does not grow with what else there is. Not thread-safe.
class DefinitionsFinder {
 public:
  explicit DefinitionsFinder(const Definitions& wanted);
  // Any cut of the text. After an error it must not be used again.
  [[nodiscard]] base::Result<void> Feed(std::string_view data);
  // Those that are not there, or differ, sorted. kInternal when the text has not ended.
  [[nodiscard]] base::Result<std::vector<DefinitionKey>> Finish() const;

 private:
  [[nodiscard]] base::Result<void> OnByte(char c);
  void OnEntry();

  const Definitions& wanted_;
  std::map<DefinitionKey, bool> found_;
  std::set<std::string, std::less<>> lists_;  // of the wanted: others are passed over
  std::string list_;                          // the member of the document that is being read
  std::string text_;                          // of its name, or of an entry
  int depth_ = 0;  // of brackets: 1 in the document, 2 in a list of it, 3 in an entry
  bool in_string_ = false, escaped_ = false;
  bool in_name_ = false;
  bool passed_over_ = false;  // the list that is being read
  bool ended_ = false;
};

}  // namespace rabbit::rabbitmq
