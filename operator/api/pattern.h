// operator/api/pattern.h: compiled PCRE2 patterns, for the rules of fields. (The patterns that
// users write are checked by rabbitmq/policy_check.h.) A Pattern is a value that can be moved; one
// thread at a time.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace rabbit::api {

class Pattern {
 public:
  // kInvalid with what is wrong and at which offset. Memory and nesting are bounded by PCRE2.
  [[nodiscard]] static base::Result<Pattern> Compile(std::string_view text);

  Pattern(Pattern&&) noexcept;
  Pattern& operator=(Pattern&&) noexcept;
  ~Pattern();

  // Whether the pattern matches somewhere in `subject` (valid UTF-8). `$` is the very end, as in
  // RE2. A match that takes too many steps is none.
  [[nodiscard]] bool Matches(std::string_view subject) const;

 private:
  struct Code;
  explicit Pattern(std::unique_ptr<Code> code);
  std::unique_ptr<Code> code_;
};

}  // namespace rabbit::api
