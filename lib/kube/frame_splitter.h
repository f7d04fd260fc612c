// lib/kube/frame_splitter.h: the lines of a watch stream, whatever way the network cut it.
// A last line without its newline is never handed out: the stream was cut there.
// Memory: one unfinished line at most. Not thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace rabbit::kube {

class FrameSplitter {
 public:
  // A longer line is an error; etcd takes objects of up to 1.5 MiB, and JSON adds some.
  static constexpr std::size_t kMaxFrame = 8 << 20;

  explicit FrameSplitter(std::size_t max_frame_bytes = kMaxFrame) : max_(max_frame_bytes) {}

  // Calls `frame(std::string_view line)`, which returns Result<void>, for each line that `data`
  // ends. Empty lines are left out. The first error ends the call and is returned.
  template <typename Frame>
  base::Result<void> Feed(std::string_view data, Frame&& frame) {
    while (!data.empty()) {
      const auto newline = data.find('\n');
      const std::string_view piece = data.substr(0, newline);
      if (rest_.size() + piece.size() > max_) {
        return base::Fail(base::ErrorKind::kInternal, "a line of the watch is too long");
      }
      if (newline == std::string_view::npos) {
        rest_.append(piece);
        return {};
      }
      data.remove_prefix(newline + 1);
      std::string_view line = piece;
      if (!rest_.empty()) line = rest_.append(piece);
      base::Result<void> result;
      if (!line.empty()) result = frame(line);
      if (rest_.capacity() > kKeep) {
        rest_ = {};
      } else {
        rest_.clear();
      }
      if (!result) return result;
    }
    return {};
  }

 private:
  static constexpr std::size_t kKeep = 64 << 10;  // capacity that is kept between lines

  const std::size_t max_;
  std::string rest_;
};

}  // namespace rabbit::kube
