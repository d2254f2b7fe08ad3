// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Credentials;

namespace CVisor.Core.Vfs;

/// <summary>The mode bits and what capabilities override them (path_resolution(7), generic_permission()).</summary>
public static class AccessCheck
{
    /// <summary>Whether the credentials grant the access to a file with these attributes.</summary>
    /// <returns><see cref="Errno.None"/> or EACCES.</returns>
    public static Errno Check(UserCredentials credentials, in Attributes attributes, AccessMode access)
    {
        uint bits = attributes.Mode;
        if (credentials.FileUid == attributes.Uid)
        {
            bits >>= 6;
        }
        else if (credentials.IsInGroup(attributes.Gid))
        {
            bits >>= 3;
        }

        if (((uint)access & ~bits & 7) == 0)
        {
            return Errno.None;
        }

        bool isDirectory = attributes.Type == FileType.Directory;
        bool isExecutable = (attributes.Mode & 0x49) != 0;
        if (credentials.Has(Capability.DacOverride) && (isDirectory || (access & AccessMode.Execute) == 0 || isExecutable))
        {
            return Errno.None;
        }

        AccessMode readOnly = isDirectory ? AccessMode.Read | AccessMode.Execute : AccessMode.Read;
        return (access & ~readOnly) == 0 && credentials.Has(Capability.DacReadSearch) ? Errno.None : Errno.EACCES;
    }
}
