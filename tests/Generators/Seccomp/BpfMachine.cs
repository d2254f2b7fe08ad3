// SPDX-License-Identifier: Apache-2.0
using System.Buffers.Binary;

namespace CVisor.Generators.Tests.Seccomp;

/// <summary>A call as a seccomp filter sees it.</summary>
internal sealed record SeccompCall(uint Number, uint Arch, ulong Caller, ulong[] Args)
{
    public const uint X64 = 0xc000003e;

    public static SeccompCall Of(uint number, params ulong[] args) => new(number, X64, 0, [.. args, .. new ulong[6 - args.Length]]);

    public override string ToString() => $"{Number}({string.Join(", ", Args.Select(a => $"0x{a:x}"))})";
}

/// <summary>Runs classic BPF as the kernel does (kernel/bpf/core.c), with the checks of its loader.</summary>
internal static class BpfMachine
{
    public const uint Allow = 0x7fff0000;
    public const uint Errno = 0x00050000;
    public const uint Trap = 0x00030000;
    public const uint KillProcess = 0x80000000;

    public static uint Run(ulong[] program, SeccompCall call)
    {
        Span<byte> data = stackalloc byte[64];
        BinaryPrimitives.WriteUInt32LittleEndian(data, call.Number);
        BinaryPrimitives.WriteUInt32LittleEndian(data[4..], call.Arch);
        BinaryPrimitives.WriteUInt64LittleEndian(data[8..], call.Caller);
        for (int i = 0; i < 6; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(data[(16 + (8 * i))..], call.Args[i]);
        }

        uint accumulator = 0;
        for (int at = 0; ; at++)
        {
            ulong word = program[at];
            ushort code = (ushort)word;
            int jt = (byte)(word >> 16);
            int jf = (byte)(word >> 24);
            uint k = (uint)(word >> 32);
            switch (code)
            {
                case 0x20:
                    (k % 4).ShouldBe(0u, "seccomp takes aligned loads only");
                    accumulator = BinaryPrimitives.ReadUInt32LittleEndian(data[(int)k..]);
                    break;
                case 0x54:
                    accumulator &= k;
                    break;
                case 0x05:
                    at += (int)k;
                    break;
                case 0x15:
                    at += accumulator == k ? jt : jf;
                    break;
                case 0x25:
                    at += accumulator > k ? jt : jf;
                    break;
                case 0x35:
                    at += accumulator >= k ? jt : jf;
                    break;
                case 0x45:
                    at += (accumulator & k) != 0 ? jt : jf;
                    break;
                case 0x06:
                    return k;
                default:
                    throw new InvalidOperationException($"instruction {at} has the unknown code 0x{code:x}");
            }
        }
    }
}
