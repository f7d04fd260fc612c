#include "base/pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <array>

namespace rabbit::base {
namespace {

struct Rules {
  std::uint32_t flags, most_steps;  // of one match: our subjects are short
};
Rules RulesOf(Pattern::Dialect dialect) {
  if (dialect == Pattern::Dialect::kErlang) return {0, 10'000};
  return {PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C, 100'000};
}

}  // namespace

struct Pattern::Code {
  Code(pcre2_code* c, pcre2_match_data* d, pcre2_match_context* x) : code(c), data(d), context(x) {}
  Code(const Code&) = delete;
  Code& operator=(const Code&) = delete;
  ~Code() {
    pcre2_match_context_free(context);
    pcre2_match_data_free(data);
    pcre2_code_free(code);
  }
  pcre2_code* code;
  pcre2_match_data* data;
  pcre2_match_context* context;
};

Pattern::Pattern(std::unique_ptr<Code> code) : code_(std::move(code)) {}
Pattern::Pattern(Pattern&&) noexcept = default;
Pattern& Pattern::operator=(Pattern&&) noexcept = default;
Pattern::~Pattern() = default;

Result<Pattern> Pattern::Compile(std::string_view text, Dialect dialect) {
  const Rules rules = RulesOf(dialect);
  int error = 0;
  PCRE2_SIZE offset = 0;
  pcre2_code* code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(),
                                   rules.flags, &error, &offset, nullptr);
  if (code == nullptr) {
    std::array<PCRE2_UCHAR, 256> message{};
    pcre2_get_error_message(error, message.data(), message.size());
    return Fail(ErrorKind::kInvalid, reinterpret_cast<const char*>(message.data()) +
                                         std::string(" at ") + std::to_string(offset));
  }
  pcre2_match_context* context = pcre2_match_context_create(nullptr);
  pcre2_set_match_limit(context, rules.most_steps);
  return Pattern(
      std::make_unique<Code>(code, pcre2_match_data_create_from_pattern(code, nullptr), context));
}

bool Pattern::Matches(std::string_view subject) const {
  return pcre2_match(code_->code, reinterpret_cast<PCRE2_SPTR>(subject.data()), subject.size(), 0,
                     0, code_->data, code_->context) >= 0;
}

}  // namespace rabbit::base
