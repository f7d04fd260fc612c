#include "base/secret.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <cstdlib>
#include <ostream>
#include <utility>

#include "base/random.h"

namespace rabbit::base {
namespace {

// The whole buffer: a shorter value that was assigned later leaves the tail of the longer one.
void Wipe(std::string& text) {
  text.resize(text.capacity());
  OPENSSL_cleanse(text.data(), text.size());
  text.clear();
}

}  // namespace

Secret::Secret(std::string value) : value_(value) { Wipe(value); }
Secret::~Secret() { Wipe(value_); }
Secret::Secret(const Secret& other) = default;

Secret::Secret(Secret&& other) noexcept : value_(std::move(other.value_)) { Wipe(other.value_); }

Secret& Secret::operator=(const Secret& other) {
  if (this != &other) {
    Wipe(value_);
    value_ = other.value_;
  }
  return *this;
}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    Wipe(value_);
    value_ = std::move(other.value_);
    Wipe(other.value_);
  }
  return *this;
}

std::string Secret::Digest() const {
  // Made once a process, so that a digest in a log cannot be tried against a list of passwords.
  static const std::string kKey = SystemRandom().Bytes(32);
  std::array<unsigned char, 32> mac{};
  unsigned int size = 0;
  if (HMAC(EVP_sha256(), kKey.data(), static_cast<int>(kKey.size()),
           reinterpret_cast<const unsigned char*>(value_.data()), value_.size(), mac.data(),
           &size) == nullptr) {
    std::abort();
  }
  constexpr std::string_view kHexDigits = "0123456789abcdef";
  std::string text = "secret:";
  for (std::size_t i = 0; i < 4; ++i) {
    text += kHexDigits[mac[i] >> 4];
    text += kHexDigits[mac[i] & 15];
  }
  return text;
}

bool operator==(const Secret& a, const Secret& b) {
  return a.value_.size() == b.value_.size() &&
         CRYPTO_memcmp(a.value_.data(), b.value_.data(), a.value_.size()) == 0;
}

void PrintTo(const Secret& secret, std::ostream* out) { *out << secret.Digest(); }

}  // namespace rabbit::base
