// SPDX-License-Identifier: Apache-2.0
using System.Runtime.InteropServices;

namespace CVisor.Host;

/// <summary>The page of machine code behind every host call, fault-tolerant copy and child process.</summary>
/// <remarks>
/// The page is mapped once, on first use, before any seccomp filter is installed; afterwards no libc function is needed
/// to talk to the host. The source is generators/MachineCode/HostCode.cs.
/// </remarks>
internal static unsafe partial class HostCode
{
    private const int ProtRead = 1, ProtWrite = 2, ProtExec = 4, MapPrivate = 2, MapAnonymous = 0x20;
    private const int SigBus = 7, SigSegv = 11, SigSys = 31, SysRtSigaction = 13, PageBytes = 4096;
    private const ulong SaSiginfo = 4, SaRestorer = 0x04000000, SaOnStack = 0x08000000, SaNoDefer = 0x40000000;

    /// <summary>The code page; behind it lies a page of data that the code finds by its distance.</summary>
    internal static readonly byte* Base = Map();

    /// <summary>A host call that may block: the thread counts as outside managed code.</summary>
    internal static readonly delegate* unmanaged<long, long, long, long, long, long, long, long> Syscall =
        (delegate* unmanaged<long, long, long, long, long, long, long, long>)(Base + HostCodeX64.Syscall6);

    /// <summary>A host call that returns at once: no transition, about 10 ns less.</summary>
    internal static readonly delegate* unmanaged[SuppressGCTransition]<long, long, long, long, long, long, long, long> SyscallFast =
        (delegate* unmanaged[SuppressGCTransition]<long, long, long, long, long, long, long, long>)(Base + HostCodeX64.Syscall6);

    /// <summary>Has SIGSYS write a report and end the process.</summary>
    /// <param name="report">What the trap handler (generators/MachineCode/HostCode.cs) reads; never moved or freed.</param>
    internal static void HandleTraps(byte* report)
    {
        // SAFETY: the data page is writable and the handler reads its first quadword only.
        *(byte**)(Base + PageBytes) = report;
        KernelSigaction action = new()
        {
            Handler = (ulong)(Base + HostCodeX64.TrapHandler),
            Flags = SaSiginfo | SaOnStack | SaRestorer,
            Restorer = (ulong)(Base + HostCodeX64.SigreturnTrampoline),
        };

        // SAFETY: the action lives on this stack until the call returns, and its handler and restorer are in the page.
        _ = Syscall(SysRtSigaction, SigSys, (long)&action, 0, 8, 0, 0);
    }

    private static byte* Map()
    {
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64)
        {
            throw new PlatformNotSupportedException("cVisor's host code is built for x86_64 only.");
        }

        ReadOnlySpan<byte> code = HostCodeX64.Bytes;
        nint page = mmap(0, 2 * PageBytes, ProtRead | ProtWrite, MapPrivate | MapAnonymous, -1, 0);
        if (page == -1)
        {
            throw new InvalidOperationException("cannot map the host code page: errno " + Marshal.GetLastPInvokeError());
        }

        // SAFETY: the mapping is longer than the code, and writable until the mprotect below.
        code.CopyTo(new Span<byte>((void*)page, PageBytes));
        byte* p = (byte*)page;
        var call = (delegate* unmanaged<long, long, long, long, long, long, long, long>)(p + HostCodeX64.Syscall6);

        // SAFETY: p is the page's start, still writable, and both slots lie in it.
        RememberHandler(p, SigSegv, HostCodeX64.PrevSegv);

        // SAFETY: as above.
        RememberHandler(p, SigBus, HostCodeX64.PrevBus);
        if (mprotect(page, PageBytes, ProtRead | ProtExec) != 0)
        {
            throw new InvalidOperationException("cannot make the host code page executable: errno " + Marshal.GetLastPInvokeError());
        }

        foreach (int signal in (ReadOnlySpan<int>)[SigSegv, SigBus])
        {
            KernelSigaction action = new()
            {
                Handler = (ulong)(p + HostCodeX64.FaultHandler),
                Flags = SaSiginfo | SaOnStack | SaRestorer | SaNoDefer,
                Restorer = (ulong)(p + HostCodeX64.SigreturnTrampoline),
            };

            // SAFETY: the action lives on this stack until the call returns, and its handler and restorer are in the page.
            _ = call(SysRtSigaction, signal, (long)&action, 0, 8, 0, 0);
        }

        return p;
    }

    // SAFETY: the page is still writable; glibc's struct sigaction (152 bytes) begins with the handler's address.
    private static void RememberHandler(byte* page, int signal, int slot)
    {
        byte* previous = stackalloc byte[160];
        new Span<byte>(previous, 160).Clear();
        _ = sigaction(signal, null, previous);
        *(ulong*)(page + slot) = *(ulong*)previous;
    }

    [LibraryImport("libc.so.6", SetLastError = true)]
    private static partial nint mmap(nint address, nuint length, int protection, int flags, int fd, long offset);

    [LibraryImport("libc.so.6", SetLastError = true)]
    private static partial int mprotect(nint address, nuint length, int protection);

    [LibraryImport("libc.so.6")]
    private static partial int sigaction(int signal, void* action, byte* previous);

    /// <summary>struct kernel_sigaction (x86_64).</summary>
    private struct KernelSigaction
    {
        public ulong Handler;
        public ulong Flags;
        public ulong Restorer;
        public ulong Mask;
    }
}
