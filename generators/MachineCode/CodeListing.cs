// SPDX-License-Identifier: Apache-2.0
using System.Linq;
using System.Text;
using CVisor.Generators.Shared;
using Iced.Intel;

namespace CVisor.Generators.MachineCode;

/// <summary>Shows a piece of code as it came out: addresses, bytes and instructions, with the symbols between.</summary>
internal static class CodeListing
{
    /// <summary>The text.</summary>
    public static string Of(CodeImage image)
    {
        StringBuilder text = new();
        IntelFormatter formatter = new();
        formatter.Options.SpaceAfterOperandSeparator = true;
        formatter.Options.HexPrefix = "0x";
        formatter.Options.HexSuffix = "";
        formatter.Options.UppercaseHex = false;
        formatter.Options.BranchLeadingZeros = false;
        formatter.Options.RipRelativeAddresses = false;
        byte[] code = image.Bytes.ToArray();
        ByteArrayCodeReader reader = new(code);
        Iced.Intel.Decoder decoder = Iced.Intel.Decoder.Create(64, reader);
        while (reader.CanReadByte)
        {
            Instruction instruction = decoder.Decode();
            int at = (int)instruction.IP;
            foreach (CodeSymbol symbol in image.Symbols.Where(s => s.Offset == at))
            {
                _ = text.Append(symbol.Name).Append(":\n");
            }

            StringOutput output = new();
            formatter.Format(instruction, output);
            string bytes = string.Concat(code.Skip(at).Take(instruction.Length).Select(static b => b.ToString("x2", System.Globalization.CultureInfo.InvariantCulture)));
            _ = text.Append($"{at,5:x} {bytes,-22} {output.ToStringAndReset()}\n");
        }

        return text.ToString();
    }
}
