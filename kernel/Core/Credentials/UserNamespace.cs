// SPDX-License-Identifier: Apache-2.0
using System.Collections.Immutable;
using System.Threading;
using CVisor.Core.Namespaces;

namespace CVisor.Core.Credentials;

/// <summary>One line of a uid_map or gid_map, with the outer ids already those of the initial namespace.</summary>
/// <param name="Inside">The first id in the namespace.</param>
/// <param name="Outside">The first id in the initial namespace.</param>
/// <param name="Count">How many.</param>
public readonly record struct IdRange(uint Inside, uint Outside, uint Count);

/// <summary>A user namespace (user_namespaces(7)). Ids inside the kernel are those of the initial namespace.</summary>
public sealed class UserNamespace : Namespace
{
    /// <summary>What an id looks like that has no mapping (overflowuid).</summary>
    public const uint OverflowId = 65534;

    /// <summary>How deep namespaces may be nested.</summary>
    public const int MaximumLevel = 32;

    private static readonly ImmutableArray<IdRange> s_identity = [new IdRange(0, 0, uint.MaxValue)];
    private readonly Lock _lock = new();
    private ImmutableArray<IdRange> _uids = [];
    private ImmutableArray<IdRange> _gids = [];

    /// <summary>Makes a namespace without mappings.</summary>
    /// <param name="parent">The parent; null for the initial one.</param>
    /// <param name="ownerUid">The effective user of its creator.</param>
    /// <param name="ownerGid">The effective group of its creator.</param>
    public UserNamespace(UserNamespace? parent, uint ownerUid, uint ownerGid = 0)
        : base(parent)
    {
        OwnerUid = ownerUid;
        OwnerGid = ownerGid;
        Level = parent is null ? 0 : parent.Level + 1;
        if (parent is null)
        {
            _uids = _gids = s_identity;
        }
    }

    /// <summary>The namespace that the sandbox starts in.</summary>
    public static UserNamespace Initial { get; } = new(null, 0);

    /// <inheritdoc/>
    public override NamespaceKind Kind => NamespaceKind.User;

    /// <summary>The parent, or null.</summary>
    public UserNamespace? Parent => Owner;

    /// <summary>0 for the initial namespace, one more for each nesting.</summary>
    public int Level { get; }

    /// <summary>The creator's effective user.</summary>
    public uint OwnerUid { get; }

    /// <summary>The creator's effective group.</summary>
    public uint OwnerGid { get; }

    /// <summary>Whether setgroups(2) is denied for good (/proc/PID/setgroups).</summary>
    public bool DeniesSetgroups { get; private set; }

    /// <summary>The user mappings; empty until written.</summary>
    public ImmutableArray<IdRange> UidMap => _uids;

    /// <summary>The group mappings; empty until written.</summary>
    public ImmutableArray<IdRange> GidMap => _gids;

    /// <summary>Writes a map, once. The caller has checked who may.</summary>
    /// <param name="isGroup">gid_map rather than uid_map.</param>
    /// <param name="ranges">With outer ids of the parent namespace.</param>
    /// <returns>False when the map was written before, is empty or overlaps, or names ids that the parent does not have (EPERM or EINVAL).</returns>
    public bool TrySetMap(bool isGroup, ReadOnlySpan<IdRange> ranges)
    {
        ImmutableArray<IdRange>.Builder translated = ImmutableArray.CreateBuilder<IdRange>(ranges.Length);
        foreach (IdRange range in ranges)
        {
            if (Parent is null || range.Count == 0 || range.Inside > uint.MaxValue - range.Count || range.Outside > uint.MaxValue - range.Count)
            {
                return false;
            }

            foreach (IdRange other in translated)
            {
                if (range.Inside < other.Inside + (ulong)other.Count && other.Inside < range.Inside + (ulong)range.Count)
                {
                    return false;
                }
            }

            if (!TryTranslate(isGroup ? Parent._gids : Parent._uids, range.Outside, range.Count, out uint outside))
            {
                return false;
            }

            translated.Add(range with { Outside = outside });
        }

        lock (_lock)
        {
            ref ImmutableArray<IdRange> map = ref isGroup ? ref _gids : ref _uids;
            if (!map.IsEmpty || translated.Count == 0)
            {
                return false;
            }

            map = translated.DrainToImmutable();
            return true;
        }
    }

    /// <summary>Denies setgroups(2) before a group map is written; false when it is too late.</summary>
    public bool TryDenySetgroups()
    {
        lock (_lock)
        {
            if (!_gids.IsEmpty && !DeniesSetgroups)
            {
                return false;
            }

            DeniesSetgroups = true;
            return true;
        }
    }

    /// <summary>A user as this namespace sees it; <see cref="OverflowId"/> without a mapping.</summary>
    public uint ToGuestUid(uint uid) => ToGuest(_uids, uid) ?? OverflowId;

    /// <summary>A group as this namespace sees it; <see cref="OverflowId"/> without a mapping.</summary>
    public uint ToGuestGid(uint gid) => ToGuest(_gids, gid) ?? OverflowId;

    /// <summary>Whether a user has a mapping here.</summary>
    public bool HasUid(uint uid) => ToGuest(_uids, uid) is not null;

    /// <summary>Whether a group has a mapping here.</summary>
    public bool HasGid(uint gid) => ToGuest(_gids, gid) is not null;

    /// <summary>The user that a guest of this namespace means; false when there is none (EINVAL).</summary>
    public bool TryFromGuestUid(uint guest, out uint uid) => TryTranslate(_uids, guest, 1, out uid);

    /// <summary>The group that a guest of this namespace means; false when there is none (EINVAL).</summary>
    public bool TryFromGuestGid(uint guest, out uint gid) => TryTranslate(_gids, guest, 1, out gid);

    /// <summary>Whether this namespace is the other one or lies inside it.</summary>
    public bool IsWithin(UserNamespace other)
    {
        for (UserNamespace? at = this; at is not null; at = at.Parent)
        {
            if (at == other)
            {
                return true;
            }
        }

        return false;
    }

    private static uint? ToGuest(ImmutableArray<IdRange> map, uint id)
    {
        foreach (IdRange range in map)
        {
            if (id >= range.Outside && id - range.Outside < range.Count)
            {
                return range.Inside + (id - range.Outside);
            }
        }

        return null;
    }

    private static bool TryTranslate(ImmutableArray<IdRange> map, uint inside, uint count, out uint outside)
    {
        foreach (IdRange range in map)
        {
            if (inside >= range.Inside && inside - range.Inside < range.Count && count <= range.Count - (inside - range.Inside))
            {
                outside = range.Outside + (inside - range.Inside);
                return true;
            }
        }

        outside = 0;
        return false;
    }
}
