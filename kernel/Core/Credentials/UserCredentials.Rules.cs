// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;

namespace CVisor.Core.Credentials;

/// <summary>SECBIT_* (capabilities(7)).</summary>
public static class SecureBits
{
    public const uint NoRoot = 1, NoRootLocked = 2, NoSetuidFixup = 4, NoSetuidFixupLocked = 8, KeepCaps = 16, KeepCapsLocked = 32;
    public const uint NoAmbientRaise = 64, NoAmbientRaiseLocked = 128;

    /// <summary>All bits that there are.</summary>
    public const uint All = 0xff;

    /// <summary>The bits that lock others.</summary>
    public const uint Locks = NoRootLocked | NoSetuidFixupLocked | KeepCapsLocked | NoAmbientRaiseLocked;
}

/// <summary>How credentials change (kernel/sys.c, security/commoncap.c). Ids are the kernel's own; a null id means no change.</summary>
public sealed partial record UserCredentials
{
    /// <summary>Root's id in the task's user namespace, or null when it has none.</summary>
    private uint? NamespaceRoot => UserNamespace.TryFromGuestUid(0, out uint root) ? root : null;

    /// <summary>setuid(2).</summary>
    public Errno SetUid(uint uid, out UserCredentials changed)
    {
        changed = this;
        if (Has(Capability.Setuid))
        {
            changed = this with { RealUid = uid, EffectiveUid = uid, SavedUid = uid, FileUid = uid };
        }
        else if (uid == RealUid || uid == SavedUid)
        {
            changed = this with { EffectiveUid = uid, FileUid = uid };
        }
        else
        {
            return Errno.EPERM;
        }

        changed = changed.FixCapabilities(this);
        return Errno.None;
    }

    /// <summary>setreuid(2).</summary>
    public Errno SetReUid(uint? real, uint? effective, out UserCredentials changed)
    {
        changed = this;
        if (!Has(Capability.Setuid) &&
            ((real is { } r && r != RealUid && r != EffectiveUid) || (effective is { } e && e != RealUid && e != EffectiveUid && e != SavedUid)))
        {
            return Errno.EPERM;
        }

        uint newEffective = effective ?? EffectiveUid;
        bool savesEffective = real is not null || (effective is { } wanted && wanted != RealUid);
        changed = this with { RealUid = real ?? RealUid, EffectiveUid = newEffective, FileUid = newEffective, SavedUid = savesEffective ? newEffective : SavedUid };
        changed = changed.FixCapabilities(this);
        return Errno.None;
    }

    /// <summary>setresuid(2).</summary>
    public Errno SetResUid(uint? real, uint? effective, uint? saved, out UserCredentials changed)
    {
        changed = this;
        if (!Has(Capability.Setuid) && (!IsOwn(real) || !IsOwn(effective) || !IsOwn(saved)))
        {
            return Errno.EPERM;
        }

        uint newEffective = effective ?? EffectiveUid;
        changed = this with { RealUid = real ?? RealUid, EffectiveUid = newEffective, SavedUid = saved ?? SavedUid, FileUid = newEffective };
        changed = changed.FixCapabilities(this);
        return Errno.None;

        bool IsOwn(uint? id) => id is not { } value || value == RealUid || value == EffectiveUid || value == SavedUid;
    }

    /// <summary>setfsuid(2): unchanged when it is not allowed.</summary>
    public UserCredentials SetFileUid(uint uid)
    {
        if (uid != RealUid && uid != EffectiveUid && uid != SavedUid && uid != FileUid && !Has(Capability.Setuid))
        {
            return this;
        }

        UserCredentials changed = this with { FileUid = uid };
        if ((SecureBits & Credentials.SecureBits.NoSetuidFixup) != 0 || NamespaceRoot is not { } root)
        {
            return changed;
        }

        if (FileUid == root && uid != root)
        {
            return changed with { Effective = Effective & ~CapabilitySet.FileSystem };
        }

        return FileUid != root && uid == root ? changed with { Effective = Effective | (Permitted & CapabilitySet.FileSystem) } : changed;
    }

    /// <summary>setgid(2).</summary>
    public Errno SetGid(uint gid, out UserCredentials changed)
    {
        changed = this;
        if (Has(Capability.Setgid))
        {
            changed = this with { RealGid = gid, EffectiveGid = gid, SavedGid = gid, FileGid = gid };
        }
        else if (gid == RealGid || gid == SavedGid)
        {
            changed = this with { EffectiveGid = gid, FileGid = gid };
        }
        else
        {
            return Errno.EPERM;
        }

        return Errno.None;
    }

    /// <summary>setregid(2).</summary>
    public Errno SetReGid(uint? real, uint? effective, out UserCredentials changed)
    {
        changed = this;
        if (!Has(Capability.Setgid) &&
            ((real is { } r && r != RealGid && r != EffectiveGid) || (effective is { } e && e != RealGid && e != EffectiveGid && e != SavedGid)))
        {
            return Errno.EPERM;
        }

        uint newEffective = effective ?? EffectiveGid;
        bool savesEffective = real is not null || (effective is { } wanted && wanted != RealGid);
        changed = this with { RealGid = real ?? RealGid, EffectiveGid = newEffective, FileGid = newEffective, SavedGid = savesEffective ? newEffective : SavedGid };
        return Errno.None;
    }

    /// <summary>setresgid(2).</summary>
    public Errno SetResGid(uint? real, uint? effective, uint? saved, out UserCredentials changed)
    {
        changed = this;
        if (!Has(Capability.Setgid) && (!IsOwn(real) || !IsOwn(effective) || !IsOwn(saved)))
        {
            return Errno.EPERM;
        }

        uint newEffective = effective ?? EffectiveGid;
        changed = this with { RealGid = real ?? RealGid, EffectiveGid = newEffective, SavedGid = saved ?? SavedGid, FileGid = newEffective };
        return Errno.None;

        bool IsOwn(uint? id) => id is not { } value || value == RealGid || value == EffectiveGid || value == SavedGid;
    }

    /// <summary>setfsgid(2): unchanged when it is not allowed.</summary>
    public UserCredentials SetFileGid(uint gid) =>
        gid == RealGid || gid == EffectiveGid || gid == SavedGid || gid == FileGid || Has(Capability.Setgid) ? this with { FileGid = gid } : this;

    /// <summary>capset(2).</summary>
    public Errno SetCapabilities(CapabilitySet effective, CapabilitySet permitted, CapabilitySet inheritable, out UserCredentials changed)
    {
        changed = this;
        CapabilitySet raised = inheritable & ~Inheritable;
        bool isInvalid =
            (!(raised & ~Permitted).IsEmpty && !Has(Capability.Setpcap)) ||
            !(raised & ~Bounding).IsEmpty ||
            !(permitted & ~Permitted).IsEmpty ||
            !(effective & ~permitted).IsEmpty;
        if (isInvalid)
        {
            return Errno.EPERM;
        }

        changed = this with { Effective = effective, Permitted = permitted, Inheritable = inheritable, Ambient = Ambient & permitted & inheritable };
        return Errno.None;
    }

    /// <summary>The credentials in a new user namespace, with every capability there (CLONE_NEWUSER).</summary>
    public Errno EnterNewNamespace(out UserCredentials changed)
    {
        changed = this;
        if (UserNamespace.Level >= UserNamespace.MaximumLevel)
        {
            return Errno.ENOSPC;
        }

        if (!UserNamespace.HasUid(EffectiveUid) || !UserNamespace.HasGid(EffectiveGid))
        {
            return Errno.EPERM;
        }

        changed = Enter(new UserNamespace(UserNamespace, EffectiveUid, EffectiveGid));
        return Errno.None;
    }

    /// <summary>The credentials in a user namespace that was entered, with every capability there.</summary>
    public UserCredentials Enter(UserNamespace ns) => this with
    {
        UserNamespace = ns,
        Permitted = CapabilitySet.All,
        Effective = CapabilitySet.All,
        Bounding = CapabilitySet.All,
        Inheritable = default,
        Ambient = default,
        SecureBits = 0,
    };

    /// <summary>The credentials of a program that is started (cap_bprm_creds_from_file()).</summary>
    /// <param name="setUid">The file's owner, when its set-user-ID bit counts.</param>
    /// <param name="setGid">The file's group, when its set-group-ID bit counts.</param>
    /// <param name="fileCapabilities">The file's capabilities, when it has any that count.</param>
    /// <param name="isSecure">Whether the program has more than its caller had (AT_SECURE).</param>
    /// <param name="changed">The credentials.</param>
    /// <returns>None; EPERM when the file's capabilities would not all be granted.</returns>
    public Errno ForProgram(uint? setUid, uint? setGid, FileCapabilities? fileCapabilities, out bool isSecure, out UserCredentials changed)
    {
        UserCredentials next = this;
        if (!HasNoNewPrivileges)
        {
            if (setUid is { } uid && UserNamespace.HasUid(uid))
            {
                next = next with { EffectiveUid = uid };
            }

            if (setGid is { } gid && UserNamespace.HasGid(gid))
            {
                next = next with { EffectiveGid = gid };
            }
        }
        else
        {
            fileCapabilities = null;
        }

        bool isIdChange = next.EffectiveUid != RealUid || next.EffectiveGid != RealGid;
        bool filePrivileged = fileCapabilities is not null || next.EffectiveUid != EffectiveUid || next.EffectiveGid != EffectiveGid;
        uint? root = (SecureBits & Credentials.SecureBits.NoRoot) == 0 ? NamespaceRoot : null;
        CapabilitySet filePermitted = fileCapabilities?.Permitted ?? default;
        CapabilitySet fileInheritable = fileCapabilities?.Inheritable ?? default;
        bool fileEffective = fileCapabilities?.IsEffective ?? false;
        bool rootByReal = root is { } r && (next.EffectiveUid == r || next.RealUid == r);
        if (root is { } rootUid && !(fileCapabilities is not null && next.RealUid != rootUid && next.EffectiveUid == rootUid))
        {
            if (rootByReal)
            {
                filePermitted = CapabilitySet.All;
                fileInheritable = CapabilitySet.All;
            }

            if (next.EffectiveUid == rootUid)
            {
                fileEffective = true;
            }
        }

        CapabilitySet ambient = filePrivileged ? default : Ambient;
        CapabilitySet permitted = (Inheritable & fileInheritable) | (filePermitted & Bounding) | ambient;
        isSecure = false;
        changed = this;
        if (fileCapabilities is { IsEffective: true } && !rootByReal && !(filePermitted & ~permitted).IsEmpty)
        {
            return Errno.EPERM;
        }

        changed = next with
        {
            SavedUid = next.EffectiveUid,
            FileUid = next.EffectiveUid,
            SavedGid = next.EffectiveGid,
            FileGid = next.EffectiveGid,
            Permitted = permitted,
            Effective = fileEffective ? permitted : ambient,
            Ambient = ambient,
            SecureBits = SecureBits & ~Credentials.SecureBits.KeepCaps,
        };
        isSecure = isIdChange || (changed.RealUid != root && (fileEffective || !(changed.Permitted & ~ambient).IsEmpty));
        return Errno.None;
    }

    /// <summary>The capabilities after user ids changed (cap_emulate_setxuid()).</summary>
    private UserCredentials FixCapabilities(UserCredentials before)
    {
        if ((SecureBits & Credentials.SecureBits.NoSetuidFixup) != 0 || NamespaceRoot is not { } root)
        {
            return this;
        }

        UserCredentials changed = this;
        bool wasRoot = before.RealUid == root || before.EffectiveUid == root || before.SavedUid == root;
        bool isRoot = RealUid == root || EffectiveUid == root || SavedUid == root;
        if (wasRoot && !isRoot)
        {
            if ((SecureBits & Credentials.SecureBits.KeepCaps) == 0)
            {
                changed = changed with { Permitted = default, Effective = default };
            }

            changed = changed with { Ambient = default };
        }

        if (before.EffectiveUid == root && EffectiveUid != root)
        {
            changed = changed with { Effective = default };
        }
        else if (before.EffectiveUid != root && EffectiveUid == root)
        {
            changed = changed with { Effective = changed.Permitted };
        }

        return changed;
    }
}

/// <summary>Capabilities of a program file (security.capability).</summary>
/// <param name="Permitted">Granted, as far as the bounding set allows.</param>
/// <param name="Inheritable">Kept, as far as the caller's inheritable set has them.</param>
/// <param name="IsEffective">Whether they are effective at once.</param>
public readonly record struct FileCapabilities(CapabilitySet Permitted, CapabilitySet Inheritable, bool IsEffective);
