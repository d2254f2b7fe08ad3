// SPDX-License-Identifier: Apache-2.0
using System.Text;
using CVisor.Abi;
using CVisor.Core.Tasks;
using CVisor.Syscalls.Trace;

namespace CVisor.Syscalls.Tests.Trace;

public sealed class SyscallTraceTests
{
    private readonly FakeTraceTarget _target = new();
    private readonly TraceWriter _writer = new(logSize: 32);

    [Fact]
    public void An_entry_shows_flags_paths_and_the_working_directory()
    {
        ulong path = _target.MapString("/etc/ld.so.cache");
        Entry("openat", unchecked((ulong)-100), path, 0x80000, 0)
            .ShouldBe($"[   1] bash E openat(AT_FDCWD /home, 0x{path:x} \"/etc/ld.so.cache\", O_RDONLY|O_CLOEXEC, 0o0)");
    }

    [Fact]
    public void An_exit_shows_value_and_time()
    {
        ulong path = _target.MapString("/x");
        Exit("openat", SyscallResult.Ok(3), unchecked((ulong)-100), path, 0, 0)
            .ShouldBe($"[   1] bash X openat(AT_FDCWD /home, 0x{path:x} \"/x\", O_RDONLY, 0o0) = 3 (0x3) (12.3µs)");
    }

    [Fact]
    public void A_failure_shows_the_errno_and_not_the_buffer()
    {
        ulong buffer = _target.Map(new byte[16]);
        Exit("read", SyscallResult.Fail(Errno.EBADF), 9, buffer, 16)
            .ShouldBe($"[   1] bash X read(0x9 (bad FD), 0x{buffer:x}, 0x10) = 0 (0x0) errno=9 (EBADF) (12.3µs)");
    }

    [Fact]
    public void A_buffer_is_shown_when_it_is_full_and_as_far_as_it_is()
    {
        ulong buffer = _target.Map(Encoding.ASCII.GetBytes("hello\nworld....."));
        Entry("read", 3, buffer, 16).ShouldBe($"[   1] bash E read(0x3 /tmp/a, 0x{buffer:x}, 0x10)");
        Exit("read", SyscallResult.Ok(11), 3, buffer, 16)
            .ShouldBe($"[   1] bash X read(0x3 /tmp/a, 0x{buffer:x} \"hello\\nworld\", 0x10) = 11 (0xb) (12.3µs)");
        Entry("write", 3, buffer, 16).ShouldContain("\"hello\\nworld.....\", 0x10)");
    }

    [Fact]
    public void Long_strings_are_cut_at_the_log_size()
    {
        ulong path = _target.MapString(new string('a', 40));
        Entry("chdir", path).ShouldEndWith($"\"{new string('a', 32)}\"...)");
    }

    [Fact]
    public void Wild_pointers_are_shown_as_faults()
    {
        Entry("chdir", 0xdead0000).ShouldEndWith("chdir(0xdead0000 (fault))");
        Entry("write", 1, 0xdead0000, 4).ShouldEndWith("0xdead0000 (fault), 0x4)");
        Entry("nanosleep", 0xdead0000, 0).ShouldEndWith("nanosleep(0xdead0000 (fault), null)");
        Entry("chdir", ulong.MaxValue).ShouldEndWith("chdir(0xffffffffffffffff (fault))");
        Entry("writev", 1, 0xdead0000, ulong.MaxValue).ShouldContain("(fault)");
    }

    [Fact]
    public void A_string_may_end_at_the_last_mapped_byte()
        => Entry("chdir", _target.MapString("/tmp")).ShouldEndWith("\"/tmp\")");

    [Fact]
    public void Structures_show_their_fields()
    {
        ulong time = _target.MapWords(2, 500);
        Entry("nanosleep", time, 0).ShouldEndWith($"nanosleep(0x{time:x} {{sec=2, nsec=500}}, null)");
        ulong limit = _target.MapWords(1024, ulong.MaxValue);
        Entry("setrlimit", 7, limit).ShouldEndWith($"setrlimit(RLIMIT_NOFILE, 0x{limit:x} {{cur=1024, max=RLIM_INFINITY}})");
        ulong timer = _target.MapWords(1, 2, 3, 4);
        Entry("timerfd_settime", 3, 1, timer, 0)
            .ShouldEndWith($"TIMER_ABSTIME, 0x{timer:x} {{it_interval={{sec=1, nsec=2}}, it_value={{sec=3, nsec=4}}}}, null)");
    }

    [Fact]
    public void A_stat_is_laid_out_as_on_x86_64()
    {
        byte[] stat = new byte[144];
        stat[0] = 0x21; // dev 0:33
        stat[8] = 7; // ino
        stat[16] = 1; // nlink
        BitConverter.TryWriteBytes(stat.AsSpan(24), 0x81a4u); // mode
        BitConverter.TryWriteBytes(stat.AsSpan(28), 1000u); // uid
        BitConverter.TryWriteBytes(stat.AsSpan(32), 100u); // gid
        BitConverter.TryWriteBytes(stat.AsSpan(40), 0x103ul); // rdev 1:3
        BitConverter.TryWriteBytes(stat.AsSpan(48), 1234L); // size
        BitConverter.TryWriteBytes(stat.AsSpan(88), 5L); // mtime
        Exit("fstat", SyscallResult.Success, 3, _target.Map(stat)).ShouldContain(
            "{dev=0:33, ino=7, nlink=1, mode=S_IFREG|0o644, uid=1000, gid=100, rdev=1:3, size=1234, blksize=0, blocks=0, "
            + "atime={sec=0, nsec=0}, mtime={sec=5, nsec=0}, ctime={sec=0, nsec=0}}");
    }

    [Fact]
    public void An_epoll_event_is_packed_and_counted_by_the_result()
    {
        byte[] events = new byte[24];
        events[0] = 1;
        events[4] = 9;
        events[12] = 4;
        events[16] = 8;
        Exit("epoll_wait", SyscallResult.Ok(2), 3, _target.Map(events), 8, 0)
            .ShouldContain("[{events=EPOLLIN, data=0x9}, {events=EPOLLOUT, data=0x8}], 8, 0) = 2");
    }

    [Fact]
    public void Poll_descriptors_show_their_events()
    {
        ulong fds = _target.Map(3, 0, 0, 0, 5, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 1, 0, 1, 0);
        Entry("poll", fds, 2, unchecked((ulong)-1)).ShouldEndWith(
            "[{fd=0x3 /tmp/a, events=POLLIN|POLLOUT, revents=0}, {fd=-1, events=POLLIN, revents=POLLIN}], 0x2, -1)");
    }

    [Fact]
    public void A_signal_action_shows_handler_flags_and_mask()
    {
        ulong action = _target.MapWords(0x4000, 0x14000004, 0x5000, 0x4001);
        Entry("rt_sigaction", 17, action, 0, 8).ShouldEndWith(
            $"rt_sigaction(SIGCHLD, 0x{action:x} {{handler=0x4000, flags=SA_SIGINFO|SA_RESTORER|SA_RESTART, restorer=0x5000, mask=[SIGHUP SIGTERM]}}, null, 0x8)");
    }

    [Fact]
    public void A_full_signal_set_is_shown_by_what_it_lacks()
        => Entry("rt_sigprocmask", 2, _target.MapWords(~(1UL << 8)), 0, 8).ShouldContain("~[SIGKILL]");

    [Theory]
    [InlineData(new byte[] { 1, 0, 47, 97, 0 }, "{family=AF_UNIX, path=\"/a\"}")]
    [InlineData(new byte[] { 1, 0, 0, 97, 0 }, "{family=AF_UNIX, abstract=\"a\\x00\"}")]
    [InlineData(new byte[] { 2, 0, 0, 80, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0 }, "{family=AF_INET, addr=127.0.0.1, port=80}")]
    [InlineData(
        new byte[] { 10, 0, 0, 80, 0, 0, 0, 0, 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0 },
        "{family=AF_INET6, addr=fe80:0:0:0:0:0:0:1, port=80}")]
    [InlineData(new byte[] { 2, 0, 0 }, "{family=AF_INET, data=\"\\x00\"}")]
    [InlineData(new byte[] { 99, 0, 1 }, "{family=0x63, data=\"\\x01\"}")]
    [InlineData(new byte[] { 1 }, "{}")]
    public void Socket_addresses_are_decoded(byte[] address, string expected)
        => Entry("bind", 3, _target.Map(address), (ulong)address.Length).ShouldContain(expected);

    [Fact]
    public void An_accepted_address_is_as_long_as_the_kernel_says()
    {
        ulong address = _target.Map(2, 0, 0, 80, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0);
        ulong length = _target.Map(16, 0, 0, 0);
        Exit("accept", SyscallResult.Ok(4), 3, address, length)
            .ShouldContain($"{{family=AF_INET, addr=127.0.0.1, port=80}}, 0x{length:x} [0x10]) = 4 (0x4)");
    }

    [Fact]
    public void A_message_shows_vectors_and_control_messages()
    {
        ulong data = _target.Map(Encoding.ASCII.GetBytes("hi"));
        ulong vector = _target.MapWords(data, 2);
        ulong control = _target.MapWords(20, 1 | (1UL << 32), 3);
        ulong message = _target.MapWords(0, 0, vector, 1, control, 24, 0);
        Entry("sendmsg", 3, message, 0x4000).ShouldEndWith(
            $"{{name=0x0, iov=0x{vector:x} [{{base=0x{data:x}, len=0x2, \"hi\"}}], control=0x{control:x} [{{SCM_RIGHTS 3:/tmp/a}}], flags=0}}, MSG_NOSIGNAL)");
    }

    [Fact]
    public void Vectors_are_shown_as_far_as_they_were_read_into()
    {
        ulong first = _target.Map(Encoding.ASCII.GetBytes("abcd"));
        ulong second = _target.Map(Encoding.ASCII.GetBytes("efgh"));
        ulong vectors = _target.MapWords(first, 4, second, 4);
        Exit("readv", SyscallResult.Ok(6), 0, vectors, 2).ShouldContain(
            $"[{{base=0x{first:x}, len=0x4, \"abcd\"}}, {{base=0x{second:x}, len=0x4, \"ef\"}}], 2) = 6");
    }

    [Fact]
    public void Argument_vectors_end_at_null()
    {
        ulong path = _target.MapString("/bin/sh");
        ulong argv = _target.MapWords(path, _target.MapString("-c"), 0);
        Entry("execve", path, argv, 0).ShouldEndWith($"execve(0x{path:x} \"/bin/sh\", 0x{argv:x} [\"/bin/sh\", \"-c\"], null)");
    }

    [Fact]
    public void An_argument_vector_that_runs_off_is_a_fault()
        => Entry("execve", 0, _target.MapWords(_target.MapString("a")), 0).ShouldContain("[\"a\", (fault)]");

    [Theory]
    [InlineData(0x0300u, "[exited 3]")]
    [InlineData(9u, "[killed SIGKILL]")]
    [InlineData(0x8bu, "[killed SIGSEGV, core]")]
    [InlineData(0x137fu, "[stopped SIGSTOP]")]
    [InlineData(0xffffu, "[continued]")]
    public void Wait_statuses_are_taken_apart(uint status, string expected)
        => Exit("wait4", SyscallResult.Ok(5), 5, _target.Map(BitConverter.GetBytes(status)), 0, 0).ShouldContain(expected);

    [Fact]
    public void Descriptor_sets_list_their_members()
        => Entry("select", 10, _target.Map(0b1001, 0b10, 0, 0), 0, 0, 0).ShouldContain("[0 3 9]");

    [Fact]
    public void Unnamed_bits_are_a_number()
    {
        Entry("mmap", 0, 4096, 0x103, 0x22, unchecked((ulong)-1), 0)
            .ShouldEndWith("mmap(0x0, 0x1000, PROT_READ|PROT_WRITE|0x100, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0x0)");
        Entry("mprotect", 0, 4096, 0).ShouldContain("PROT_NONE");
        Entry("futex", 0, 0x81, 1, 0, 0, 0).ShouldContain("FUTEX_WAKE|FUTEX_PRIVATE_FLAG");
        Entry("openat", 0, 0, 0x200000 | 0x10000 | 2, 0).ShouldContain("O_RDWR|O_DIRECTORY|O_PATH");
    }

    [Fact]
    public void Clone_flags_show_the_exit_signal()
        => Entry("clone", 0x11, 0, 0, 0, 0).ShouldContain("clone(SIGCHLD, 0x0");

    [Fact]
    public void Numbers_without_a_row_show_raw_registers()
        => Trace(600, isExit: false, default, 1, 2, 3, 4, 5, 6).ShouldEndWith("sys_600(0x1, 0x2, 0x3, 0x4, 0x5, 0x6)");

    [Fact]
    public void Results_that_are_no_values_say_so()
    {
        Exit("pause", SyscallResult.Restarts(Restart.IfNoHandler)).ShouldContain(" = ? (to be restarted: ERESTARTNOHAND) (");
        Exit("rt_sigreturn", SyscallResult.KeepRegisters).ShouldContain(" = ? (");
    }

    [Theory]
    [InlineData(870, "(870ns)")]
    [InlineData(12_345, "(12.3µs)")]
    [InlineData(4_007_000, "(4.007ms)")]
    [InlineData(61_050_000_000, "(61.050s)")]
    public void Durations_have_a_fitting_unit(long nanoseconds, string expected)
    {
        SyscallTrace.FormatExit(_writer, _target, 39, default, SyscallResult.Ok(1), nanoseconds);
        _writer.Line.ToString().ShouldEndWith(expected);
    }

    /// <summary>Nothing a guest passes may throw: every call with wild registers, entry and exit.</summary>
    [Fact]
    public void Every_call_survives_hostile_registers()
    {
        ulong junk = _target.Map(Enumerable.Repeat((byte)0xff, 600).ToArray());
        ulong[] values = [0, 1, junk, ulong.MaxValue, 1UL << 63, 0x7fff_ffff, 0x8000_0000];
        for (int number = 0; number < SyscallInfo.Limit; number++)
        {
            foreach (ulong a in values)
            {
                foreach (ulong b in values)
                {
                    Trace(number, isExit: false, default, a, b, a, b, a, b).ShouldNotBeEmpty();
                    Trace(number, isExit: true, SyscallResult.Ok(long.MaxValue), b, a, a, b, b, a).ShouldNotBeEmpty();
                }
            }
        }
    }

    private string Entry(string name, params ulong[] registers) => Trace(SyscallInfo.Number(name), isExit: false, default, registers);

    private string Exit(string name, SyscallResult result, params ulong[] registers)
        => Trace(SyscallInfo.Number(name), isExit: true, result, registers);

    private string Trace(int number, bool isExit, SyscallResult result, params ulong[] registers)
    {
        number.ShouldBeGreaterThanOrEqualTo(0);
        ulong[] r = [.. registers, .. new ulong[6 - registers.Length]];
        SyscallArgs args = new(r[0], r[1], r[2], r[3], r[4], r[5]);
        if (isExit)
        {
            SyscallTrace.FormatExit(_writer, _target, number, in args, in result, 12_345);
        }
        else
        {
            SyscallTrace.FormatEntry(_writer, _target, number, in args);
        }

        return _writer.Line.ToString();
    }
}
