// SPDX-License-Identifier: Apache-2.0
using System.Buffers.Binary;
using System.IO;
using CVisor.Host;

namespace CVisor.Runsc.Sandbox;

/// <summary>A terminal of the host in raw mode, so that the container's own terminal interprets the keys; its settings come back at the end.</summary>
public sealed class RawTerminal : IDisposable
{
    private const uint Tcgets = 0x5401, Tcsets = 0x5402, Tcsetsw = 0x5403;
    private const int TermiosBytes = 36, InputModes = 0, OutputModes = 4, ControlModes = 8, LocalModes = 12, Characters = 17, Time = 5, Minimum = 6;
    private readonly int _fd;
    private readonly byte[] _saved = new byte[TermiosBytes];

    private RawTerminal(int fd) => _fd = fd;

    /// <summary>Whether standard input and output are one terminal, and we are what it is for now.</summary>
    public static bool IsUsable()
    {
        HostStat input = default;
        HostStat output = default;
        return HostTerminal.IsTerminal(0) && HostTerminal.IsTerminal(1) &&
            !HostCalls.Fstat(0, ref input).IsError && !HostCalls.Fstat(1, ref output).IsError && input.Rdev == output.Rdev && IsForeground();
    }

    /// <summary>Whether our process group is the terminal's foreground one (proc_pid_stat(5): pgrp and tpgid).</summary>
    private static bool IsForeground()
    {
        const int Group = 2, ForegroundGroup = 5; // behind the name's closing parenthesis
        string stat = File.ReadAllText("/proc/self/stat");
        string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return fields.Length > ForegroundGroup && fields[Group] == fields[ForegroundGroup];
    }

    /// <summary>Makes a terminal raw (cfmakeraw(3)) until the answer is disposed; null when it is no terminal.</summary>
    public static RawTerminal? Enter(int fd)
    {
        RawTerminal terminal = new(fd);
        if (HostIoctl.Invoke(fd, Tcgets, terminal._saved).IsError)
        {
            return null;
        }

        const uint IgnoreBreak = 1, BreakInterrupts = 2, MarkParity = 8, Strip = 0x20, Returns = 0x40 | 0x80 | 0x100, FlowControl = 0x400;
        const uint Process = 1, CharacterSize = 0x30, Parity = 0x100, Signals = 1, Canonical = 2, Echo = 8, EchoNewline = 0x40, Extended = 0x8000;
        Span<byte> raw = stackalloc byte[TermiosBytes];
        terminal._saved.CopyTo(raw);
        Clear(raw[InputModes..], IgnoreBreak | BreakInterrupts | MarkParity | Strip | Returns | FlowControl);
        Clear(raw[OutputModes..], Process);
        Clear(raw[ControlModes..], CharacterSize | Parity);
        Clear(raw[LocalModes..], Signals | Canonical | Echo | EchoNewline | Extended);
        raw[ControlModes] |= (byte)CharacterSize; // CS8
        raw[Characters + Time] = 0;
        raw[Characters + Minimum] = 1;
        return HostIoctl.Invoke(fd, Tcsets, raw).IsError ? null : terminal;
    }

    /// <summary>Brings the settings back once all output is out.</summary>
    public void Dispose() => _ = HostIoctl.Invoke(_fd, Tcsetsw, _saved);

    private static void Clear(Span<byte> modes, uint bits) =>
        BinaryPrimitives.WriteUInt32LittleEndian(modes, BinaryPrimitives.ReadUInt32LittleEndian(modes) & ~bits);
}
