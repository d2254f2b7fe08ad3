// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Credentials;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Core.Vfs;
using CVisor.Host;
using Task = CVisor.Core.Tasks.Task;

namespace CVisor.FileSystems.Dev;

/// <summary>/dev/random and /dev/urandom (random(4)): the host's generator, which never runs dry once it is seeded.</summary>
internal sealed class RandomDescription(VfsPath path, OpenFlags flags) : DeviceDescription(path, flags)
{
    private const uint GetEntropyCount = 0x80045200, AddToEntropyCount = 0x40045201, AddEntropy = 0x40085203, ZapEntropyCount = 0x5204, ClearPool = 0x5206, Reseed = 0x5207;
    private const int PoolBits = 256;

    /// <inheritdoc/>
    public override IoResult Read(Task? task, ref IoBuffer destination)
    {
        Span<byte> bytes = stackalloc byte[512];
        long total = 0;
        while (destination.Remaining > 0)
        {
            HostResult filled = HostCalls.Getrandom(bytes[..(int)Math.Min(bytes.Length, destination.Remaining)], 0);
            if (filled.IsError)
            {
                return total > 0 ? total : filled.Error.ToGuest();
            }

            Errno error = destination.CopyOut(bytes[..filled.Int], out int copied);
            total += copied;
            if (error != Errno.None)
            {
                return total > 0 ? total : error;
            }
        }

        return total;
    }

    /// <summary>Takes what is written; the host's generator needs none of it.</summary>
    public override IoResult Write(Task? task, ref IoBuffer source)
    {
        Span<byte> bytes = stackalloc byte[512];
        long total = 0;
        while (source.Remaining > 0)
        {
            Errno error = source.CopyIn(bytes, out int copied);
            total += copied;
            if (error != Errno.None)
            {
                return total > 0 ? total : error;
            }
        }

        return total;
    }

    /// <inheritdoc/>
    public override Blocking<SyscallResult> Ioctl(Task task, uint request, ulong argument)
    {
        switch (request)
        {
            case GetEntropyCount:
                return (SyscallResult)task.Memory.CopyOut(new UserPtr(argument), PoolBits);
            case AddToEntropyCount or AddEntropy:
                if (!task.Credentials.Has(Capability.SysAdmin))
                {
                    return (SyscallResult)Errno.EPERM;
                }

                Errno error = task.Memory.CopyIn(new UserPtr(argument), out int bits);
                return (SyscallResult)(error != Errno.None ? error : bits < 0 ? Errno.EINVAL : Errno.None);
            case ZapEntropyCount or ClearPool or Reseed:
                return (SyscallResult)(task.Credentials.Has(Capability.SysAdmin) ? Errno.None : Errno.EPERM);
            default:
                return (SyscallResult)Errno.EINVAL; // random_ioctl(), unlike most.
        }
    }
}
