// SPDX-License-Identifier: Apache-2.0
using System.Runtime.InteropServices;
using CVisor.Abi;

namespace CVisor.Core.Signals;

/// <summary>What a process does about a signal: struct kernel_sigaction of x86_64.</summary>
[StructLayout(LayoutKind.Sequential)]
[AbiStruct(32)]
public struct SignalAction
{
    /// <summary>SIG_DFL.</summary>
    public const ulong Default = 0;

    /// <summary>SIG_IGN.</summary>
    public const ulong Ignore = 1;

    /// <summary>The handler's address, or <see cref="Default"/> or <see cref="Ignore"/>.</summary>
    public ulong Handler;

    /// <summary>SA_*.</summary>
    public SignalActionFlags Flags;

    /// <summary>Where the handler returns to.</summary>
    public ulong Restorer;

    /// <summary>What is blocked while the handler runs.</summary>
    public SignalSet Mask;

    /// <summary>Whether a handler runs.</summary>
    public readonly bool HasHandler => Handler > Ignore;
}

/// <summary>SA_* (sigaction(2)).</summary>
[Flags]
public enum SignalActionFlags : ulong
{
    None = 0,

    /// <summary>SA_NOCLDSTOP.</summary>
    NoChildStop = 1,

    /// <summary>SA_NOCLDWAIT.</summary>
    NoChildWait = 2,

    /// <summary>SA_SIGINFO.</summary>
    SignalInfo = 4,

    /// <summary>SA_UNSUPPORTED: never kept, so that programs can tell which flags are.</summary>
    Unsupported = 0x400,

    /// <summary>SA_RESTORER.</summary>
    Restorer = 0x0400_0000,

    /// <summary>SA_ONSTACK.</summary>
    OnStack = 0x0800_0000,

    /// <summary>SA_RESTART.</summary>
    Restart = 0x1000_0000,

    /// <summary>SA_NODEFER.</summary>
    NoDefer = 0x4000_0000,

    /// <summary>SA_RESETHAND.</summary>
    ResetHandler = 0x8000_0000,

    /// <summary>What is kept of a guest's flags.</summary>
    Known = NoChildStop | NoChildWait | SignalInfo | Restorer | OnStack | Restart | NoDefer | ResetHandler,
}

/// <summary>What happens by default (signal(7)).</summary>
public enum DefaultAction
{
    /// <summary>Nothing.</summary>
    Ignore,

    /// <summary>The process ends.</summary>
    Terminate,

    /// <summary>The process ends, with a core dump where there are any.</summary>
    Core,

    /// <summary>The process stops.</summary>
    Stop,

    /// <summary>The process goes on.</summary>
    Continue,
}

/// <summary>The default actions.</summary>
public static class DefaultActions
{
    /// <summary>The action of a signal.</summary>
    public static DefaultAction Of(int signal) => signal switch
    {
        SignalNumber.SIGCHLD or SignalNumber.SIGURG or SignalNumber.SIGWINCH => DefaultAction.Ignore,
        SignalNumber.SIGCONT => DefaultAction.Continue,
        SignalNumber.SIGSTOP or SignalNumber.SIGTSTP or SignalNumber.SIGTTIN or SignalNumber.SIGTTOU => DefaultAction.Stop,
        SignalNumber.SIGQUIT or SignalNumber.SIGILL or SignalNumber.SIGTRAP or SignalNumber.SIGABRT or SignalNumber.SIGBUS or SignalNumber.SIGFPE
            or SignalNumber.SIGSEGV or SignalNumber.SIGXCPU or SignalNumber.SIGXFSZ or SignalNumber.SIGSYS => DefaultAction.Core,
        _ => DefaultAction.Terminate,
    };

    /// <summary>Whether a signal without handler does nothing.</summary>
    public static bool IsIgnored(int signal) => Of(signal) is DefaultAction.Ignore or DefaultAction.Continue;
}
