// SPDX-License-Identifier: Apache-2.0
using CVisor.Gofer.Host;
using CVisor.Runsc.Boot;
using CVisor.Runsc.Control;
using CVisor.Runsc.Sandbox;

namespace CVisor.Runsc;

/// <summary>The one binary: the command line, and by hidden subcommands the sandbox and the gofer process.</summary>
internal static class Program
{
    private static int Main(string[] args)
    {
        switch (args.Length > 0 ? args[0] : "")
        {
            case "boot":
                BootConfig config = ChildEntry.PrepareBoot(args[1..]);
                return BootProgram.Main(config);
            case "gofer":
                return GoferProgram.Main(ChildEntry.PrepareGofer(args[1..]));
            default:
                return 128;
        }
    }
}
