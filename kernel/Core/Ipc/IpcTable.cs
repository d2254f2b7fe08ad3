// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Threading;
using CVisor.Abi;
using CVisor.Core.Credentials;
using CVisor.Core.Tasks;

namespace CVisor.Core.Ipc;

/// <summary>The System V objects of one kind in an IPC namespace.</summary>
/// <typeparam name="T">The kind.</typeparam>
/// <param name="owner">The namespace's owner.</param>
/// <param name="maximum">How many there may be (ENOSPC).</param>
public sealed class IpcTable<T>(UserNamespace owner, int maximum)
    where T : IpcObject
{
    private const int Create = 0x200, Exclusive = 0x400, ModeMask = 0x1ff;

    // An id is an index and how often that index was given out (IPCMNI).
    private const int IndexCount = 32768;

    private readonly Lock _lock = new();
    [GuardedBy(nameof(_lock))]
    private readonly SortedDictionary<int, T> _byIndex = [];
    [GuardedBy(nameof(_lock))]
    private readonly Dictionary<int, T> _byKey = [];
    [GuardedBy(nameof(_lock))]
    private int _sequence;

    /// <summary>Makes an object for <see cref="GetOrCreate"/>.</summary>
    public delegate Errno Maker(out T? made);

    /// <summary>How many there are.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _byIndex.Count;
            }
        }
    }

    /// <summary>The highest index in use; 0 when there is none.</summary>
    public int HighestIndex
    {
        get
        {
            lock (_lock)
            {
                int highest = 0;
                foreach (int index in _byIndex.Keys)
                {
                    highest = index;
                }

                return highest;
            }
        }
    }

    /// <summary>All objects, in order, for /proc/sysvipc.</summary>
    public List<T> All()
    {
        lock (_lock)
        {
            return [.. _byIndex.Values];
        }
    }

    /// <summary>shmget(2), semget(2), msgget(2).</summary>
    /// <param name="task">Who.</param>
    /// <param name="key">The key.</param>
    /// <param name="flags">IPC_CREAT, IPC_EXCL and the mode.</param>
    /// <param name="accepts">Whether an object that is there is what was asked for (EINVAL).</param>
    /// <param name="make">Makes a new one.</param>
    /// <param name="id">Its id.</param>
    public Errno GetOrCreate(Task task, int key, int flags, Func<T, bool> accepts, Maker make, out int id)
    {
        id = 0;
        lock (_lock)
        {
            if (key != IpcObject.PrivateKey && _byKey.TryGetValue(key, out T? found))
            {
                id = found.Id;
                return (flags & (Create | Exclusive)) == (Create | Exclusive) ? Errno.EEXIST
                    : !accepts(found) ? Errno.EINVAL
                    : !found.Permits(task.Credentials, unchecked((uint)flags) & ModeMask, owner) ? Errno.EACCES
                    : Errno.None;
            }

            if (key != IpcObject.PrivateKey && (flags & Create) == 0)
            {
                return Errno.ENOENT;
            }

            if (_byIndex.Count >= Math.Min(maximum, IndexCount))
            {
                return Errno.ENOSPC;
            }

            Errno error = make(out T? made);
            if (error != Errno.None)
            {
                return error;
            }

            int index = 0;
            while (_byIndex.ContainsKey(index))
            {
                index++;
            }

            // Every id differs from the last one of its index, so that a stale one finds nothing.
            made!.Id = (_sequence * IndexCount) + index;
            _sequence = (_sequence + 1) % (int.MaxValue / IndexCount);
            _byIndex.Add(index, made);
            if (key != IpcObject.PrivateKey)
            {
                _byKey.Add(key, made);
            }

            id = made.Id;
            return Errno.None;
        }
    }

    /// <summary>Finds an object by id; EINVAL when there is none.</summary>
    public Errno Find(int id, out T found)
    {
        lock (_lock)
        {
            bool isThere = _byIndex.TryGetValue(id & (IndexCount - 1), out T? candidate) && candidate.Id == id;
            found = isThere ? candidate! : null!;
            return isThere ? Errno.None : Errno.EINVAL;
        }
    }

    /// <summary>Finds an object by id for somebody who needs an access; EINVAL, EACCES.</summary>
    public Errno Find(Task task, int id, uint access, out T found)
    {
        Errno error = Find(id, out found);
        return error != Errno.None ? error : found.Permits(task.Credentials, access, owner) ? Errno.None : Errno.EACCES;
    }

    /// <summary>Finds an object by id for its owner; EINVAL, EPERM.</summary>
    public Errno FindForControl(Task task, int id, out T found)
    {
        Errno error = Find(id, out found);
        return error != Errno.None ? error : found.IsControlledBy(task.Credentials, owner) ? Errno.None : Errno.EPERM;
    }

    /// <summary>Finds an object by index (SHM_STAT and its like); EINVAL, EACCES.</summary>
    public Errno FindByIndex(Task task, int index, bool isChecked, out T found)
    {
        lock (_lock)
        {
            if (!_byIndex.TryGetValue(index, out T? candidate))
            {
                found = null!;
                return Errno.EINVAL;
            }

            found = candidate;
            return !isChecked || candidate.Permits(task.Credentials, 4, owner) ? Errno.None : Errno.EACCES;
        }
    }

    /// <summary>IPC_RMID: takes an object out. Another thread may have been first.</summary>
    public void Remove(T item)
    {
        lock (_lock)
        {
            if (!_byIndex.TryGetValue(item.Id & (IndexCount - 1), out T? found) || found != item)
            {
                return;
            }

            _ = _byIndex.Remove(item.Id & (IndexCount - 1));
            DropKeyLocked(item);
        }

        item.Remove();
    }

    /// <summary>Takes an object's key away (a removed segment that is still attached).</summary>
    internal void DropKey(T item)
    {
        lock (_lock)
        {
            DropKeyLocked(item);
        }
    }

    [RequiresLock(nameof(_lock))]
    private void DropKeyLocked(T item)
    {
        if (item.Key != IpcObject.PrivateKey)
        {
            _ = _byKey.Remove(item.Key);
            item.Key = IpcObject.PrivateKey;
        }
    }
}
