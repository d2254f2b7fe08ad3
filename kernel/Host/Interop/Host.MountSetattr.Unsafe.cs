// SPDX-License-Identifier: Apache-2.0
using System.Runtime.InteropServices;

namespace CVisor.Host;

/// <summary>struct mount_attr of mount_setattr(2).</summary>
[StructLayout(LayoutKind.Sequential)]
[AbiStruct(32)]
public struct MountAttr
{
    /// <summary>MOUNT_ATTR_* to set.</summary>
    public ulong Set;

    /// <summary>MOUNT_ATTR_* to clear.</summary>
    public ulong Clear;

    /// <summary>The propagation type; 0 to leave it.</summary>
    public ulong Propagation;

    /// <summary>A user namespace's descriptor, for MOUNT_ATTR_IDMAP.</summary>
    public ulong UserNamespaceFd;
}

public static unsafe partial class HostCalls
{
    private const int SysMountSetattr = 442;

    /// <summary>Changes the attributes of a mount. Paths and names are NUL-terminated.</summary>
    [HostCall("mount_setattr")]
    public static HostResult MountSetattr(int directory, ReadOnlySpan<byte> path, uint flags, ref MountAttr attributes)
    {
        // SAFETY: the pointers are pinned for the length of the call.
        fixed (byte* pathPtr = path)
        fixed (MountAttr* attributesPtr = &attributes)
        {
            return Blocking(SysMountSetattr, directory, (long)pathPtr, flags, (long)attributesPtr, sizeof(MountAttr));
        }
    }
}
