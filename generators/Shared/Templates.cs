// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Concurrent;
using System.Globalization;
using System.IO;
using Scriban;
using Scriban.Runtime;

namespace CVisor.Generators.Shared;

/// <summary>The Scriban templates embedded in this assembly: one per output. A template loops and prints; the model is computed before.</summary>
public static class Templates
{
    private static readonly ConcurrentDictionary<string, Template> s_parsed = new();

    /// <summary>Renders template <paramref name="name"/> (without .sbn) with <paramref name="model"/> visible as <c>model</c>.</summary>
    /// <remarks>Members are visible in snake case. The result has LF line ends and does not depend on the culture.</remarks>
    public static string Render(string name, object model)
    {
        Template template = s_parsed.GetOrAdd(name, Parse);
        ScriptObject globals = new();
        globals.SetValue("model", model, readOnly: true);
        TemplateContext context = new()
        {
            LoopLimit = int.MaxValue,
            LimitToString = 0,
            StrictVariables = true,
            NewLine = "\n",
        };
        context.PushCulture(CultureInfo.InvariantCulture);
        context.PushGlobal(globals);
        return template.Render(context).Replace("\r\n", "\n");
    }

    private static Template Parse(string name)
    {
        using Stream stream = typeof(Templates).Assembly.GetManifestResourceStream(name + ".sbn")
            ?? throw new InvalidOperationException($"template {name}.sbn is not embedded");
        using StreamReader reader = new(stream);
        Template template = Template.Parse(reader.ReadToEnd().Replace("\r\n", "\n"), name + ".sbn");
        if (template.HasErrors)
        {
            throw new InvalidOperationException(template.Messages.ToString());
        }

        return template;
    }
}
