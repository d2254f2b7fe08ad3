// SPDX-License-Identifier: Apache-2.0
using System.Text.Json.Nodes;
using CVisor.Tests.Support;

namespace CVisor.Oci.Tests;

/// <summary>Bundles that any runtime runs on any host: with Docker's capabilities instead of all there are.</summary>
internal static class OciBundle
{
    private static readonly string[] s_capabilities =
    [
        "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID", "CAP_SETUID", "CAP_SETPCAP",
        "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_MKNOD", "CAP_AUDIT_WRITE", "CAP_SETFCAP",
    ];

    /// <summary>Makes a bundle of the busybox root that runs a command.</summary>
    public static async Task<Bundle> CreateAsync(IEnumerable<string> arguments, bool readOnly = false)
    {
        Bundle bundle = Bundle.Create(await BusyboxRoot.MakeAsync(), arguments, readOnly: readOnly);
        JsonObject sets = (JsonObject)bundle.Config["process"]!["capabilities"]!;
        foreach (string set in (string[])["bounding", "effective", "permitted"])
        {
            sets[set] = new JsonArray([.. s_capabilities.Select(static name => (JsonNode)name)]);
        }

        bundle.Save();
        return bundle;
    }
}
