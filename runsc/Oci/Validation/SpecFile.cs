// SPDX-License-Identifier: Apache-2.0
using System.Globalization;
using System.IO;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace CVisor.Runsc.Oci;

/// <summary>Reads OCI documents from files; what is wrong is told with the file's and the field's name.</summary>
public static class SpecFile
{
    /// <summary>The newest specification this runtime knows.</summary>
    public const string SpecVersion = "1.2.0";

    /// <summary>Reads and validates config.json of a bundle.</summary>
    public static OciSpec ReadBundle(string bundle)
    {
        if (!Directory.Exists(bundle))
        {
            throw new RunscException($"bundle {bundle}: no such directory");
        }

        string path = Path.Combine(bundle, "config.json");
        OciSpec spec = Read(path, "config.json", OciJsonContext.Default.OciSpec);
        SpecValidator.Validate(spec, path);
        return spec;
    }

    /// <summary>Reads a process document (<c>exec --process</c>).</summary>
    public static OciProcess ReadProcess(string path)
    {
        OciProcess process = Read(path, Path.GetFileName(path), OciJsonContext.Default.OciProcess);
        SpecValidator.ValidateProcess(process, path, "process");
        return process;
    }

    private static T Read<T>(string path, string name, JsonTypeInfo<T> type)
    {
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(path);
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new RunscException($"{path}: no such file");
        }
        catch (Exception error) when (error is UnauthorizedAccessException or IOException)
        {
            throw new RunscException($"{path}: cannot be read");
        }

        try
        {
            return JsonSerializer.Deserialize(bytes, type) ?? throw new RunscException($"{path}: is null");
        }
        catch (JsonException error)
        {
            // The runtime's own texts are not in the binary; position and field say what a person needs.
            string field = error.Path is { Length: > 2 } jsonPath ? jsonPath[2..] + ": " : "";
            string position = string.Create(CultureInfo.InvariantCulture, $"line {error.LineNumber + 1}, byte {error.BytePositionInLine + 1}");
            string what = field.Length == 0 ? "not valid JSON" : "not valid JSON or not of the type the specification gives it";
            throw new RunscException($"{path}: {field}{what} ({position})");
        }
    }
}
