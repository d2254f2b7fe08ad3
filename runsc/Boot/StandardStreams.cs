// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using CVisor.Core.Vfs;
using CVisor.FileSystems.HostStreams;

namespace CVisor.Runsc.Boot;

/// <summary>Host descriptors as a guest's standard streams.</summary>
internal static class StandardStreams
{
    private static readonly HostPoller s_poller = new();

    /// <summary>Makes a descriptor table of host descriptors, which are taken over.</summary>
    internal static FdTable Install(List<(int HostFd, int GuestFd)> descriptors)
    {
        FdTable table = new();
        foreach ((int hostFd, int guestFd) in descriptors)
        {
            table.InstallAt(guestFd, new HostDescription(s_poller, hostFd), closeOnExec: false)?.Unreference();
        }

        return table;
    }
}
