"""BPF without a compiler: an assembler, and the kernel's commands to load, attach and run what it makes."""
