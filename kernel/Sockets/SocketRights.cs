// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Sockets;

/// <summary>How many descriptions may be on their way between sockets at once.</summary>
public static class SocketRights
{
    /// <summary>Whether so many more may be sent (ETOOMANYREFS).</summary>
    public static bool HaveRoom(int count) => Unix.InFlight.HasRoom(count);
}
