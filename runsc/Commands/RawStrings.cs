// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.IO;
using System.Text;

namespace CVisor.Runsc.Commands;

/// <summary>Our own arguments and environment as bytes (one char each); .NET's are decoded and lose what is no UTF-8.</summary>
public static class RawStrings
{
    /// <summary>The arguments after the program's name.</summary>
    public static string[] Arguments() => Read("/proc/self/cmdline")[1..];

    /// <summary>The environment as NAME=value.</summary>
    public static string[] Environment() => Array.FindAll(Read("/proc/self/environ"), static line => line.Contains('=', StringComparison.Ordinal));

    private static string[] Read(string path)
    {
        byte[] bytes = File.ReadAllBytes(path);
        List<string> strings = [];
        int start = 0;
        for (int i = 0; i < bytes.Length; i++)
        {
            if (bytes[i] == 0)
            {
                strings.Add(Encoding.Latin1.GetString(bytes, start, i - start));
                start = i + 1;
            }
        }

        return [.. strings];
    }
}
