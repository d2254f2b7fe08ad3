// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Gofer.Host;

/// <summary>The gofer's process entry.</summary>
public static class GoferProgram
{
    /// <summary>Serves until every connection is closed.</summary>
    /// <param name="args">
    /// One <c>--connection=SOCKET,TREE,ro|rw</c> a tree (descriptor numbers of the connected socket and of the tree's root:
    /// O_PATH, a directory or a single file, a detached mount), <c>--host-uds=</c>, <c>--host-fifo=</c>, <c>--log-fd=</c>.
    /// The root directory is already empty and the capabilities are dropped to those over files.
    /// </param>
    public static int Main(string[] args)
    {
        _ = args;
        return 128;
    }
}
