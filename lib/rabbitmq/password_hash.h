// lib/rabbitmq/password_hash.h: the broker's password hashes: base64(salt + digest(salt +
// password)), with a salt of four bytes. The broker returns them unchanged, so a password is
// compared by hashing it again with the stored salt. Pure functions, thread-safe.
#pragma once

#include <string_view>

#include "base/error.h"
#include "base/random.h"
#include "base/secret.h"

namespace rabbit::rabbitmq {

inline constexpr std::string_view kSha256 = "rabbit_password_hashing_sha256";
inline constexpr std::string_view kSha512 = "rabbit_password_hashing_sha512";

// With a fresh salt. kInvalid for another algorithm and for an empty password (the broker would
// make a user who cannot log in).
[[nodiscard]] base::Result<base::Secret> HashPassword(const base::Secret& password,
                                                      std::string_view algorithm,
                                                      base::Random& random);

// Whether `stored` was made from `password`. False as well for an unknown algorithm and for a hash
// that is not one: writing the user again then repairs both.
[[nodiscard]] bool PasswordMatches(const base::Secret& password, const base::Secret& stored,
                                   std::string_view algorithm);

}  // namespace rabbit::rabbitmq
