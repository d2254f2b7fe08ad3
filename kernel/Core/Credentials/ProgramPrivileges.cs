// SPDX-License-Identifier: Apache-2.0
using System.Buffers.Binary;
using CVisor.Abi;
using CVisor.Core.Vfs;

namespace CVisor.Core.Credentials;

/// <summary>What a program file gives whoever starts it: set-user-ID and set-group-ID bits, file capabilities (execve(2), capabilities(7)).</summary>
public static class ProgramPrivileges
{
    private const uint SetUidBit = 0x800, SetGidBit = 0x400, GroupExecuteBit = 0x8;
    private const string CapabilityAttribute = "security.capability";
    private const uint RevisionMask = 0xff00_0000, Revision1 = 0x0100_0000, Revision2 = 0x0200_0000, Revision3 = 0x0300_0000, EffectiveFlag = 1;

    /// <summary>The credentials that a program will have.</summary>
    /// <param name="who">Who starts it.</param>
    /// <param name="file">The program, opened.</param>
    /// <param name="isSecure">AT_SECURE.</param>
    /// <param name="changed">The credentials.</param>
    /// <returns>None; EPERM when the file asks for capabilities that cannot all be granted; what reading the attributes failed with.</returns>
    public static Errno Apply(UserCredentials who, FileDescription file, out bool isSecure, out UserCredentials changed)
    {
        isSecure = false;
        changed = who;
        uint? setUid = null;
        uint? setGid = null;
        FileCapabilities? capabilities = null;
        bool mayGain = !who.HasNoNewPrivileges && ((file.Path.Mount?.Flags ?? MountFlags.NoSetId) & MountFlags.NoSetId) == 0;
        if (mayGain && file.Inode is { } inode)
        {
            Errno error = inode.GetAttributes(out Attributes attributes);
            if (error != Errno.None)
            {
                return error;
            }

            setUid = (attributes.Mode & SetUidBit) != 0 ? attributes.Uid : null;
            setGid = (attributes.Mode & (SetGidBit | GroupExecuteBit)) == (SetGidBit | GroupExecuteBit) ? attributes.Gid : null;
            if (!IsFullRoot(who) && VirtualFileSystem.GetExtendedAttribute(OperationContext.Kernel, file.Path, CapabilityAttribute, out byte[] value) == Errno.None)
            {
                capabilities = Parse(value);
            }
        }

        return who.ForProgram(setUid, setGid, capabilities, out isSecure, out changed);
    }

    /// <summary>Reads vfs_cap_data; null when it is malformed or of a version that is not known.</summary>
    public static FileCapabilities? Parse(ReadOnlySpan<byte> value)
    {
        if (value.Length < 12)
        {
            return null;
        }

        uint magic = BinaryPrimitives.ReadUInt32LittleEndian(value);
        int words = (magic & RevisionMask) switch
        {
            Revision1 when value.Length == 12 => 1,
            Revision2 when value.Length == 20 => 2,
            Revision3 when value.Length == 24 => 2,
            _ => 0,
        };
        if (words == 0)
        {
            return null;
        }

        ulong permitted = 0;
        ulong inheritable = 0;
        for (int i = 0; i < words; i++)
        {
            permitted |= (ulong)BinaryPrimitives.ReadUInt32LittleEndian(value[(4 + (i * 8))..]) << (32 * i);
            inheritable |= (ulong)BinaryPrimitives.ReadUInt32LittleEndian(value[(8 + (i * 8))..]) << (32 * i);
        }

        return new FileCapabilities(
            new CapabilitySet(permitted) & CapabilitySet.All, new CapabilitySet(inheritable) & CapabilitySet.All, (magic & EffectiveFlag) != 0);
    }

    // Root gets everything that the bounding set allows whatever the file says: no need to ask for its attribute.
    private static bool IsFullRoot(UserCredentials who) =>
        (who.SecureBits & SecureBits.NoRoot) == 0 && who.UserNamespace.TryFromGuestUid(0, out uint root) && who.RealUid == root && who.EffectiveUid == root;
}
