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

/// <summary>Which host calls the section <c>filters:</c> of syscalls.yaml allows each process role.</summary>
/// <remarks>
/// The generators parse and validate the file; this reader only looks for names, line by line, so that the rule needs no
/// YAML library: a role is a key two spaces in, <c>include:</c> and <c>calls:</c> are four spaces in, a call six. A call
/// with an <c>answer:</c> other than <c>allow</c> is one that the filter refuses.
/// </remarks>
internal sealed class RoleFilters
{
    private const int RoleIndent = 2, SectionIndent = 4, CallIndent = 6;

    private readonly Dictionary<string, Role> _roles = new(StringComparer.Ordinal);

    /// <summary>Whether the file says anything about any role; without that nothing can be checked.</summary>
    internal bool IsEmpty => _roles.Count == 0;

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

    /// <summary>Whether the role's filter, or one that it includes, allows the call.</summary>
    internal bool Allows(string role, string call) => Allows(role, call, depth: 0);

    private bool Allows(string role, string call, int depth) =>
        depth <= _roles.Count
        && _roles.TryGetValue(role, out Role? found)
        && (found.Calls.Contains(call) || found.Includes.Exists(other => Allows(other, call, depth + 1)));

    private void Parse(SourceText text)
    {
        bool inFilters = false;
        bool inCalls = false;
        Role? role = null;
        string? call = null;
        foreach (TextLine textLine in text.Lines)
        {
            string line = textLine.ToString();
            string content = line.Trim();
            if (content.Length == 0 || content[0] == '#')
            {
                continue;
            }

            int indent = line.Length - line.TrimStart().Length;
            string key = content.Split(':')[0].Trim();
            if (indent == 0)
            {
                inFilters = key == "filters";
                role = null;
            }
            else if (inFilters && indent == RoleIndent)
            {
                _roles[key] = role = new Role();
                inCalls = false;
            }
            else if (role is not null && indent == SectionIndent)
            {
                inCalls = key == "calls";
                if (key == "include")
                {
                    role.Includes.AddRange(content.Substring(content.IndexOf(':') + 1).Split(',').Select(static n => n.Trim(' ', '[', ']', '"')));
                }
            }
            else if (role is not null && inCalls && indent == CallIndent)
            {
                call = key;
                role.Calls.Add(call);
            }

            if (role is not null && inCalls && call is not null && indent >= CallIndent && IsRefused(content))
            {
                role.Calls.Remove(call);
            }
        }
    }

    /// <summary>Whether the line holds the key <c>answer</c>, outside quoted text.</summary>
    private static bool IsRefused(string content)
    {
        string outside = string.Concat(content.Split('"').Where(static (_, i) => i % 2 == 0));
        int at = outside.StartsWith("answer:", StringComparison.Ordinal) ? 0 : Math.Max(outside.IndexOf("{answer:", StringComparison.Ordinal), outside.IndexOf(", answer:", StringComparison.Ordinal));
        return at >= 0 && !outside.Substring(outside.IndexOf(':', at) + 1).TrimStart().StartsWith("allow", StringComparison.Ordinal);
    }

    private sealed class Role
    {
        internal HashSet<string> Calls { get; } = new(StringComparer.Ordinal);

        internal List<string> Includes { get; } = [];
    }
}
