#include "operator/observe/packed.h"

#include <cstdint>
#include <cstring>
#include <type_traits>
#include <variant>

namespace rabbit::observe {
namespace {

// Both visit the fields in the order of Fields() below, so what one writes the other reads.
class Writer {
 public:
  void Text(const std::string& text) {
    Plain(static_cast<std::uint32_t>(text.size()));
    bytes_ += text;
  }
  void Optional(const std::optional<std::string>& text) {
    Plain(text.has_value());
    if (text) Text(*text);
  }
  template <typename T>
  void Plain(const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  // One byte for them together.
  void Flags(bool a, bool b, bool c) {
    Plain(static_cast<std::uint8_t>((a ? 1U : 0U) | (b ? 2U : 0U) | (c ? 4U : 0U)));
  }
  // A text that next to nobody has: one byte where it is empty.
  void Rare(const std::string& text) {
    Plain(!text.empty());
    if (!text.empty()) Text(text);
  }
  std::string Take() {
    bytes_.shrink_to_fit();
    return std::move(bytes_);
  }

 private:
  std::string bytes_;
};

class Reader {
 public:
  explicit Reader(const std::string& bytes) : rest_(bytes) {}
  void Text(std::string& text) {
    std::uint32_t size = 0;
    Plain(size);
    text.assign(rest_.substr(0, size));
    rest_.remove_prefix(size);
  }
  void Optional(std::optional<std::string>& text) {
    bool is_there = false;
    Plain(is_there);
    text.reset();
    if (is_there) Text(text.emplace());
  }
  void Flags(bool& a, bool& b, bool& c) {
    std::uint8_t flags = 0;
    Plain(flags);
    a = (flags & 1U) != 0;
    b = (flags & 2U) != 0;
    c = (flags & 4U) != 0;
  }
  void Rare(std::string& text) {
    bool is_there = false;
    Plain(is_there);
    text.clear();
    if (is_there) Text(text);
  }
  template <typename T>
  void Plain(T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    std::memcpy(&value, rest_.data(), sizeof value);
    rest_.remove_prefix(sizeof value);
  }

 private:
  std::string_view rest_;
};

// The cluster comes first: cluster() reads no further.
template <typename Archive, typename Key>
void Cluster(Archive& archive, Key& key) {
  archive.Text(key.ns);
  archive.Text(key.name);
}

template <typename Archive, typename T>
void ChildFields(Archive& archive, T& cached) {
  Cluster(archive, cached.cluster);
  archive.Plain(cached.id.type);
  archive.Text(cached.id.name);
  auto& child = cached.child;
  archive.Text(child.uid);
  archive.Text(child.resource_version);
  archive.Text(child.owner_uid);
  archive.Text(child.foreign_owner);
  archive.Text(child.applied_hash);
  archive.Plain(child.content_hash);
  archive.Plain(child.deleting);
}

template <typename Archive, typename T>
void Fields(Archive& archive, T& cached) {
  Cluster(archive, cached.cluster);
  if constexpr (std::is_same_v<std::remove_const_t<T>, CachedPod>) {
    archive.Plain(cached.broker);
    auto& pod = cached.pod;
    archive.Text(pod.name);
    archive.Text(pod.uid);
    archive.Text(pod.ip);
    archive.Text(pod.host);
    archive.Text(pod.image);
    archive.Text(pod.template_hash);
    archive.Text(pod.config_hash);
    archive.Text(pod.volume_uid);
    archive.Flags(pod.ready, pod.deleting, pod.preparing);
    archive.Rare(pod.tls);
    archive.Plain(pod.restarts);
    archive.Text(pod.trouble);
  } else {
    auto& claim = cached.claim;
    archive.Text(claim.name);
    archive.Text(claim.uid);
    archive.Text(claim.size);
    archive.Optional(claim.class_name);
    archive.Plain(claim.bound);
    archive.Plain(claim.deleting);
    archive.Plain(claim.owned);
  }
}

std::string ClusterOf(const std::string& bytes) {
  kube::ObjectKey key;
  Reader reader(bytes);
  Cluster(reader, key);
  return key.ToString();
}

}  // namespace

template <typename T>
Packed<T>::Packed(const T& value) {
  Writer writer;
  Fields(writer, value);
  bytes_ = writer.Take();
}

template <typename T>
T Packed<T>::Unpack() const {
  T value;
  Reader reader(bytes_);
  Fields(reader, value);
  return value;
}

template <typename T>
std::string Packed<T>::cluster() const {
  return ClusterOf(bytes_);
}

template class Packed<CachedPod>;
template class Packed<CachedClaim>;

Packed<CachedChild>::Packed(const CachedChild& child) {
  Writer writer;
  ChildFields(writer, child);
  bytes_ = writer.Take();
  if (!std::holds_alternative<std::monostate>(child.state)) {
    state_ = std::make_shared<const ChildState>(child.state);
  }
}

CachedChild Packed<CachedChild>::Unpack() const {
  CachedChild child;
  Reader reader(bytes_);
  ChildFields(reader, child);
  if (state_ != nullptr) child.state = *state_;
  return child;
}

std::string Packed<CachedChild>::cluster() const { return ClusterOf(bytes_); }

}  // namespace rabbit::observe
