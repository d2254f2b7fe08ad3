// SPDX-License-Identifier: Apache-2.0
using System.Collections.Generic;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using CVisor.Runsc.Oci;
using CVisor.Runsc.Sandbox;

namespace CVisor.Runsc.Commands;

/// <summary><c>list</c>.</summary>
internal static class ListCommand
{
    /// <summary>Lists the containers.</summary>
    public static int Run(CommandContext context)
    {
        List<ListedContainer> containers = [];
        foreach (string id in context.Store.List())
        {
            // One that is deleted meanwhile is no longer listed.
            if (context.Store.TryLoad(id) is { } state)
            {
                Container container = new(context.Store, state);
                OciState document = container.Describe();
                containers.Add(new ListedContainer
                {
                    OciVersion = document.OciVersion,
                    Id = id,
                    Pid = document.Pid,
                    Status = document.Status,
                    Bundle = state.Bundle,
                    Rootfs = state.Rootfs,
                    Created = state.Created,
                    Annotations = state.Annotations,
                    Owner = state.Owner,
                });
            }
        }

        if (context.Boolean("quiet", "q"))
        {
            CommandContext.Print(string.Concat(containers.ConvertAll(static container => container.Id + "\n")));
        }
        else if (context.Text("format", "f") == "json")
        {
            CommandContext.Print(JsonSerializer.Serialize([.. containers], ListJsonContext.Default.ListedContainerArray) + "\n");
        }
        else
        {
            CommandContext.Print(Table(containers));
        }

        return 0;
    }

    private static string Table(List<ListedContainer> containers)
    {
        List<string[]> rows = [["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"]];
        foreach (ListedContainer one in containers)
        {
            rows.Add([one.Id, one.Pid.ToString(CultureInfo.InvariantCulture), one.Status, one.Bundle, one.Created, one.Owner]);
        }

        int[] widths = new int[6];
        foreach (string[] row in rows)
        {
            for (int i = 0; i < row.Length; i++)
            {
                widths[i] = Math.Max(widths[i], row[i].Length);
            }
        }

        StringBuilder text = new();
        foreach (string[] row in rows)
        {
            for (int i = 0; i < row.Length; i++)
            {
                _ = i < row.Length - 1 ? text.Append(row[i].PadRight(Math.Max(widths[i] + 2, 12))) : text.Append(row[i]).Append('\n');
            }
        }

        return text.ToString();
    }
}

/// <summary>A container as <c>list --format=json</c> prints it.</summary>
internal sealed record ListedContainer
{
    public required string OciVersion { get; init; }

    public required string Id { get; init; }

    public int Pid { get; init; }

    public required string Status { get; init; }

    public required string Bundle { get; init; }

    public required string Rootfs { get; init; }

    public required string Created { get; init; }

    public Dictionary<string, string>? Annotations { get; init; }

    public required string Owner { get; init; }
}

/// <summary>Compiled JSON writer of the list.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ListedContainer[]))]
internal sealed partial class ListJsonContext : JsonSerializerContext;
