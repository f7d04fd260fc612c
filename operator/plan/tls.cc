#include "operator/plan/tls.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <vector>

#include "http/certificate.h"
#include "operator/plan/broker_gate.h"
#include "operator/plan/words.h"
#include "operator/resources/names.h"
#include "operator/resources/tls.h"
#include "rabbitmq/tls_config.h"

namespace rabbit::plan {
namespace {

using observe::SecretState;
using resources::PodTls;

constexpr std::chrono::hours kSoon(7 * 24);

// When it should have been renewed long ago. Of one that lasts for days only, as some authorities
// make them, that is the last quarter.
base::WallTime::duration Soon(const http::CertificateFacts& facts) {
  return std::min<base::WallTime::duration>(kSoon, (facts.not_after - facts.not_before) / 4);
}

// Without the time of day: people renew by days.
std::string Day(base::WallTime time) { return base::FormatTime(time).substr(0, 10); }

class TlsPlanner {
 public:
  TlsPlanner(const api::RabbitCluster& cluster, const observe::Observation& seen,
             const std::string& broker_image, const std::string& domain, Plan& plan)
      : cluster_(cluster),
        seen_(seen),
        broker_image_(broker_image),
        domain_(domain),
        plan_(plan),
        tls_(resources::PodTlsOf(*cluster.spec.tls)) {}

  std::optional<Wait> Run() {
    CheckVersions();
    const auto certificate =
        Value(tls_.secret, resources::kTlsCertificateKey, "spec.tls.secretRef");
    const auto key = Value(tls_.secret, resources::kTlsPrivateKeyKey, "spec.tls.secretRef");
    const auto ca = Value(tls_.ca.name, tls_.ca.key, CaField());
    const auto facts = certificate ? Judge(*certificate, key, ca) : std::nullopt;
    if (!usable_) {
      return Wait{Aspect::kChildren, "TlsWaiting",
                  "nothing is changed at nodes, proxies and Services before what spec.tls names "
                  "can be used"};
    }
    SayDates(*facts);
    SayNames(*facts);
    SayShown(*facts);
    return std::nullopt;
  }

 private:
  [[nodiscard]] const char* CaField() const {
    return cluster_.spec.tls->ca_secret_ref ? "spec.tls.caSecretRef" : "spec.tls.secretRef";
  }
  static std::string Named(const char* field, const std::string& secret) {
    return std::string(field) + ": Secret " + secret;
  }

  void CheckVersions() {
    const auto version = rabbitmq::VersionOfImage(broker_image_);
    if (tls_.mode == api::TlsMode::kOnly) SayMetricsInClear(version);
    if (cluster_.spec.tls->min_version != api::TlsVersion::kTls13 || !version ||
        rabbitmq::CanSpeakTls13Alone(*version)) {
      return;
    }
    NeedsPerson("UnsupportedField", "spec.tls.minVersion: RabbitMQ " + version->ToString() +
                                        " does not start with TLSv1.3 alone: take TLSv1.2, which "
                                        "speaks both, or an image of 3.10 or later");
  }

  void SayMetricsInClear(const std::optional<rabbitmq::Version>& version) {
    if (version && !rabbitmq::KeepsPlainMetrics(*version)) return;
    const std::string what =
        version ? "RabbitMQ " + version->ToString() +
                      " serves metrics on port 15692 as before, without TLS: take an image of 3.12 "
                      "or later"
                : "the image's tag says no version, and brokers from 3.11 on then go on serving "
                  "metrics on port 15692 without TLS: take a tag that begins with the version";
    plan_.warnings.push_back({"MetricsInClear", "spec.tls.mode Only: " + what +
                                                    ", or close that port by a NetworkPolicy"});
  }

  // `reaches`: brokers that run come to read it, too.
  void NeedsPerson(std::string reason, std::string message, bool reaches = false) {
    usable_ = false;
    message += reaches ? "; pods mount this Secret: brokers that run read it within minutes, and "
                         "then refuse TLS: put what serves there now"
                       : "; what runs is left as it is";
    AddProblem(plan_, {.aspect = Aspect::kChildren,
                       .reason = std::move(reason),
                       .message = std::move(message),
                       .needs_person = true});
  }

  // The kubelet brings what is in a Secret to the pods that mount it, whatever it is. Where a key
  // that they mount is missing, or the whole Secret, their files stay as they are.
  [[nodiscard]] bool IsMounted(const std::string& secret) const {
    return std::ranges::any_of(seen_.nodes, [&](const observe::Pod& pod) {
      const auto tls = resources::PodTlsFrom(pod.tls);
      return tls && !pod.deleting && (tls->secret == secret || tls->ca.name == secret);
    });
  }

  std::optional<base::Secret> Value(const std::string& name, const std::string& key,
                                    const char* field) {
    const auto found = seen_.secrets.find(name);
    const observe::SecretView unread;
    const observe::SecretView& secret = found == seen_.secrets.end() ? unread : found->second;
    if (secret.state == SecretState::kUnknown) {
      usable_ = false;
      AddWait(plan_, {Aspect::kChildren, "SecretUnknown",
                      Named(field, name) + (secret.trouble.empty()
                                                ? " is yet to be read"
                                                : " could not be read: " + secret.trouble)});
      return std::nullopt;
    }
    if (secret.state == SecretState::kAbsent) {
      NeedsPerson("SecretMissing",
                  Named(field, name) + " does not exist: create it with " + KeysOf(name));
      return std::nullopt;
    }
    const auto value = secret.data.find(key);
    if (value != secret.data.end() && !value->second.empty()) return value->second;
    const bool is_empty = value != secret.data.end();
    std::string message = Named(field, name) +
                          (is_empty ? " has nothing under key " : " has no key ") + key +
                          ": add it";
    if (!cluster_.spec.tls->ca_secret_ref && key == resources::kCaKey) {
      message += ", or name the authorities by spec.tls.caSecretRef";
    }
    NeedsPerson("SecretKeyMissing", std::move(message), is_empty && IsMounted(name));
    return std::nullopt;
  }

  // All that are wanted of this Secret.
  [[nodiscard]] std::string KeysOf(const std::string& name) const {
    std::vector<std::string> keys;
    if (name == tls_.secret) keys = {resources::kTlsCertificateKey, resources::kTlsPrivateKeyKey};
    if (name == tls_.ca.name) keys.push_back(tls_.ca.key);
    return (keys.size() == 1 ? "key " : "keys ") + Listed(keys);
  }

  std::optional<http::CertificateFacts> Judge(const base::Secret& certificate,
                                              const std::optional<base::Secret>& key,
                                              const std::optional<base::Secret>& ca) {
    const auto invalid = [&](const std::string& secret, const std::string& data_key,
                             const std::string& what, const char* field) {
      NeedsPerson("SecretInvalid",
                  Named(field, secret) + ", key " + data_key + ": " + what + ": replace it",
                  IsMounted(secret));
    };
    auto facts = http::ReadCertificate(certificate.Reveal());
    auto whole = facts ? http::CheckCertificates(certificate.Reveal())
                       : base::Result<void>(tl::unexpected(facts.error()));
    if (!whole) {
      invalid(tls_.secret, resources::kTlsCertificateKey, whole.error().message,
              "spec.tls.secretRef");
    } else if (key) {
      if (const auto fits = http::CheckKey(certificate.Reveal(), *key); !fits) {
        invalid(tls_.secret, resources::kTlsPrivateKeyKey, fits.error().message,
                "spec.tls.secretRef");
      }
    }
    if (ca) {
      if (const auto read = http::CheckCertificates(ca->Reveal()); !read) {
        invalid(tls_.ca.name, tls_.ca.key, read.error().message, CaField());
      }
    }
    return facts ? std::optional(std::move(*facts)) : std::nullopt;
  }

  void Warn(std::string reason, std::string what) {
    plan_.warnings.push_back(
        {std::move(reason), "certificate in Secret " + tls_.secret + ": " + std::move(what)});
  }

  void SayDates(const http::CertificateFacts& facts) {
    if (seen_.wall_now == base::WallTime{}) return;
    if (seen_.wall_now >= facts.not_after) {
      Warn("CertificateExpired",
           "expired on " + Day(facts.not_after) + ": clients refuse it; renew it");
    } else if (facts.not_after - seen_.wall_now < Soon(facts)) {
      Warn("CertificateExpires", "expires on " + Day(facts.not_after) + ": renew it");
    } else if (seen_.wall_now < facts.not_before) {
      Warn("CertificateNotYetValid",
           "is not valid before " + Day(facts.not_before) + ": clients refuse it until then");
    }
  }

  void SayNames(const http::CertificateFacts& facts) {
    const std::vector<std::string> names = resources::NodeTlsNames(cluster_.meta.key, 0, domain_);
    const bool one_serves = std::ranges::any_of(
        names, [&](const std::string& name) { return http::IsFor(facts, name); });
    if (one_serves) return;
    Warn("CertificateNames",
         "is for " + (facts.names.empty() ? std::string("no name") : Listed(facts.names, 3)) +
             ", and for none of this cluster's: wanted are " +
             resources::WantedTlsNames(cluster_.meta.key));
  }

  // Brokers read renewed files by themselves, some minutes after the Secret has changed.
  void SayShown(const http::CertificateFacts& facts) {
    if (seen_.broker.served == nullptr) return;
    std::vector<std::string> others;
    std::vector<std::string> untold;
    for (const observe::ServedCertificate& node : *seen_.broker.served) {
      if (!ShowsThisSecret(node.pod) || node.fingerprint == facts.fingerprint) continue;
      (node.fingerprint.empty() ? untold : others).push_back(node.pod);
    }
    if (!others.empty()) {
      plan_.warnings.push_back(
          {"CertificateRotating", Listed(others) + (others.size() == 1 ? " shows " : " show ") +
                                      kRotating + tls_.secret +
                                      " yet: brokers read a renewed one by themselves, within "
                                      "minutes"});
    } else if (untold.empty() && !seen_.broker.served->empty()) {
      plan_.certificate_live = "every node that speaks TLS shows the certificate in Secret " +
                               tls_.secret + ", valid until " + Day(facts.not_after);
    }
  }

  [[nodiscard]] bool ShowsThisSecret(const std::string& name) const {
    const auto pod = std::ranges::find(seen_.nodes, name, &observe::Pod::name);
    if (pod == seen_.nodes.end()) return false;
    const auto speaks = resources::PodTlsFrom(pod->tls);
    return speaks && speaks->secret == tls_.secret;
  }

  const api::RabbitCluster& cluster_;
  const observe::Observation& seen_;
  const std::string& broker_image_;
  const std::string& domain_;
  Plan& plan_;
  const PodTls tls_;
  bool usable_ = true;
};

// What pods mount that were made before something else was declared. Nothing else looks after it.
void SayMissedByPods(const api::RabbitCluster& cluster, const observe::Observation& seen,
                     Plan& plan) {
  const auto declared =
      cluster.spec.tls ? std::optional(resources::PodTlsOf(*cluster.spec.tls)) : std::nullopt;
  const auto is_missed = [&](const std::string& secret) {
    if (declared && (declared->secret == secret || declared->ca.name == secret)) return false;
    const auto view = seen.secrets.find(secret);
    return view != seen.secrets.end() && view->second.state == SecretState::kAbsent;
  };
  std::map<std::string, std::vector<std::string>> missed;  // and whose pods mount it
  for (const observe::Pod& pod : seen.nodes) {
    const auto tls = resources::PodTlsFrom(pod.tls);
    if (!tls || pod.deleting) continue;
    for (const std::string& secret : std::set{tls->secret, tls->ca.name}) {
      if (is_missed(secret)) missed[secret].push_back(pod.name);
    }
  }
  for (const auto& [secret, pods] : missed) {
    const bool one = pods.size() == 1;
    plan.warnings.push_back(
        {"SecretMissing", Listed(pods) + " still " + (one ? "mounts" : "mount") + " Secret " +
                              secret + ", which does not exist: put it back until " +
                              (one ? "it is" : "they are") + " made anew, or " +
                              (one ? "it does" : "they do") + " not start again"});
  }
}

}  // namespace

std::optional<Wait> PlanTls(const api::RabbitCluster& cluster, const observe::Observation& seen,
                            const std::string& broker_image, const std::string& domain,
                            Plan& plan) {
  SayMissedByPods(cluster, seen, plan);
  if (!cluster.spec.tls) return std::nullopt;
  return TlsPlanner(cluster, seen, broker_image, domain, plan).Run();
}

}  // namespace rabbit::plan
