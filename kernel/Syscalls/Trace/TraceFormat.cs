// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Syscalls.Trace;

/// <summary>How a value is printed in a trace. The names are the "format" words of syscalls.yaml.</summary>
public enum TraceFormat
{
    /// <summary>Decimal.</summary>
    Dec,

    /// <summary>Hexadecimal with 0x.</summary>
    Hex,

    /// <summary>Octal with 0o.</summary>
    Oct,

    /// <summary>A device number: major:minor.</summary>
    Dev,

    /// <summary>A descriptor or AT_FDCWD, with the path it stands for.</summary>
    Dirfd,

    /// <summary>A descriptor, with the path of its file.</summary>
    Fd,

    /// <summary>A user or group ID; all ones is -1, "leave it".</summary>
    Id,

    /// <summary>A wait status, taken apart as by WIFEXITED and its like.</summary>
    WaitStatus,

    /// <summary>A pointer to a path.</summary>
    Path,

    /// <summary>An address and nothing more.</summary>
    Ptr,

    /// <summary>A pointer to a NUL-terminated string.</summary>
    String,

    /// <summary>A signal handler: SIG_DFL, SIG_IGN or its address.</summary>
    SigHandler,

    /// <summary>The 64 bits of a signal set.</summary>
    SigsetValue,

    /// <summary>A resource limit; all ones is RLIM_INFINITY.</summary>
    Rlimit,

    /// <summary>Bytes in memory, quoted.</summary>
    Bytes,

    /// <summary>A select(2) bit set in memory.</summary>
    Fdset,

    /// <summary>An iovec in memory, with what it points to.</summary>
    Iovec,

    /// <summary>A struct mmsghdr in memory.</summary>
    Mmsghdr,

    /// <summary>A struct msghdr in memory.</summary>
    Msghdr,

    /// <summary>A siginfo_t in memory.</summary>
    Siginfo,

    /// <summary>A signal set in memory.</summary>
    Sigset,

    /// <summary>A socket address in memory.</summary>
    Sockaddr,

    /// <summary>A NULL-terminated array of strings in memory.</summary>
    StringVector,

    /// <summary>A struct utsname in memory.</summary>
    Utsname,

    /// <summary>A named value or or-ed bits.</summary>
    Flags,

    /// <summary>A structure with fields.</summary>
    Struct,
}

/// <summary>Which way the bytes behind a pointer travel.</summary>
public enum TraceDirection
{
    /// <summary>The argument is no pointer to a described type.</summary>
    None,

    /// <summary>The kernel reads them.</summary>
    In,

    /// <summary>The kernel writes them: shown on exit only.</summary>
    Out,

    /// <summary>Both.</summary>
    InOut,
}
