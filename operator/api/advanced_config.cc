#include "operator/api/advanced_config.h"

#include <algorithm>
#include <array>
#include <vector>

namespace rabbit::api {
namespace {

// The first elements of tuples that the operator keeps to itself.
constexpr std::array<std::string_view, 9> kOwned{
    "cluster_nodes",     "cluster_formation", "cluster_name",  "default_user", "default_pass",
    "default_user_tags", "default_vhost",     "tcp_listeners", "ssl_listeners"};

bool IsAtomCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '@';
}

// Walks Erlang terms token by token; strings, binaries' texts and comments are skipped whole.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  std::optional<std::string> Error() {
    for (std::string_view token = Next(); !token.empty(); token = Next()) {
      if (!problem_.empty()) break;
      if (ended_) return At("nothing may follow the dot that ends the list");
      if (std::optional<std::string> error = Take(token)) return error;
      before_ = token;
    }
    if (!problem_.empty()) return At(problem_);
    if (!begun_) return std::nullopt;
    if (!open_.empty()) return At("a '" + std::string(1, open_.back()) + "' is not closed");
    if (!ended_) return At("the list must end with a dot");
    return std::nullopt;
  }

 private:
  std::optional<std::string> Take(std::string_view token) {
    const char c = token.front();
    if (!begun_ && c != '[') return At("must be one list: [ … ].");
    begun_ = true;
    if (c == '[' || c == '{' || c == '(') {
      open_.push_back(c);
    } else if (c == ']' || c == '}' || c == ')') {
      const char opening = c == ']' ? '[' : c == '}' ? '{' : '(';
      if (open_.empty() || open_.back() != opening)
        return At("a '" + std::string(1, c) + "' too many");
      open_.pop_back();
    } else if (c == '.' && open_.empty()) {
      ended_ = true;
    } else if (open_.empty()) {
      return At("must be one list: [ … ].");
    } else if (before_ == "{") {
      std::string_view atom = token;
      if (c == '\'' && atom.size() >= 2) atom = atom.substr(1, atom.size() - 2);
      if (std::find(kOwned.begin(), kOwned.end(), atom) != kOwned.end()) {
        return At(std::string(atom) + " belongs to the operator");
      }
    }
    return std::nullopt;
  }

  // The next token, or "" at the end. Anything but names, quoted texts and brackets is one
  // character.
  std::string_view Next() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '\n') ++line_;
      if (c == '%') {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
        ++at_;
      } else {
        break;
      }
    }
    if (at_ == text_.size()) return {};
    const std::size_t start = at_;
    const char c = text_[at_++];
    if (c == '"' || c == '\'') {
      Quoted(c);
    } else if (c == '$') {
      // A character: $a, $\n
      at_ = std::min(at_ + (text_.substr(at_).starts_with('\\') ? 2 : 1), text_.size());
    } else if (IsAtomCharacter(c)) {
      while (at_ < text_.size() &&
             (IsAtomCharacter(text_[at_]) || (text_[at_] == '.' && IsNumber(start)))) {
        ++at_;
      }
    }
    return text_.substr(start, at_ - start);
  }

  // Whether what began at `start` is digits, and a digit follows the dot: 0.4
  [[nodiscard]] bool IsNumber(std::size_t start) const {
    const bool digits = std::all_of(text_.begin() + static_cast<std::ptrdiff_t>(start),
                                    text_.begin() + static_cast<std::ptrdiff_t>(at_),
                                    [](char c) { return c >= '0' && c <= '9'; });
    return digits && at_ + 1 < text_.size() && text_[at_ + 1] >= '0' && text_[at_ + 1] <= '9';
  }

  void Quoted(char quote) {
    while (at_ < text_.size() && text_[at_] != quote) {
      if (text_[at_] == '\n') ++line_;
      at_ += text_[at_] == '\\' ? 2 : 1;
    }
    if (at_ >= text_.size()) {
      at_ = text_.size();
      problem_ = "a quote is not closed";
    } else {
      ++at_;
    }
  }

  [[nodiscard]] std::string At(const std::string& what) const {
    return "line " + std::to_string(line_) + ": " + what;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int line_ = 1;
  std::vector<char> open_;
  std::string_view before_;
  std::string problem_;
  bool begun_ = false;
  bool ended_ = false;
};

}  // namespace

std::optional<std::string> AdvancedConfigError(std::string_view text) {
  return Scanner(text).Error();
}

}  // namespace rabbit::api
