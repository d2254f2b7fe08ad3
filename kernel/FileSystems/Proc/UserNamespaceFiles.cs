// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Globalization;
using System.Text;
using CVisor.Abi;
using CVisor.Core.Credentials;
using CVisor.Core.Vfs;
using CVisor.FileSystems.Synthetic;
using Task = CVisor.Core.Tasks.Task;

namespace CVisor.FileSystems.Proc;

/// <summary>/proc/PID/uid_map, gid_map and setgroups (user_namespaces(7)).</summary>
internal static class UserNamespaceFiles
{
    internal static void Add(SyntheticDirectory directory, ProcFileSystem proc, Task task)
    {
        _ = directory.Add("uid_map", new MapFile(proc, task, isGroup: false));
        _ = directory.Add("gid_map", new MapFile(proc, task, isGroup: true));
        _ = directory.Add("setgroups", new SetgroupsFile(proc, task));
    }

    /// <summary>Which ids a namespace has: written once, read as the reader's own namespace sees the outer ones.</summary>
    private sealed class MapFile(ProcFileSystem proc, Task task, bool isGroup) : TaskFile(proc, task, static (_, _) => { }, 0x1a4)
    {
        private const int MaximumRanges = 340;
        private readonly Task _task = task;

        public override Errno Generate(Task? reader, out byte[] contents)
        {
            UserNamespace ns = _task.Credentials.UserNamespace;
            UserNamespace seenFrom = reader?.Credentials.UserNamespace ?? UserNamespace.Initial;
            seenFrom = seenFrom == ns && ns.Parent is { } parent ? parent : seenFrom;
            StringBuilder text = new();
            foreach (IdRange range in isGroup ? ns.GidMap : ns.UidMap)
            {
                uint outside = isGroup ? seenFrom.ToGuestGid(range.Outside) : seenFrom.ToGuestUid(range.Outside);
                _ = text.Append(CultureInfo.InvariantCulture, $"{range.Inside,10} {outside,10} {range.Count,10}\n");
            }

            contents = ToBytes(text);
            return Errno.None;
        }

        public override Errno Accept(Task? writer, ReadOnlySpan<byte> data)
        {
            UserNamespace ns = _task.Credentials.UserNamespace;
            if (writer is null || ns.Parent is not { } parent || !(isGroup ? ns.GidMap : ns.UidMap).IsEmpty)
            {
                return Errno.EPERM;
            }

            UserCredentials who = writer.Credentials;
            bool isNear = who.UserNamespace == ns || who.UserNamespace == parent;
            if (!isNear || !who.Has(Capability.SysAdmin, ns))
            {
                return Errno.EPERM;
            }

            if (!TryParse(KernelString.FromBytes(data), out List<IdRange> ranges))
            {
                return Errno.EINVAL;
            }

            if (!MayMap(who, ns, parent, ranges) || !ns.TrySetMap(isGroup, ranges.ToArray()))
            {
                return Errno.EPERM;
            }

            writer.Kernel.Tasks.OnMapped(ns);
            return Errno.None;
        }

        /// <summary>One's own id alone is for everybody to map; more needs the right in the parent.</summary>
        private bool MayMap(UserCredentials who, UserNamespace ns, UserNamespace parent, List<IdRange> ranges)
        {
            if (ranges is [{ Count: 1 } only] && ns.OwnerUid == who.EffectiveUid)
            {
                bool isKnown = isGroup ? parent.TryFromGuestGid(only.Outside, out uint id) : parent.TryFromGuestUid(only.Outside, out id);
                if (isKnown && (isGroup ? ns.DeniesSetgroups && id == who.EffectiveGid : id == who.EffectiveUid))
                {
                    return true;
                }
            }

            return who.Has(isGroup ? Capability.Setgid : Capability.Setuid, parent);
        }

        private static bool TryParse(string text, out List<IdRange> ranges)
        {
            ranges = [];
            string[] lines = text.Split('\n');
            for (int i = 0; i < lines.Length; i++)
            {
                string[] fields = lines[i].Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
                if (fields.Length == 0 && i == lines.Length - 1)
                {
                    break; // Behind the last line's end.
                }

                if (fields.Length != 3 || ranges.Count == MaximumRanges || !TryNumber(fields[0], out uint inside) || !TryNumber(fields[1], out uint outside) || !TryNumber(fields[2], out uint count) ||
                    count == 0 || inside > uint.MaxValue - count || outside > uint.MaxValue - count)
                {
                    return false;
                }

                foreach (IdRange other in ranges)
                {
                    if (Overlap(inside, other.Inside, count, other.Count) || Overlap(outside, other.Outside, count, other.Count))
                    {
                        return false;
                    }
                }

                ranges.Add(new IdRange(inside, outside, count));
            }

            return ranges.Count > 0;

            static bool TryNumber(string text, out uint number) => uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);

            static bool Overlap(uint a, uint b, uint countA, uint countB) => a < (ulong)b + countB && b < (ulong)a + countA;
        }
    }

    /// <summary>Whether setgroups(2) is denied in a namespace.</summary>
    private sealed class SetgroupsFile(ProcFileSystem proc, Task task) :
        TaskFile(proc, task, static (text, t) => text.Append(t.Credentials.UserNamespace.DeniesSetgroups ? "deny\n" : "allow\n"), 0x1a4)
    {
        private readonly Task _task = task;

        public override Errno Accept(Task? writer, ReadOnlySpan<byte> data)
        {
            UserNamespace ns = _task.Credentials.UserNamespace;
            if (writer is null || !writer.Credentials.Has(Capability.SysAdmin, ns))
            {
                return Errno.EPERM;
            }

            return KernelString.FromBytes(data).TrimEnd() switch
            {
                "deny" => ns.TryDenySetgroups() ? Errno.None : Errno.EPERM,
                "allow" => ns.DeniesSetgroups ? Errno.EPERM : Errno.None,
                _ => Errno.EINVAL,
            };
        }
    }
}
