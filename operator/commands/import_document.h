// operator/commands/import_document.h: the RabbitCluster that describes what a broker holds:
// cluster name, vhosts, users, policies and operator policies, as they are. Pure.
//
// Applied to the very same broker it changes nothing there: an entry that the API cannot say as it
// is (by the rules of operator/api, or for want of a password) is left out whole, because half of
// it would take the other half away, and told.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "rabbitmq/view.h"

namespace rabbit::commands {

struct ImportNames {
  std::string name;  // of the RabbitCluster; empty: made of the broker's cluster name
  std::string ns;    // empty: none is said
  std::string from;  // where the view came from, for the comments
};

struct ImportDocument {
  std::string yaml;  // one document; the comments tell what to do before it is applied
  // What is not in it: one printable line each ("policy a in vhost /: …"). In the comments, too.
  std::vector<std::string> left_out;
};

// Of a view with every part read but the queues. An error says which one could not be; a broker
// without limits of users (kNotFound) has none.
[[nodiscard]] base::Result<ImportDocument> DescribeBroker(const rabbitmq::BrokerView& view,
                                                          const ImportNames& names);

// "rabbit@Old.example.com" is "rabbit-old-example-com": a RabbitCluster may be called so.
[[nodiscard]] std::string NameOfCluster(std::string_view broker_name);

// Where `user`'s password is to be put before the document is applied.
[[nodiscard]] std::string ImportedSecretName(std::string_view cluster, std::string_view user);

}  // namespace rabbit::commands
