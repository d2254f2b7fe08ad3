// SPDX-License-Identifier: Apache-2.0
using System.Text;
using CVisor.Host;

namespace CVisor.Runsc.Control;

/// <summary>Unix socket addresses in the state directory, whatever the length of its path.</summary>
public static class ControlAddress
{
    private const int AfUnix = 1, SockStream = 1, SockCloexec = 0x80000, OPath = 0x200000, ODirectory = 0x10000, OCloexec = 0x80000, AtFdcwd = -100;

    /// <summary>sun_path of struct sockaddr_un, the NUL included.</summary>
    private const int MaxPathBytes = 108;

    /// <summary>Makes a listening socket at a path.</summary>
    public static HostResult Listen(string path, int backlog) => With(path, (fd, address) =>
    {
        HostResult result = HostCalls.Bind(fd, address);
        return result.IsError ? result : HostCalls.Listen(fd, backlog);
    });

    /// <summary>Connects to the socket at a path.</summary>
    public static HostResult Connect(string path) => With(path, static (fd, address) => HostCalls.Connect(fd, address));

    private static HostResult With(string path, Func<int, byte[], HostResult> act)
    {
        HostResult socket = HostCalls.Socket(AfUnix, SockStream | SockCloexec, 0);
        if (socket.IsError)
        {
            return socket;
        }

        int directory = -1;
        string name = path;
        if (Encoding.UTF8.GetByteCount(path) >= MaxPathBytes)
        {
            // Too long for sockaddr_un: go by the directory's descriptor.
            int slash = path.LastIndexOf('/');
            HostResult opened = HostCalls.Openat(AtFdcwd, Encoding.UTF8.GetBytes(path[..Math.Max(slash, 1)] + '\0'), OPath | ODirectory | OCloexec, 0);
            if (opened.IsError)
            {
                _ = HostCalls.Close(socket.Int);
                return opened;
            }

            directory = opened.Int;
            name = $"/proc/self/fd/{directory}/{path[(slash + 1)..]}";
        }

        byte[] text = Encoding.UTF8.GetBytes(name);
        byte[] address = new byte[2 + text.Length + 1];
        address[0] = AfUnix;
        text.CopyTo(address, 2);
        HostResult result = text.Length < MaxPathBytes ? act(socket.Int, address) : new HostResult(-(long)HostErrno.ENAMETOOLONG);
        if (directory >= 0)
        {
            _ = HostCalls.Close(directory);
        }

        if (result.IsError)
        {
            _ = HostCalls.Close(socket.Int);
            return result;
        }

        return socket;
    }
}
