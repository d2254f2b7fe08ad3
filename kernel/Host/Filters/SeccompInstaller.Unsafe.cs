// SPDX-License-Identifier: Apache-2.0
using System.Runtime.InteropServices;

namespace CVisor.Host.Filters;

/// <summary>Puts a role's filter on the whole process. From then on it cannot be taken off.</summary>
public static unsafe class SeccompInstaller
{
    private const int PrSetNoNewPrivs = 38;
    private const uint SetModeFilter = 1;
    private const uint FlagTsync = 1;

    /// <summary>struct sock_fprog.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Program
    {
        public ushort Length;
        public ulong* Instructions;
    }

    /// <summary>Installs <paramref name="filter"/> on every thread of the process (no_new_privs is set first).</summary>
    /// <returns>Success; EINVAL when the kernel has no seccomp filters or refuses the program; ESRCH when a thread could not be synchronized.</returns>
    [HostCall("prctl")]
    [HostCall("seccomp")]
    [HostCall("getpid")]
    public static HostResult Install(RoleFilter filter)
    {
        ulong[] program = filter.Build(HostCalls.Getpid().Int, caller: 0);
        HostResult noNewPrivileges = HostCalls.Prctl(PrSetNoNewPrivs, 1, 0, 0, 0);
        if (noNewPrivileges.IsError)
        {
            return noNewPrivileges;
        }

        // SAFETY: the kernel copies the program before the call returns, and the array is pinned until then.
        fixed (ulong* instructions = program)
        {
            Program description = new() { Length = (ushort)program.Length, Instructions = instructions };

            // With TSYNC the result may be the ID of a thread that could not follow: it has a filter that is no ancestor of this one.
            HostResult result = HostCalls.Seccomp(SetModeFilter, FlagTsync, (nuint)(&description));
            return result.IsError || result.Value == 0 ? result : new HostResult(-(long)HostErrno.ESRCH);
        }
    }
}
