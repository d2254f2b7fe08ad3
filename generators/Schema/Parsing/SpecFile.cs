// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace CVisor.Schema.Parsing;

/// <summary>syscalls.yaml as YAML: its top-level sections, with the problems found so far.</summary>
public sealed class SpecFile
{
    /// <summary>The sections a file may have.</summary>
    public static readonly string[] SectionNames = { "syscalls", "types", "flags", "filters", "ninep" };

    private readonly Dictionary<string, YamlNode> _sections = new();

    private SpecFile() => Reader = new NodeReader(Diagnostics);

    /// <summary>What was reported, in no particular order.</summary>
    public List<SpecDiagnostic> Diagnostics { get; } = new();

    /// <summary>The reader that reports into <see cref="Diagnostics"/>.</summary>
    public NodeReader Reader { get; }

    /// <summary>Parses <paramref name="text"/>; a syntax error leaves no section and one diagnostic.</summary>
    public static SpecFile Load(string text)
    {
        SpecFile file = new();
        YamlStream stream = new();
        Parser parser = new(new StringReader(text));
        try
        {
            stream.Load(parser);
        }
        catch (YamlException e)
        {
            string message = e.InnerException?.Message ?? e.Message;
            file.Diagnostics.Add(new SpecDiagnostic(SpecRules.Malformed, message, (int)e.Start.Line, (int)e.Start.Column));
            return file;
        }
        catch (InvalidOperationException)
        {
            // The library's scanner says no more of some texts, a flow mapping that is not closed among them.
            Mark? last = parser.Current?.End;
            file.Diagnostics.Add(new SpecDiagnostic(
                SpecRules.Malformed, "this is not YAML; a bracket may be open", (int)(last?.Line ?? 1), (int)(last?.Column ?? 1)));
            return file;
        }

        if (stream.Documents.Count != 1)
        {
            file.Diagnostics.Add(new SpecDiagnostic(SpecRules.Malformed, "the file must hold exactly one YAML document", 1, 1));
            return file;
        }

        foreach (KeyValuePair<YamlScalarNode, YamlNode> section in file.Reader.Entries(stream.Documents[0].RootNode, "the file"))
        {
            if (SectionNames.Contains(section.Key.Value))
            {
                file._sections[section.Key.Value!] = section.Value;
            }
            else
            {
                file.Reader.Report(section.Key, SpecRules.Malformed, $"unknown section '{section.Key.Value}'");
            }
        }

        return file;
    }

    /// <summary>The section's node, or null when the file has none.</summary>
    public YamlNode? Section(string name) => _sections.TryGetValue(name, out YamlNode? node) ? node : null;

    /// <summary>The diagnostics in file order.</summary>
    public IEnumerable<SpecDiagnostic> OrderedDiagnostics()
        => Diagnostics.OrderBy(d => d.Line).ThenBy(d => d.Column).ThenBy(d => d.Id, StringComparer.Ordinal);
}
