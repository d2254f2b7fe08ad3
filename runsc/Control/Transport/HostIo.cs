// SPDX-License-Identifier: Apache-2.0
using CVisor.Host;

namespace CVisor.Runsc.Control;

/// <summary>Whole reads and writes on host descriptors.</summary>
public static class HostIo
{
    /// <summary>Writes all bytes; the result is an error or the length.</summary>
    public static HostResult WriteAll(int fd, ReadOnlySpan<byte> bytes)
    {
        int total = bytes.Length;
        while (!bytes.IsEmpty)
        {
            HostResult result = HostCalls.Write(fd, bytes);
            if (result.Error == HostErrno.EINTR)
            {
                continue;
            }

            if (result.IsError)
            {
                return result;
            }

            bytes = bytes[result.Int..];
        }

        return new HostResult(total);
    }

    /// <summary>Reads until the end of the file.</summary>
    /// <exception cref="HostException">The host refused, or there is more than <paramref name="maxBytes"/>.</exception>
    public static byte[] ReadToEnd(int fd, int maxBytes)
    {
        byte[] buffer = new byte[4096];
        int length = 0;
        while (true)
        {
            HostResult result = HostCalls.Read(fd, buffer.AsSpan(length));
            if (result.Error == HostErrno.EINTR)
            {
                continue;
            }

            int count = result.OrThrow("read").Int;
            if (count == 0)
            {
                return buffer.AsSpan(0, length).ToArray();
            }

            length += count;
            if (length > maxBytes)
            {
                throw new HostException("read", HostErrno.EFBIG);
            }

            if (length == buffer.Length)
            {
                Array.Resize(ref buffer, buffer.Length * 2);
            }
        }
    }
}
