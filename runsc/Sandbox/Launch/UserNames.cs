// SPDX-License-Identifier: Apache-2.0
using System.Globalization;
using System.IO;

namespace CVisor.Runsc.Sandbox;

/// <summary>Names of the host's users.</summary>
public static class UserNames
{
    /// <summary>The name of a user by /etc/passwd; its number when it has none.</summary>
    public static string Of(uint uid)
    {
        string number = uid.ToString(CultureInfo.InvariantCulture);
        if (uid == 0 || !File.Exists("/etc/passwd"))
        {
            return uid == 0 ? "root" : number;
        }

        foreach (string line in File.ReadLines("/etc/passwd"))
        {
            string[] fields = line.Split(':');
            if (fields.Length > 2 && fields[2] == number)
            {
                return fields[0];
            }
        }

        return number;
    }
}
