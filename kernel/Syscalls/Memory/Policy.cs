// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Credentials;
using CVisor.Core.Memory;
using CVisor.Core.Tasks;
using CVisor.Host;

namespace CVisor.Syscalls;

/// <content>get_mempolicy, set_mempolicy, mbind, migrate_pages, move_pages: a machine of one node, number 0 (mm/mempolicy.c, mm/migrate.c).</content>
public static partial class Handlers
{
    private const int PolicyDefault = 0, PolicyPreferred = 1, PolicyBind = 2, PolicyInterleave = 3, PolicyLocal = 4, PolicyPreferredMany = 5, PolicyWeightedInterleave = 6;
    private const int PolicyStaticNodes = 1 << 15, PolicyRelativeNodes = 1 << 14, PolicyBalancing = 1 << 13;
    private const int PolicyFlags = PolicyStaticNodes | PolicyRelativeNodes | PolicyBalancing;
    private const uint PolicyOfNode = 1, PolicyOfAddress = 2, PolicyAllowedNodes = 4;
    private const uint BindStrict = 1, MoveOwn = 2, MoveAll = 4;
    private const ulong NodesMaximum = 1024, NodeWordBits = 64;

    /// <summary>get_mempolicy(2)</summary>
    public static partial SyscallResult GetMempolicy(Task task, UserPtr mode, UserPtr nodemask, ulong maxnode, UserPtr addr, uint flags)
    {
        if ((flags & ~(PolicyOfNode | PolicyOfAddress | PolicyAllowedNodes)) != 0 || (!nodemask.IsNull && maxnode == 0))
        {
            return Errno.EINVAL;
        }

        int policy = task.Attributes.MemoryPolicy;
        bool hasNode = TakesNodes(policy);
        if ((flags & PolicyAllowedNodes) != 0)
        {
            if (flags != PolicyAllowedNodes)
            {
                return Errno.EINVAL;
            }

            policy = 0;
            hasNode = true;
        }
        else if ((flags & PolicyOfAddress) != 0)
        {
            ulong page = addr.Address & ~PageMask;
            if (page >= task.Memory.Layout.MaximumAddress || !task.Memory.IsRangeMapped(page, page + MemoryManager.PageSize))
            {
                return Errno.EFAULT;
            }

            if ((flags & PolicyOfNode) != 0)
            {
                // Its page is made for the answer: on node 0.
                Errno touched = task.Memory.CopyIn(addr, out byte _);
                if (touched != Errno.None)
                {
                    return touched;
                }

                policy = 0;
            }
        }
        else if (!addr.IsNull)
        {
            return Errno.EINVAL;
        }
        else if ((flags & PolicyOfNode) != 0)
        {
            // The node of the next page, which only these two know in advance.
            if ((policy & ~PolicyFlags) is not (PolicyInterleave or PolicyWeightedInterleave))
            {
                return Errno.EINVAL;
            }

            policy = 0;
        }

        Errno error = mode.IsNull ? Errno.None : task.Memory.CopyOut(mode, policy);
        return error != Errno.None || nodemask.IsNull ? error : CopyNodesOut(task.Memory, nodemask, maxnode, hasNode);
    }

    /// <summary>set_mempolicy(2)</summary>
    public static partial SyscallResult SetMempolicy(Task task, int mode, UserPtr nodemask, ulong maxnode)
    {
        Errno error = ReadPolicy(task, mode, nodemask, maxnode, out NodeSet nodes);
        error = error != Errno.None ? error : CheckPolicy(ref mode, nodes);
        if (error == Errno.None)
        {
            task.Attributes.MemoryPolicy = mode;
        }

        return error;
    }

    /// <summary>mbind(2)</summary>
    public static partial SyscallResult Mbind(Task task, UserPtr addr, ulong length, int mode, UserPtr nodemask, ulong maxnode, uint flags)
    {
        Errno error = ReadPolicy(task, mode, nodemask, maxnode, out NodeSet nodes);
        if (error != Errno.None)
        {
            return error;
        }

        if ((flags & ~(BindStrict | MoveOwn | MoveAll)) != 0 || (addr.Address & PageMask) != 0)
        {
            return Errno.EINVAL;
        }

        if ((flags & MoveAll) != 0 && !task.Credentials.Has(Capability.SysNice))
        {
            return Errno.EPERM;
        }

        // A length close to the largest wraps around to none, as in do_mbind().
        ulong end = unchecked(addr.Address + ((length + PageMask) & ~PageMask));
        if (end <= addr.Address)
        {
            return end == addr.Address ? Errno.None : Errno.EINVAL;
        }

        error = CheckPolicy(ref mode, nodes);
        return error != Errno.None ? error : task.Memory.IsRangeMapped(addr.Address, end) ? Errno.None : Errno.EFAULT;
    }

    /// <summary>migrate_pages(2)</summary>
    public static partial SyscallResult MigratePages(Task task, int pid, ulong maxnode, UserPtr oldNodes, UserPtr newNodes)
    {
        Errno error = ReadNodes(task.Memory, oldNodes, maxnode, out _);
        NodeSet wanted = NodeSet.Empty;
        error = error != Errno.None ? error : ReadNodes(task.Memory, newNodes, maxnode, out wanted);
        error = error != Errno.None ? error : FindForPages(task, pid, out _);
        if (error != Errno.None)
        {
            return error;
        }

        if (wanted is NodeSet.First)
        {
            return Errno.None;
        }

        return wanted != NodeSet.Empty && !task.Credentials.Has(Capability.SysNice) ? Errno.EPERM : wanted == NodeSet.FirstAndOthers ? Errno.None : Errno.EINVAL;
    }

    /// <summary>move_pages(2)</summary>
    public static partial SyscallResult MovePages(Task task, int pid, ulong count, UserPtr pages, UserPtr nodes, UserPtr status, int flags)
    {
        const int BatchPages = 256;
        if ((flags & ~(int)(MoveOwn | MoveAll)) != 0)
        {
            return Errno.EINVAL;
        }

        if ((flags & (int)MoveAll) != 0 && !task.Credentials.Has(Capability.SysNice))
        {
            return Errno.EPERM;
        }

        Errno error = FindForPages(task, pid, out MemoryManager memory);
        ulong[] addresses = new ulong[Math.Min(count, BatchPages)];
        int[] states = new int[addresses.Length];
        for (ulong done = 0; error == Errno.None && done < count;)
        {
            int batch = (int)Math.Min((ulong)addresses.Length, count - done);
            error = task.Memory.CopyIn(pages.Offset(done * sizeof(ulong)), Blit.AsBytes(addresses.AsSpan(0, batch)));
            if (error == Errno.None && !nodes.IsNull)
            {
                error = task.Memory.CopyIn(nodes.Offset(done * sizeof(int)), Blit.AsBytes(states.AsSpan(0, batch)));
                error = error == Errno.None && states.AsSpan(0, batch).ContainsAnyExcept(0) ? Errno.ENODEV : error;
            }

            for (int i = 0; error == Errno.None && i < batch; i++)
            {
                states[i] = NodeOrError(memory, addresses[i] & ~PageMask);
            }

            error = error != Errno.None ? error : task.Memory.CopyOut(status.Offset(done * sizeof(int)), Blit.AsBytes(states.AsSpan(0, batch)));
            done += (ulong)batch;
        }

        return error;
    }

    // Every page that is there is on node 0.
    private static int NodeOrError(MemoryManager memory, ulong page)
    {
        Span<byte> residency = stackalloc byte[1];
        return page >= memory.Layout.MaximumAddress || memory.GetResidency(page, residency) != Errno.None ? -(int)Errno.EFAULT : residency[0] == 0 ? -(int)Errno.ENOENT : 0;
    }

    private static Errno FindForPages(Task task, int pid, out MemoryManager memory)
    {
        Task? target = pid == 0 ? task : task.Kernel.Tasks.FindTask(task.PidNamespace, pid);
        memory = (target ?? task).Memory;
        return target is null ? Errno.ESRCH : TaskAccess.MayAttach(task, target) ? Errno.None : Errno.EPERM;
    }

    private static bool TakesNodes(int policy) => (policy & ~PolicyFlags) is not (PolicyDefault or PolicyLocal);

    // sanitize_mpol_flags() and get_nodes().
    private static Errno ReadPolicy(Task task, int mode, UserPtr nodemask, ulong maxnode, out NodeSet nodes)
    {
        nodes = NodeSet.Empty;
        int bare = mode & ~PolicyFlags;
        bool isValid = bare is >= PolicyDefault and <= PolicyWeightedInterleave && (mode & (PolicyStaticNodes | PolicyRelativeNodes)) != (PolicyStaticNodes | PolicyRelativeNodes) &&
            ((mode & PolicyBalancing) == 0 || bare is PolicyBind or PolicyPreferredMany);
        return isValid ? ReadNodes(task.Memory, nodemask, maxnode, out nodes) : Errno.EINVAL;
    }

    // mpol_new() and mpol_set_nodemask(): MPOL_PREFERRED without nodes is MPOL_LOCAL.
    private static Errno CheckPolicy(ref int mode, NodeSet nodes)
    {
        bool hasNodeFlags = (mode & (PolicyStaticNodes | PolicyRelativeNodes)) != 0;
        switch (mode & ~PolicyFlags)
        {
            case PolicyDefault:
                mode = PolicyDefault;
                return nodes == NodeSet.Empty ? Errno.None : Errno.EINVAL;
            case PolicyLocal:
                return nodes == NodeSet.Empty && !hasNodeFlags ? Errno.None : Errno.EINVAL;
            case PolicyPreferred when nodes == NodeSet.Empty:
                mode = PolicyLocal;
                return hasNodeFlags ? Errno.EINVAL : Errno.None;
            default:
                return nodes is NodeSet.First or NodeSet.FirstAndOthers ? Errno.None : Errno.EINVAL;
        }
    }

    /// <summary>What a mask of nodes holds, as far as it matters where there is one.</summary>
    private enum NodeSet
    {
        Empty,
        First,
        FirstAndOthers,
        Others,
    }

    // The mask has one bit less than the call says (get_nodes()); a node that no Linux has is an error, one that this machine has not is not.
    private static Errno ReadNodes(MemoryManager memory, UserPtr mask, ulong maxnode, out NodeSet nodes)
    {
        nodes = NodeSet.Empty;
        if (mask.IsNull || maxnode <= 1)
        {
            return maxnode == 0 && !mask.IsNull ? Errno.EINVAL : Errno.None;
        }

        ulong bits = maxnode - 1;
        if (bits > MemoryManager.PageSize * 8)
        {
            return Errno.EINVAL;
        }

        ulong[] words = new ulong[(bits + NodeWordBits - 1) / NodeWordBits];
        Errno error = memory.CopyIn(mask, Blit.AsBytes(words.AsSpan()));
        if (error != Errno.None)
        {
            return error;
        }

        if (bits % NodeWordBits != 0)
        {
            words[^1] &= (1UL << (int)(bits % NodeWordBits)) - 1;
        }

        if (words.Length > (int)(NodesMaximum / NodeWordBits) && words.AsSpan((int)(NodesMaximum / NodeWordBits)).ContainsAnyExcept(0UL))
        {
            return Errno.EINVAL;
        }

        bool hasFirst = (words[0] & 1) != 0;
        words[0] &= ~1UL;
        bool hasOthers = words.AsSpan().ContainsAnyExcept(0UL);
        nodes = (hasFirst, hasOthers) switch
        {
            (true, false) => NodeSet.First,
            (true, true) => NodeSet.FirstAndOthers,
            (false, true) => NodeSet.Others,
            _ => NodeSet.Empty,
        };
        return Errno.None;
    }

    // copy_nodes_to_user(): whole words, those behind the last node cleared.
    private static Errno CopyNodesOut(MemoryManager memory, UserPtr mask, ulong maxnode, bool hasNode)
    {
        ulong bits = maxnode - 1;
        if (bits > MemoryManager.PageSize * 8)
        {
            return Errno.EINVAL;
        }

        ulong[] nodes = new ulong[(bits + NodeWordBits - 1) / NodeWordBits];
        if (nodes.Length > 0 && hasNode)
        {
            nodes[0] = 1;
        }

        return memory.CopyOut(mask, Blit.AsBytes(nodes.AsSpan()));
    }
}
