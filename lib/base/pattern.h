// lib/base/pattern.h: compiled PCRE2 patterns. A Pattern is a value that can be moved; one thread
// at a time. Memory and nesting are bounded by PCRE2, and so is what a match may take.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace rabbit::base {

class Pattern {
 public:
  enum class Dialect {
    kSchema,  // of our own rules: text is UTF-8, and `$` is the very end, as in RE2
    kErlang,  // as re:run/2 takes it, and so the broker: bytes, with PCRE's defaults
  };

  // kInvalid with what is wrong and at which offset: "missing closing parenthesis at 3".
  [[nodiscard]] static Result<Pattern> Compile(std::string_view text, Dialect dialect);

  Pattern(Pattern&&) noexcept;
  Pattern& operator=(Pattern&&) noexcept;
  ~Pattern();

  // Whether the pattern matches somewhere in `subject` (for kSchema: valid UTF-8). A match that
  // takes too many steps is none.
  [[nodiscard]] bool Matches(std::string_view subject) const;

 private:
  struct Code;
  explicit Pattern(std::unique_ptr<Code> code);
  std::unique_ptr<Code> code_;
};

}  // namespace rabbit::base
