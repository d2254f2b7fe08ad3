// SPDX-License-Identifier: Apache-2.0
using CVisor.Gofer.Protocol;
using CVisor.Host;

namespace CVisor.Gofer.Server;

/// <summary>Short forms of common answers.</summary>
internal static class ReplyFrameExtensions
{
    /// <summary>Answers with an error.</summary>
    public static void Error(this ref ReplyFrame reply, HostErrno error)
    {
        reply.Length = new LerrorReply { Ecode = (uint)error }.Encode(reply.Buffer, reply.Tag);
        reply.Fd = -1;
        reply.ClosesFd = false;
    }

    /// <summary>Answers with an error if there is one; the value is whether there was none.</summary>
    public static bool Succeeded(this ref ReplyFrame reply, HostResult result)
    {
        if (result.IsError)
        {
            reply.Error(result.Error);
            return false;
        }

        return true;
    }

    /// <summary>Hands a descriptor over with the reply; it is closed here afterwards.</summary>
    public static void Donate(this ref ReplyFrame reply, int fd)
    {
        reply.Fd = fd;
        reply.ClosesFd = true;
    }
}
