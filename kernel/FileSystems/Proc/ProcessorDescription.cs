// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Globalization;
using System.Runtime.Intrinsics.X86;
using System.Text;

namespace CVisor.FileSystems.Proc;

/// <summary>A processor as /proc/cpuinfo shows it, from CPUID.</summary>
internal static class ProcessorDescription
{
    private static readonly (int Leaf, int Register, string[] Names)[] s_flags =
    [
        (1, 3, ["fpu", "vme", "de", "pse", "tsc", "msr", "pae", "mce", "cx8", "apic", "", "sep", "mtrr", "pge", "mca", "cmov", "pat", "pse36", "pn", "clflush", "", "dts", "acpi", "mmx", "fxsr", "sse", "sse2", "ss", "ht", "tm", "ia64", "pbe"]),
        (1, 2, ["pni", "pclmulqdq", "dtes64", "monitor", "ds_cpl", "vmx", "smx", "est", "tm2", "ssse3", "cid", "sdbg", "fma", "cx16", "xtpr", "pdcm", "", "pcid", "dca", "sse4_1", "sse4_2", "x2apic", "movbe", "popcnt", "tsc_deadline_timer", "aes", "xsave", "", "avx", "f16c", "rdrand", "hypervisor"]),
        (7, 1, ["fsgsbase", "tsc_adjust", "", "bmi1", "hle", "avx2", "", "smep", "bmi2", "erms", "invpcid", "rtm", "cqm", "", "mpx", "", "avx512f", "avx512dq", "rdseed", "adx", "smap", "avx512ifma", "", "clflushopt", "clwb", "", "avx512pf", "avx512er", "avx512cd", "sha_ni", "avx512bw", "avx512vl"]),
    ];

    internal static void Write(StringBuilder text, int cpu, int cpuCount)
    {
        (string vendor, string model, int family, int modelNumber, int stepping) = Identify();
        _ = text.Append(CultureInfo.InvariantCulture, $"vendor_id\t: {vendor}\ncpu family\t: {family}\nmodel\t\t: {modelNumber}\nmodel name\t: {model}\nstepping\t: {stepping}\n");
        _ = text.Append(CultureInfo.InvariantCulture, $"cpu MHz\t\t: 2000.000\nphysical id\t: 0\nsiblings\t: {cpuCount}\ncore id\t\t: {cpu}\ncpu cores\t: {cpuCount}\napicid\t\t: {cpu}\nfpu\t\t: yes\nfpu_exception\t: yes\nwp\t\t: yes\n");
        _ = text.Append("flags\t\t: ").AppendJoin(' ', Flags()).Append('\n');
        _ = text.Append("bogomips\t: 4000.00\nclflush size\t: 64\ncache_alignment\t: 64\naddress sizes\t: 46 bits physical, 48 bits virtual\npower management:\n");
    }

    private static List<string> Flags()
    {
        List<string> flags = [];
        if (X86Base.IsSupported)
        {
            foreach ((int leaf, int register, string[] names) in s_flags)
            {
                (_, int ebx, int ecx, int edx) = X86Base.CpuId(leaf, 0);
                int word = register switch { 1 => ebx, 2 => ecx, _ => edx };
                for (int bit = 0; bit < 32; bit++)
                {
                    if (names[bit].Length > 0 && (word >>> bit & 1) != 0)
                    {
                        flags.Add(names[bit]);
                    }
                }
            }
        }

        flags.AddRange(["syscall", "nx", "lm", "constant_tsc", "nonstop_tsc"]);
        return flags;
    }

    private static (string Vendor, string Model, int Family, int ModelNumber, int Stepping) Identify()
    {
        if (!X86Base.IsSupported)
        {
            return ("unknown", "unknown", 0, 0, 0);
        }

        (_, int b, int c, int d) = X86Base.CpuId(0, 0);
        string vendor = Text(b) + Text(d) + Text(c);
        StringBuilder model = new();
        for (int leaf = 0; leaf < 3; leaf++)
        {
            (int ra, int rb, int rc, int rd) = X86Base.CpuId(unchecked((int)0x80000002) + leaf, 0);
            _ = model.Append(Text(ra)).Append(Text(rb)).Append(Text(rc)).Append(Text(rd));
        }

        (int signature, _, _, _) = X86Base.CpuId(1, 0);
        int family = (signature >> 8) & 15;
        int number = ((signature >> 4) & 15) | (family is 6 or 15 ? ((signature >> 16) & 15) << 4 : 0);
        return (vendor, model.ToString().Trim('\0', ' '), family == 15 ? family + ((signature >> 20) & 255) : family, number, signature & 15);
    }

    private static string Text(int register)
    {
        Span<char> chars = stackalloc char[4];
        for (int i = 0; i < 4; i++)
        {
            chars[i] = (char)((register >>> (8 * i)) & 0xff);
        }

        return new string(chars);
    }
}
