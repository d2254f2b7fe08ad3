// SPDX-License-Identifier: Apache-2.0
using CVisor.Gofer.Protocol;

namespace CVisor.Gofer.Client;

/// <summary>A request on its way and the room for its reply. Reused; a connection has as many as it ever had callers at once.</summary>
/// <param name="tag">Its tag, for good.</param>
internal sealed class Exchange(ushort tag)
{
    /// <summary>The tag of its requests.</summary>
    public ushort Tag { get; } = tag;

    /// <summary>Where the request is encoded.</summary>
    public byte[] Request { get; } = GC.AllocateUninitializedArray<byte>(NinePLimits.MaxMessage);

    /// <summary>Where the reply is; whoever receives it swaps buffers with the caller it belongs to.</summary>
    public byte[] Reply { get; set; } = GC.AllocateUninitializedArray<byte>(NinePLimits.MaxMessage);

    /// <summary>The reply's length in bytes; 0 when the connection broke.</summary>
    public int ReplyLength { get; set; }

    /// <summary>The descriptor that came with the reply, or -1.</summary>
    public int Fd { get; set; } = -1;

    /// <summary>Whether the reply is there, or never will be.</summary>
    public bool IsDone { get; set; }

    /// <summary>Whether a caller has it.</summary>
    public bool IsRented { get; set; }
}
