// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Linq;
using CVisor.Schema.Model;
using CVisor.Schema.Parsing;

namespace CVisor.Schema.Validation;

/// <summary>Filter rules that decide nothing, or that repeat another.</summary>
internal static class FilterValidation
{
    public static void Check(SpecFile file, SpecSource source)
    {
        foreach (Placed<CallFilter> placed in source.CallFilters)
        {
            CallFilter call = placed.Model;
            if (call.Match == call.Otherwise)
            {
                file.Reader.Report(placed.Key, SpecRules.UnreachableRule, $"{call.Name}: the answer is the same whether or not the rule matches");
            }

            HashSet<FilterAlternative> seen = new();
            if (call.Alternatives.Any(a => !seen.Add(a)))
            {
                file.Reader.Report(placed.Key, SpecRules.UnreachableRule, $"{call.Name}: an alternative is listed twice");
            }
        }
    }
}
