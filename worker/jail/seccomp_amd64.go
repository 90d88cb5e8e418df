package jail

import "golang.org/x/sys/unix"

// auditArch is what the kernel calls the architecture. The x32 calls of an amd64
// kernel have it too, and numbers that no rule has.
const auditArch = unix.AUDIT_ARCH_X86_64
