// SPDX-License-Identifier: Apache-2.0
using CVisor.Generators.Tests.Driver;
using CVisor.Schema;
using CVisor.Schema.Parsing;
using Microsoft.CodeAnalysis;

namespace CVisor.Generators.Tests.Schema;

/// <summary>Each mistake in the YAML is reported once, by its rule, at its line and column.</summary>
public sealed class DiagnosticTests
{
    /// <summary>Rows of: rule, what is written instead of what, part of the message, the text the place must point at.</summary>
    public static readonly TheoryData<string, string, string, string, string> Mistakes = new()
    {
        { SpecRules.BadRow, "lseek: {x86_64: 8", "lseek: {x86: 8", "lseek: unknown key 'x86'", "x86: 8" },
        { SpecRules.BadRow, "lseek: {x86_64: 8", "lseek: {x86_64: eight", "lseek: x86_64: 'eight' is not a number", "eight" },
        { SpecRules.BadRow, "lseek: {x86_64: 8", "lseek: {x86_64: 80000", "lseek: x86_64: 80000 is larger than 4095", "80000" },
        { SpecRules.BadRow, "offset: off}, support: full}", "offset: off}}", "lseek: support is missing", "lseek" },
        { SpecRules.BadRow, "offset: off}, support: full}", "offset: off}, support: mostly}", "'mostly' is not one of none, partial, full", "mostly" },
        { SpecRules.BadRow, "restart: sys", "restart: soon", "'soon' is not one of", "soon" },
        { SpecRules.BadRow, "blocks: true, restart", "blocks: maybe, restart", "'maybe' is neither true nor false", "maybe" },
        { SpecRules.BadRow, "gettid: {x86_64: 186, aarch64: 178, answer: standing", "gettid: {x86_64: 186, aarch64: 178, answer: lasting", "gettid: answer: the only kind of answer is 'standing'", "lasting" },
        { SpecRules.BadRow, "args: {fd: fd, offset: off}, support", "args: {fd: fd, offset: off}, answer: standing, support", "lseek: only a call that takes nothing", "lseek" },
        { SpecRules.BadRow, "answer: standing, support: full}\n    getuid", "answer: standing, blocks: true, support: full}\n    getuid", "gettid: only a call that takes nothing", "gettid" },
        { SpecRules.BadRow, "answer: standing, support: full}\n    getuid", "answer: standing, support: none}\n    getuid", "gettid: only a call that takes nothing", "gettid" },
        { SpecRules.BadRow, "lseek: {x86_64: 8, aarch64: 62,", "lseek: {", "lseek: a number for x86_64 or aarch64 is missing", "lseek" },
        { SpecRules.BadRow, "out<bytes*count>", "to<bytes*count>", "'to<bytes*count>' is not in<T>, out<T> or inout<T>", "to<" },
        { SpecRules.BadRow, "req: in<timespec>", "req: timespec", "'timespec' does not fit a register", "timespec}" },
        { SpecRules.BadRow, "level: int", "a: int, b: int, c: int, d: int, e: int, f: int, g: int", "7 arguments, a call has 6 at most", "{a: int" },
        { SpecRules.DuplicateNumber, "lseek: {x86_64: 8", "lseek: {x86_64: 72", "lseek: x86_64 number 72 belongs to fcntl", "lseek" },
        { SpecRules.DuplicateNumber, "aarch64: 101", "aarch64: 63", "nanosleep: aarch64 number 63 belongs to read", "nanosleep" },
        { SpecRules.DuplicateNumber, "iopl: {x86_64: 172, args: {level: int}", "fcntl: {x86_64: 173, args: {level: int}", "fcntl: the call has a row already", "fcntl: {x86_64: 173" },
        { SpecRules.UnknownName, "offset: off", "offset: offset_t", "lseek: unknown type 'offset_t'", "offset_t" },
        { SpecRules.UnknownName, "sec: long, nsec", "sec: seconds, nsec", "type timespec: unknown type 'seconds'", "seconds" },
        { SpecRules.UnknownName, "bytes*count", "bytes*length", "read: buf counts by 'length', which is no argument", "{fd: fd, buf" },
        { SpecRules.Unused, "cmd: fcntl_cmd, arg", "cmd: int, arg", "flags fcntl_cmd: nothing uses the set", "fcntl_cmd: {type" },
        { SpecRules.Unused, "types:\n", "types:\n  spare: {csharp: int, format: dec}\n", "type spare: nothing uses it", "spare" },
        { SpecRules.MissingNote, ", note: no leases", "", "fcntl: partial support needs a note", "fcntl: {x86_64" },
        { SpecRules.Unsorted, "lseek: {x86_64: 8", "close: {x86_64: 8", "close: comes before fcntl in family files", "close" },
        { SpecRules.Malformed, "filters:\n", "filter:\n", "unknown section 'filter'", "filter:" },
        { SpecRules.BadRow, "format: fd}", "format: descriptor}", "'descriptor' is not one of dec, hex", "descriptor" },
        { SpecRules.BadRow, "enum: {F_DUPFD: 0", "enum: {F_DUPFD: zero", "'zero' is not a number", "zero" },
        { SpecRules.BadRow, "fcntl_cmd: {type: int,", "fcntl_cmd: {", "flags fcntl_cmd: type is missing", "fcntl_cmd: {" },
        { SpecRules.UnknownName, "iopl: {why", "ioplx: {why", "filters worker: there is no x86_64 call 'ioplx'", "ioplx" },
        { SpecRules.UnknownName, "{cmd: F_GETFD}", "{command: F_GETFD}", "fcntl has no argument 'command'", "command" },
        { SpecRules.UnknownName, "{cmd: F_GETFD}", "{cmd: F_GETFL}", "'F_GETFL' is neither a number nor a name", "F_GETFL" },
        { SpecRules.UnknownName, "include: base", "include: bases", "no fragment 'bases' stands before", "bases" },
        { SpecRules.MissingNote, "iopl: {why: asked by libc, ", "iopl: {", "filters worker: iopl: say why the role makes the call", "iopl: {answer" },
        { SpecRules.UnreachableRule, "equals: 0x100}", "equals: 0x200}", "the value has bits outside the mask", "{mask" },
        { SpecRules.UnreachableRule, "else: EPERM", "else: allow", "clone: the answer is the same whether or not the rule matches", "clone: {why" },
        { SpecRules.UnreachableRule, "{cmd: F_DUPFD, arg: {max: 10}}", "{cmd: F_GETFD}", "fcntl: an alternative is listed twice", "fcntl: {why" },
        { SpecRules.UnreachableRule, "iopl: {why: asked", "read: {why: asked", "read: the fragment has a rule with another or no condition", "read: {why: asked" },
        { SpecRules.BadRow, "answer: EPERM", "answer: no", "'no' is not allow, trap, kill_process or an errno", "no}" },
        { SpecRules.BadRow, "{max: 10}", "{least: 10}", "a condition is a value, a list", "{least" },
    };

    [Theory]
    [MemberData(nameof(Mistakes))]
    public void A_mistake_is_reported_at_its_place(string rule, string from, string to, string message, string place)
    {
        FixtureSpec.Text.ShouldContain(from);
        string text = FixtureSpec.Text.Replace(from, to, StringComparison.Ordinal);
        SpecDiagnostic[] found = [.. SpecParser.Parse(text).Diagnostics];
        SpecDiagnostic expected = found.Where(d => d.Id == rule && d.Message.Contains(message, StringComparison.Ordinal)).ShouldHaveSingleItem(string.Join("\n", found.Select(d => d.ToString())));
        string line = text.Split('\n')[expected.Line - 1];
        line[(expected.Column - 1)..].ShouldStartWith(place);
    }

    [Fact]
    public void The_fixture_has_no_mistakes() => SpecParser.Parse(FixtureSpec.Text).Diagnostics.ShouldBeEmpty();

    [Theory]
    [InlineData("syscalls: [a", 2)]
    [InlineData("syscalls:\n  a:\n    b: {x: 1\n  c: d", 4)]
    [InlineData("a: 1\na: 2", 2)]
    public void Text_that_is_no_yaml_is_one_diagnostic(string text, int line)
    {
        SpecDiagnostic diagnostic = SpecParser.Parse(text).Diagnostics.ShouldHaveSingleItem();
        diagnostic.Id.ShouldBe(SpecRules.Malformed);
        diagnostic.Line.ShouldBeLessThanOrEqualTo(line);
        diagnostic.Line.ShouldBeGreaterThan(0);
    }

    [Fact]
    public void The_compiler_shows_file_line_and_column()
    {
        GeneratorRun run = new(FixtureSpec.Text.Replace("lseek: {x86_64: 8", "lseek: {x86: 8", StringComparison.Ordinal), "Numbers");
        Diagnostic diagnostic = run.Diagnostics.ShouldHaveSingleItem();
        diagnostic.ToString().ShouldBe("/spec/syscalls.yaml(5,13): error CV0002: lseek: unknown key 'x86'");
    }
}
