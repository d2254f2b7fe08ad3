// SPDX-License-Identifier: Apache-2.0
using System;
using System.Text;

namespace CVisor.Generators.Shared;

/// <summary>C# spellings of snake case names.</summary>
public static class Naming
{
    // Only the reserved keywords that occur as Linux argument names; the compiler names any other at once.
    private static readonly string[] s_keywords = { "event", "in", "new", "object", "out", "params", "ref", "string", "switch", "base", "lock" };

    /// <summary>rt_sigaction → RtSigaction.</summary>
    public static string Pascal(string name)
    {
        StringBuilder text = new(name.Length);
        bool upper = true;
        foreach (char c in name)
        {
            if (c == '_')
            {
                upper = true;
                continue;
            }

            text.Append(upper ? char.ToUpperInvariant(c) : c);
            upper = false;
        }

        return text.ToString();
    }

    /// <summary>old_value → oldValue, with an @ before a reserved word.</summary>
    public static string Camel(string name)
    {
        string pascal = Pascal(name);
        string camel = char.ToLowerInvariant(pascal[0]) + pascal.Substring(1);
        return Array.IndexOf(s_keywords, camel) >= 0 ? "@" + camel : camel;
    }
}
