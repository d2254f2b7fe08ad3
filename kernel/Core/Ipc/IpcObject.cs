// SPDX-License-Identifier: Apache-2.0
using System.Threading;
using CVisor.Abi;
using CVisor.Core.Credentials;
using CVisor.Core.Tasks;
using CVisor.Core.Time;

namespace CVisor.Core.Ipc;

/// <summary>What all System V objects have: a key, an id, an owner (svipc(7), struct ipc64_perm).</summary>
/// <remarks>Lock order: the table's lock, then the object's, then wait queues.</remarks>
public abstract class IpcObject
{
    /// <summary>IPC_PRIVATE: no key.</summary>
    public const int PrivateKey = 0;

    private protected IpcObject(Task creator, int key, uint mode)
    {
        Key = key;
        Mode = mode & 0x1ff;
        Uid = CreatorUid = creator.Credentials.EffectiveUid;
        Gid = CreatorGid = creator.Credentials.EffectiveGid;
        ChangeSeconds = NowSeconds;
    }

    /// <summary>The key; <see cref="PrivateKey"/> once it is removed.</summary>
    public int Key { get; internal set; }

    /// <summary>The id.</summary>
    public int Id { get; internal set; }

    /// <summary>The owner.</summary>
    public uint Uid { get; private set; }

    /// <summary>The owner's group.</summary>
    public uint Gid { get; private set; }

    /// <summary>The creator.</summary>
    public uint CreatorUid { get; }

    /// <summary>The creator's group.</summary>
    public uint CreatorGid { get; }

    /// <summary>Permission bits.</summary>
    public uint Mode { get; private protected set; }

    /// <summary>Last change by *ctl, in seconds since the epoch.</summary>
    public long ChangeSeconds { get; private protected set; }

    /// <summary>Whether it was removed: waiters get EIDRM.</summary>
    public bool IsRemoved { get; private set; }

    /// <summary>Guards the object.</summary>
    internal Lock Lock { get; } = new();

    /// <summary>Told of every change that a waiter may care for.</summary>
    internal WaitQueue Queue { get; } = new();

    private protected static long NowSeconds => KernelClock.RealtimeNs / 1_000_000_000;

    /// <summary>Whether credentials grant an access (ipcperms()).</summary>
    /// <param name="credentials">Whose.</param>
    /// <param name="access">Mode bits: 4 read, 2 write, in any of the three places.</param>
    /// <param name="owner">The namespace's owner.</param>
    public bool Permits(UserCredentials credentials, uint access, UserNamespace owner)
    {
        uint requested = ((access >> 6) | (access >> 3) | access) & 7;
        uint granted = Mode;
        if (credentials.EffectiveUid == CreatorUid || credentials.EffectiveUid == Uid)
        {
            granted >>= 6;
        }
        else if (credentials.EffectiveGid == Gid || credentials.EffectiveGid == CreatorGid || credentials.Groups.Contains(Gid) || credentials.Groups.Contains(CreatorGid))
        {
            granted >>= 3;
        }

        return (requested & ~granted) == 0 || credentials.Has(Capability.IpcOwner, owner);
    }

    /// <summary>Whether credentials may change or remove the object.</summary>
    public bool IsControlledBy(UserCredentials credentials, UserNamespace owner) =>
        credentials.EffectiveUid == Uid || credentials.EffectiveUid == CreatorUid || credentials.Has(Capability.SysAdmin, owner);

    /// <summary>IPC_SET.</summary>
    public void SetOwner(uint uid, uint gid, uint mode)
    {
        lock (Lock)
        {
            (Uid, Gid) = (uid, gid);
            Mode = (Mode & ~0x1ffU) | (mode & 0x1ff);
            ChangeSeconds = NowSeconds;
        }
    }

    /// <summary>The object is out of its table: waiters are woken, and what it holds goes as soon as nobody uses it.</summary>
    internal void Remove()
    {
        lock (Lock)
        {
            IsRemoved = true;
        }

        Queue.NotifyAll(PollEvents.Any);
        OnRemoved();
    }

    private protected virtual void OnRemoved()
    {
    }
}
