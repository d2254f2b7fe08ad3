// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Gofer.Protocol;

/// <summary>Where a handler leaves its answer.</summary>
/// <param name="buffer">Room for the connection's longest message.</param>
/// <param name="tag">The request's tag.</param>
public ref struct ReplyFrame(Span<byte> buffer, ushort tag)
{
    /// <summary>Where the reply is encoded.</summary>
    public readonly Span<byte> Buffer { get; } = buffer;

    /// <summary>The tag to encode.</summary>
    public readonly ushort Tag { get; } = tag;

    /// <summary>The reply's size in bytes; 0 while there is none.</summary>
    public int Length { get; set; }

    /// <summary>A descriptor to hand over with the reply, or -1.</summary>
    public int Fd { get; set; } = -1;

    /// <summary>Whether <see cref="Fd"/> is to be closed once it was handed over.</summary>
    public bool ClosesFd { get; set; }
}

/// <summary>What became of a request.</summary>
public enum DispatchResult
{
    /// <summary>Its handler answered.</summary>
    Handled,

    /// <summary>It is no valid message of its type.</summary>
    Malformed,

    /// <summary>There is no such request.</summary>
    Unknown,
}
