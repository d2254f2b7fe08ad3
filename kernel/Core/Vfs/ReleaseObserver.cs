// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Core.Vfs;

/// <summary>Something that refers to a description without keeping it open, and wants to know when it is closed for good (an epoll item).</summary>
public interface IReleaseObserver
{
    /// <summary>The last reference is gone. Called once, without locks held, before <c>OnRelease</c>.</summary>
    void OnDescriptionReleased(FileDescription description);
}
