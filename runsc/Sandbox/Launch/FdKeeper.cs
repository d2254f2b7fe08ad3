// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using CVisor.Host;

namespace CVisor.Runsc.Sandbox;

/// <summary>Descriptors that are closed together.</summary>
public sealed class FdKeeper : IDisposable
{
    private const int FDupfdCloexec = 1030;
    private readonly List<int> _fds = [];

    /// <summary>Takes a descriptor over.</summary>
    public int Own(int fd)
    {
        _fds.Add(fd);
        return fd;
    }

    /// <summary>Takes a copy of a descriptor, numbered 3 or above; -1 when there is no such descriptor.</summary>
    public int Copy(int fd)
    {
        HostResult copy = HostCalls.Fcntl(fd, FDupfdCloexec, 3);
        return copy.IsError ? -1 : Own(copy.Int);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (int fd in _fds)
        {
            _ = HostCalls.Close(fd);
        }

        _fds.Clear();
    }
}
