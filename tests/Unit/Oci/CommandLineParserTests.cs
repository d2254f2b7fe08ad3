// SPDX-License-Identifier: Apache-2.0
using CVisor.Runsc.Cli;

namespace CVisor.Runsc.Oci.Tests;

public sealed class CommandLineParserTests
{
    [Theory]
    [InlineData("-root=/x", "list")]
    [InlineData("--root=/x", "list")]
    [InlineData("--root", "/x", "list")]
    [InlineData("-root", "/x", "list")]
    public void A_flag_may_have_one_or_two_dashes_and_its_value_as_a_word_or_after_an_equals_sign(params string[] args) =>
        CommandLineParser.Parse(args).Globals.Text("root").ShouldBe("/x");

    [Theory]
    [InlineData("--debug", true)]
    [InlineData("--debug=true", true)]
    [InlineData("--debug=T", true)]
    [InlineData("--debug=1", true)]
    [InlineData("-debug=false", false)]
    [InlineData("--debug=0", false)]
    public void A_switch_takes_its_value_only_after_an_equals_sign(string word, bool expected)
    {
        CommandLine line = CommandLineParser.Parse([word, "list"]);
        line.Globals.Boolean("debug").ShouldBe(expected);
        line.Command!.Name.ShouldBe("list");
    }

    [Fact]
    public void A_word_after_a_switch_is_the_command_not_its_value() =>
        Should.Throw<CommandLineException>(() => CommandLineParser.Parse(["--debug", "false", "list"])).Message.ShouldContain("unknown command \"false\"");

    [Fact]
    public void Flags_end_at_the_first_other_word()
    {
        CommandLine line = CommandLineParser.Parse(["--network=none", "do", "-quiet", "ls", "-l", "--root", "/"]);
        line.Arguments.ShouldBe(["ls", "-l", "--root", "/"]);
        line.Flags.Boolean("quiet").ShouldBeTrue();
        line.Flags.Text("root").ShouldBe("/");
        line.Flags.IsSet("root").ShouldBeFalse();
        line.CommandStart.ShouldBe(1);
        line.ArgumentsStart.ShouldBe(3);
    }

    [Fact]
    public void Two_dashes_end_the_flags_and_are_no_argument() =>
        CommandLineParser.Parse(["spec", "--bundle", "/b", "--", "--help"]).Arguments.ShouldBe(["--help"]);

    [Fact]
    public void A_single_dash_is_an_argument() => CommandLineParser.Parse(["do", "-"]).Arguments.ShouldBe(["-"]);

    [Fact]
    public void A_repeatable_flag_keeps_every_value_in_order() =>
        CommandLineParser.Parse(["exec", "--env", "A=1", "-env=B=2", "id", "true"]).Flags.List("env").ShouldBe(["A=1", "B=2"]);

    [Fact]
    public void The_last_of_several_values_counts() =>
        CommandLineParser.Parse(["--platform=kvm", "--platform=ptrace", "list"]).Globals.Text("platform").ShouldBe("ptrace");

    [Theory]
    [InlineData("unknown flag --frob", "--frob", "list")]
    [InlineData("run: unknown flag --frob", "run", "--frob", "id")]
    [InlineData("run: unknown flag --debug; it is a global flag", "run", "--debug", "id")]
    [InlineData("flag --root needs a value", "--root")]
    [InlineData("unknown command \"frob\"", "frob")]
    [InlineData("kill: wrong number of arguments", "kill")]
    [InlineData("state: wrong number of arguments", "state", "a", "b")]
    [InlineData("invalid value \"maybe\" for flag --debug", "--debug=maybe", "list")]
    [InlineData("invalid value \"x\" for flag --strace-log-size", "--strace-log-size=x", "list")]
    [InlineData("invalid value \"x\" for flag --network: must be one of sandbox, none, host", "--network=x", "list")]
    [InlineData("flag --nvproxy=true is not supported", "--nvproxy=true", "list")]
    public void What_is_wrong_is_said(string message, params string[] args) =>
        Should.Throw<CommandLineException>(() => CommandLineParser.Parse(args)).Message.ShouldStartWith(message);

    [Fact]
    public void A_flag_without_counterpart_takes_its_default() => CommandLineParser.Parse(["--nvproxy=false", "--gso", "list"]).Command.ShouldNotBeNull();

    [Fact]
    public void Help_may_be_asked_of_the_program_and_of_a_command()
    {
        Should.Throw<HelpRequestedException>(() => CommandLineParser.Parse(["--help"])).Command.ShouldBe("");
        Should.Throw<HelpRequestedException>(() => CommandLineParser.Parse(["exec", "-h"])).Command.ShouldBe("exec");
    }

    [Fact]
    public void Docker_s_command_lines_parse()
    {
        CommandLine line = CommandLineParser.Parse(["--root", "/run/r", "--log", "/l.json", "--log-format", "json", "create", "--bundle", "/b", "--pid-file", "/p", "--console-socket", "/c", "abc"]);
        line.Command!.Name.ShouldBe("create");
        line.Flags.Text("console-socket").ShouldBe("/c");
        CommandLineParser.Parse(["--log-format", "json", "exec", "--process", "/p.json", "--detach", "--pid-file", "/p", "abc"]).Flags.Boolean("detach").ShouldBeTrue();
        CommandLineParser.Parse(["--systemd-cgroup", "kill", "--all", "abc", "9"]).Arguments.ShouldBe(["abc", "9"]);
        CommandLineParser.Parse(["delete", "--force", "abc"]).Flags.Boolean("force").ShouldBeTrue();
        CommandLineParser.Parse(["ps", "--format", "json", "abc"]).Flags.Text("format").ShouldBe("json");
    }

    [Fact]
    public void Every_flag_s_default_is_a_value_it_takes()
    {
        foreach (FlagDefinition[] flags in (FlagDefinition[][])[GlobalGrammar.Flags, .. CommandGrammar.Commands.Select(command => command.Flags)])
        {
            foreach (FlagDefinition flag in flags.Where(flag => flag.Default.Length > 0))
            {
                flag.Check(flag.Default, out string normal).ShouldBeNull(flag.Name);
                normal.ShouldBe(flag.Default, flag.Name);
            }

            flags.Select(flag => flag.Name).ShouldBeUnique();
        }
    }
}
