#include "operator/resources/own_user.h"

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "operator/resources/names.h"

namespace rabbit::resources {

std::vector<std::string> ImportCommand() {
  return {"/bin/sh", "-c",
          R"(umask 077; f=/tmp/.rabbit-operator-user; trap "rm -f $f" EXIT; rm -f $f; )"
          R"(IFS= read -r line; printf %s "$line" >$f; )"
          R"(rabbitmqctl -q -t 30 import_definitions --format json $f)"};
}

base::Secret OwnUserDefinition(const base::Secret& hash, std::string_view algorithm) {
  const base::Json user = {{"name", kOperatorUser},
                           {"password_hash", hash.Reveal()},
                           {"hashing_algorithm", algorithm},
                           {"tags", "administrator"}};
  return base::Secret(base::Dump({{"users", base::Json::array({user})}}) + "\n");
}

}  // namespace rabbit::resources
