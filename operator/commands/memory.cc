#include "operator/commands/memory.h"

#include <link.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>

namespace rabbit::commands {
namespace {

int DropReadOnlySegments(dl_phdr_info* object, std::size_t /*size*/, void* /*unused*/) {
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const ElfW(Phdr)& segment = object->dlpi_phdr[i];
    // What is writable, or was until it had been relocated, holds more than its file does.
    if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0) continue;
    const std::uintptr_t begin = object->dlpi_addr + segment.p_vaddr;
    const std::uintptr_t end = begin + segment.p_filesz;
    const std::uintptr_t first = begin / page * page;
    // It is advice: where the kernel does not take it, the pages stay.
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the loader gives addresses as numbers
    madvise(reinterpret_cast<void*>(first), end - first, MADV_DONTNEED);
  }
  return 0;
}

}  // namespace

void TuneAllocator() {
  // glibc's malloc sets itself up at its first call, and takes no lock for that. Where another
  // allocator stands before it (a sanitizer's), that would be the trim of two watchers at once.
  malloc_trim(0);
  // Every thread that frees memory would keep an arena of its own: one is enough, and gives back.
  mallopt(M_ARENA_MAX, 1);
  // Large buffers come and go with each list and answer: not between what stays.
  mallopt(M_MMAP_THRESHOLD, 64 << 10);
  mallopt(M_TRIM_THRESHOLD, 256 << 10);
}

void DropStartupPages() { dl_iterate_phdr(DropReadOnlySegments, nullptr); }

}  // namespace rabbit::commands
