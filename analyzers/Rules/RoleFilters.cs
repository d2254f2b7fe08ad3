// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Threading;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Text;

namespace CVisor.Analyzers;

/// <summary>Which host calls the section <c>filters:</c> of syscalls.yaml names for each process role.</summary>
/// <remarks>
/// The generators parse and validate the file; this reader only looks for names, line by line, so that the rule needs no
/// YAML library. A role is a key two spaces in; below it a call is a key, a list item, or the value of <c>call</c> or
/// <c>name</c>.
/// </remarks>
internal sealed class RoleFilters
{
    private readonly Dictionary<string, HashSet<string>> _calls = new(StringComparer.Ordinal);

    /// <summary>Whether the file says anything about any role; without that nothing can be checked.</summary>
    internal bool IsEmpty => _calls.Count == 0;

    /// <summary>Reads the file from the additional files of a project.</summary>
    internal static RoleFilters Read(AnalyzerOptions options, CancellationToken cancellation)
    {
        AdditionalText? file = options.AdditionalFiles.FirstOrDefault(static f => Path.GetFileName(f.Path) == "syscalls.yaml");
        RoleFilters filters = new();
        if (file?.GetText(cancellation) is { } text)
        {
            filters.Parse(text);
        }

        return filters;
    }

    /// <summary>Whether the role's filter names the call.</summary>
    internal bool Allows(string role, string call) => _calls.TryGetValue(role, out HashSet<string>? calls) && calls.Contains(call);

    private void Parse(SourceText text)
    {
        bool inFilters = false;
        HashSet<string>? role = null;
        foreach (TextLine textLine in text.Lines)
        {
            string line = textLine.ToString();
            string content = line.Trim();
            if (content.Length == 0 || content[0] == '#')
            {
                continue;
            }

            int indent = line.Length - line.TrimStart().Length;
            if (indent == 0)
            {
                inFilters = content.StartsWith("filters:", StringComparison.Ordinal);
                role = null;
            }
            else if (inFilters && indent == 2 && content[0] != '-')
            {
                string name = content.Split(':')[0].Trim();
                if (!_calls.TryGetValue(name, out role))
                {
                    _calls.Add(name, role = new HashSet<string>(StringComparer.Ordinal));
                }
            }
            else
            {
                AddNames(role, content);
            }
        }
    }

    private static void AddNames(HashSet<string>? role, string content)
    {
        if (role is null)
        {
            return;
        }

        string item = content.TrimStart('-', '{', ' ');
        int end = 0;
        while (end < item.Length && (char.IsLetterOrDigit(item[end]) || item[end] == '_'))
        {
            end++;
        }

        string key = item.Substring(0, end);
        if (key is "call" or "name")
        {
            key = new string([.. item.Substring(end).TrimStart(':', ' ', '"', '\'').TakeWhile(static c => char.IsLetterOrDigit(c) || c == '_')]);
        }

        role.Add(key);
    }
}
