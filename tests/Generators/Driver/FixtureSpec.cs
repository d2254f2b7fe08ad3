// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Generators.Tests.Driver;

/// <summary>A small spec with one row of each kind.</summary>
internal static class FixtureSpec
{
    public const string AllOutputs = "Numbers,Handlers,Dispatch,Info,Trace,Filters";

    public const string Text = """
        syscalls:
          # A family.
          files:
            fcntl: {x86_64: 72, aarch64: 25, args: {fd: fd, cmd: fcntl_cmd, arg: ulong}, support: partial, note: no leases}
            lseek: {x86_64: 8, aarch64: 62, args: {fd: fd, offset: off}, support: full}
            open: {x86_64: 2, args: {path: path, flags: open_flags, mode: mode}, blocks: true, support: full}
            read: {x86_64: 0, aarch64: 63, args: {fd: fd, buf: out<bytes*count>, count: size}, blocks: true, restart: sys, support: full}
          tasks:
            clone: {x86_64: 56, aarch64: 220, args: {flags: ulong, stack: ptr, ctid: ptr, tls: ptr}, aarch64_args: {flags: ulong, stack: ptr, tls: ptr, ctid: ptr}, support: none}
            gettid: {x86_64: 186, aarch64: 178, answer: standing, support: full}
            getuid: {x86_64: 102, aarch64: 174, answer: standing, support: full}
            iopl: {x86_64: 172, args: {level: int}, support: none, errno: EPERM}
            nanosleep: {x86_64: 35, aarch64: 101, args: {req: in<timespec>}, blocks: true, support: none}
        types:
          bytes: {format: bytes}
          fd: {csharp: int, format: fd}
          int: {csharp: int, format: dec}
          long: {csharp: long, format: dec}
          mode: {csharp: uint, format: oct}
          off: {csharp: long, format: dec}
          path: {csharp: ptr, format: path}
          ptr: {csharp: ptr, format: ptr}
          size: {csharp: ulong, format: hex}
          timespec: {fields: {sec: long, nsec: long}}
          ulong: {csharp: ulong, format: hex}
        flags:
          fcntl_cmd: {type: int, enum: {F_DUPFD: 0, F_GETFD: 1}}
          open_flags: {type: int, format: oct, mask: 3, enum: {O_RDONLY: 0, O_WRONLY: 1}, bits: {O_CREAT: 0o100, O_CLOEXEC: 0o2000000}}
        filters:
          base:
            fragment: true
            calls:
              read: {why: pipes}
          worker:
            include: base
            calls:
              clone: {why: threads, when: {flags: {mask: 0x100000100, equals: 0x100}}, else: EPERM}
              fcntl: {why: flags, when: [{cmd: F_GETFD}, {cmd: F_DUPFD, arg: {max: 10}}]}
              iopl: {why: asked by libc, answer: EPERM}
        """;
}
