// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using CVisor.Core.Vfs;
using CVisor.FileSystems.HostStreams;

namespace CVisor.Runsc.Boot;

/// <summary>Host descriptors as a guest's standard streams.</summary>
internal static class StandardStreams
{
    private static readonly HostPoller s_poller = new();

    /// <summary>Puts host descriptors, which are taken over, into a descriptor table.</summary>
    internal static void Install(List<(int HostFd, int GuestFd)> descriptors, FdTable table)
    {
        foreach ((int hostFd, int guestFd) in descriptors)
        {
            table.InstallAt(guestFd, new HostDescription(s_poller, hostFd), closeOnExec: false)?.Unreference();
        }
    }
}
