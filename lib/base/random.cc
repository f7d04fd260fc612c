#include "base/random.h"

#include <openssl/rand.h>

#include <cstdlib>
#include <limits>
#include <string_view>

#include "base/hash.h"

namespace rabbit::base {

std::string SystemRandom::Bytes(std::size_t count) {
  std::string bytes(count, '\0');
  // No entropy: a predictable password would be worse than a crash.
  if (count > static_cast<std::size_t>(std::numeric_limits<int>::max()) ||
      RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(count)) != 1) {
    std::abort();
  }
  return bytes;
}

std::string SequenceRandom::Bytes(std::size_t count) {
  std::string bytes;
  while (bytes.size() < count) bytes += Sha256(std::to_string(next_.fetch_add(1)));
  bytes.resize(count);
  return bytes;
}

std::string RandomAlphanumeric(Random& random, std::size_t length) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  // Bytes from here on would make the first characters of the alphabet likelier.
  constexpr std::size_t kLimit = 256 / kAlphabet.size() * kAlphabet.size();
  std::string text;
  while (text.size() < length) {
    for (const char c : random.Bytes(length - text.size())) {
      const auto byte = static_cast<unsigned char>(c);
      if (byte < kLimit) text += kAlphabet[byte % kAlphabet.size()];
    }
  }
  return text;
}

Duration Jitter(Random& random, Duration base, double fraction) {
  std::uint64_t bits = 0;
  for (const char c : random.Bytes(8)) bits = bits << 8 | static_cast<unsigned char>(c);
  const double part = static_cast<double>(bits >> 11) * 0x1p-53;  // [0, 1)
  const double extra = static_cast<double>(base.count()) * fraction * part;
  return base + Duration(static_cast<Duration::rep>(extra));
}

}  // namespace rabbit::base
