// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using CVisor.Schema.Model;
using CVisor.Schema.Parsing;

namespace CVisor.Schema.Validation;

/// <summary>No two calls share a number or a name.</summary>
internal static class NumberValidation
{
    public static void Check(SpecFile file, SpecSource source)
    {
        Check(file, source, "x86_64", r => r.X64);
        Check(file, source, "aarch64", r => r.Arm64);
        HashSet<string> names = new();
        foreach (Placed<SyscallRow> row in source.Rows)
        {
            if (!names.Add(row.Model.Name))
            {
                file.Reader.Report(row.Key, SpecRules.DuplicateNumber, $"{row.Model.Name}: the call has a row already");
            }
        }
    }

    private static void Check(SpecFile file, SpecSource source, string arch, Func<SyscallRow, int?> number)
    {
        Dictionary<int, string> taken = new();
        foreach (Placed<SyscallRow> row in source.Rows)
        {
            if (number(row.Model) is not int n)
            {
                continue;
            }

            if (taken.TryGetValue(n, out string? other))
            {
                file.Reader.Report(row.Key, SpecRules.DuplicateNumber, $"{row.Model.Name}: {arch} number {n} belongs to {other}");
            }
            else
            {
                taken.Add(n, row.Model.Name);
            }
        }
    }
}
