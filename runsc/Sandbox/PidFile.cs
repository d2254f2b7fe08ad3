// SPDX-License-Identifier: Apache-2.0
using System.Globalization;
using System.IO;
using CVisor.Runsc.Oci;

namespace CVisor.Runsc.Sandbox;

/// <summary>Files that hold a PID.</summary>
public static class PidFile
{
    /// <summary>Writes a PID without a newline; a reader sees all of it or no file.</summary>
    public static void Write(string path, int pid)
    {
        string temporary = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, "." + Path.GetFileName(path));
        try
        {
            File.WriteAllText(temporary, pid.ToString(CultureInfo.InvariantCulture));
            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new RunscException($"cannot write the PID file {path}");
        }
    }
}
