// SPDX-License-Identifier: Apache-2.0
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace CVisor.Tests.Support;

/// <summary>
/// Compares a text with the golden file beside the test, by Verify's conventions: <c>Class.Method.verified.ext</c> is committed,
/// <c>Class.Method.received.ext</c> is written on a mismatch and ignored by git. CVISOR_UPDATE_GOLDENS=1 accepts what came out.
/// </summary>
public static class Golden
{
    private const string UpdateVariable = "CVISOR_UPDATE_GOLDENS";

    /// <summary>Compares <paramref name="actual"/> with <c>Class.Method[.name].verified.extension</c> in the test's folder.</summary>
    /// <param name="actual">What the code under test produced.</param>
    /// <param name="extension">The file extension, without the dot.</param>
    /// <param name="name">A further part of the file's name, for a test that has several goldens.</param>
    /// <param name="sourceFile">The test's source file; its name is taken for the class.</param>
    /// <param name="method">The test method.</param>
    /// <exception cref="GoldenMismatchException">The text differs, or there is no golden file yet.</exception>
    public static void Verify(
        string actual,
        string extension = "txt",
        string? name = null,
        [CallerFilePath] string sourceFile = "",
        [CallerMemberName] string method = "")
    {
        string stem = $"{Path.GetFileNameWithoutExtension(sourceFile)}.{method}{(name is null ? "" : "." + name)}";
        VerifyFile(actual, Path.Combine(Path.GetDirectoryName(sourceFile)!, stem), extension);
    }

    /// <summary>Compares <paramref name="actual"/> with <c>stem.verified.extension</c>.</summary>
    /// <param name="actual">What the code under test produced.</param>
    /// <param name="stem">The golden file's path without <c>.verified.extension</c>.</param>
    /// <param name="extension">The file extension, without the dot.</param>
    /// <exception cref="GoldenMismatchException">The text differs, or there is no golden file yet.</exception>
    public static void VerifyFile(string actual, string stem, string extension)
    {
        ArgumentNullException.ThrowIfNull(actual);
        string verifiedPath = $"{stem}.verified.{extension}";
        string receivedPath = $"{stem}.received.{extension}";
        string received = Normalize(actual);
        string? verified = File.Exists(verifiedPath) ? Normalize(File.ReadAllText(verifiedPath)) : null;
        if (received == verified)
        {
            File.Delete(receivedPath);
            return;
        }

        if (Environment.GetEnvironmentVariable(UpdateVariable) == "1")
        {
            File.Delete(receivedPath);
            File.WriteAllText(verifiedPath, received);
            return;
        }

        File.WriteAllText(receivedPath, received);
        string message = verified is null
            ? $"there is no {verifiedPath} yet"
            : $"{verifiedPath} differs from what came out:\n{Difference(verified, received)}";
        throw new GoldenMismatchException($"{message}\nLook at {receivedPath}; {UpdateVariable}=1 accepts it.");
    }

    private static string Normalize(string text) => text.ReplaceLineEndings("\n");

    // The first differing lines with their numbers: enough to see what changed; the received file has the rest.
    private static string Difference(string verified, string received)
    {
        const int shownMax = 12;
        string[] left = verified.Split('\n');
        string[] right = received.Split('\n');
        StringBuilder text = new();
        int shown = 0;
        for (int i = 0; i < Math.Max(left.Length, right.Length) && shown < shownMax; i++)
        {
            string? a = i < left.Length ? left[i] : null;
            string? b = i < right.Length ? right[i] : null;
            if (a == b)
            {
                continue;
            }

            shown++;
            text.Append(CultureInfo.InvariantCulture, $"line {i + 1}\n  - {a ?? "(none)"}\n  + {b ?? "(none)"}\n");
        }

        return text.ToString();
    }
}
