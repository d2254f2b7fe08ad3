// SPDX-License-Identifier: Apache-2.0
using CVisor.Core.Vfs;

namespace CVisor.Core.Tasks;

/// <summary>Sharing of descriptors.</summary>
public sealed partial class Task
{
    /// <summary>Gives the task a descriptor table of its own, a copy, when it shares one (CLONE_FILES undone). The task itself only.</summary>
    public void UnshareDescriptors()
    {
        if (Descriptors.IsExclusive)
        {
            return;
        }

        FdTable shared = Descriptors;
        Descriptors = shared.Clone();
        shared.RemoveUser(this);
    }
}
