// operator/commands/memory.h: how this process asks the C library and the kernel for memory.
#pragma once

namespace rabbit::commands {

// For many small, long-lived values and short-lived large buffers on many threads. Call it before
// other threads start.
void TuneAllocator();

// Gives back the pages of programs and libraries that only the start needed: the dynamic linker's
// tables, what parses options and kubeconfigs, initialisers. Nothing is lost: they are pages of
// files, unchanged, and come back from the page cache when they are used. Any thread, any time.
void DropStartupPages();

}  // namespace rabbit::commands
