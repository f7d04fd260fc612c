#include "rabbitmq/password_hash.h"

#include <openssl/evp.h>

#include <array>
#include <string>

#include "base/hash.h"

namespace rabbit::rabbitmq {
namespace {

using base::ErrorKind;
using base::Fail;
using base::Result;
using base::Secret;

constexpr std::size_t kSaltBytes = 4;

const EVP_MD* DigestOf(std::string_view algorithm) {
  if (algorithm == kSha256) return EVP_sha256();
  if (algorithm == kSha512) return EVP_sha512();
  return nullptr;
}

Result<Secret> Hash(const Secret& password, const EVP_MD* digest, std::string_view salt) {
  Secret salted(std::string(salt) + std::string(password.Reveal()));
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned int size = 0;
  if (EVP_Digest(salted.Reveal().data(), salted.Reveal().size(), bytes.data(), &size, digest,
                 nullptr) != 1) {
    return Fail(ErrorKind::kInternal, "hash a password: OpenSSL refused");
  }
  return Secret(base::Base64Encode(std::string(salt) +
                                   std::string(reinterpret_cast<const char*>(bytes.data()), size)));
}

}  // namespace

Result<Secret> HashPassword(const Secret& password, std::string_view algorithm,
                            base::Random& random) {
  const EVP_MD* digest = DigestOf(algorithm);
  if (digest == nullptr) {
    return Fail(ErrorKind::kInvalid,
                "hash a password: unknown algorithm " + std::string(algorithm));
  }
  if (password.empty()) return Fail(ErrorKind::kInvalid, "hash a password: it is empty");
  return Hash(password, digest, random.Bytes(kSaltBytes));
}

bool PasswordMatches(const Secret& password, const Secret& stored, std::string_view algorithm) {
  const EVP_MD* digest = DigestOf(algorithm);
  if (digest == nullptr || password.empty()) return false;
  const auto raw = base::Base64Decode(stored.Reveal());
  if (!raw || raw->size() != kSaltBytes + static_cast<std::size_t>(EVP_MD_size(digest))) {
    return false;
  }
  const auto again = Hash(password, digest, std::string_view(*raw).substr(0, kSaltBytes));
  return again && *again == stored;
}

}  // namespace rabbit::rabbitmq
