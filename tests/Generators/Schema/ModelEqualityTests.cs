// SPDX-License-Identifier: Apache-2.0
using CVisor.Generators.Seccomp.Emit;
using CVisor.Generators.Shared;
using CVisor.Generators.Syscalls.Emit;
using CVisor.Generators.Tests.Driver;
using CVisor.Schema.Model;
using CVisor.Schema.Parsing;

namespace CVisor.Generators.Tests.Schema;

/// <summary>Models compare by content: two parses of one text are equal, and a change of one field is seen.</summary>
public sealed class ModelEqualityTests
{
    [Fact]
    public void Two_parses_of_one_text_are_equal_and_hash_alike()
    {
        Spec first = SpecParser.Parse(RepositorySpec.Text).Spec;
        Spec second = SpecParser.Parse(RepositorySpec.Text).Spec;
        second.ShouldNotBeSameAs(first);
        second.ShouldBe(first);
        second.GetHashCode().ShouldBe(first.GetHashCode());
        NumbersModel.From(second).ShouldBe(NumbersModel.From(first));
        HandlersModel.From(second).ShouldBe(HandlersModel.From(first));
        DispatchModel.From(second).ShouldBe(DispatchModel.From(first));
        InfoModel.From(second).ShouldBe(InfoModel.From(first));
        TraceModel.From(second).ShouldBe(TraceModel.From(first));
        FiltersModel.From(second.Filters).ShouldBe(FiltersModel.From(first.Filters));
    }

    [Theory]
    [InlineData("x86_64: 8,", "x86_64: 7,")]
    [InlineData("aarch64: 62", "aarch64: 61")]
    [InlineData("offset: off", "place: off")]
    [InlineData("offset: off", "offset: long")]
    [InlineData("out<bytes*count>", "in<bytes*count>")]
    [InlineData("out<bytes*count>", "out<bytes*4>")]
    [InlineData("note: no leases", "note: nothing")]
    [InlineData("errno: EPERM", "errno: EACCES")]
    [InlineData("restart: sys", "restart: nohand")]
    [InlineData("blocks: true, support: none", "support: none")]
    [InlineData("nsec: long", "nsec: int")]
    [InlineData("O_CREAT: 0o100", "O_CREAT: 0o200")]
    [InlineData("mask: 3", "mask: 7")]
    [InlineData("max: 10", "max: 9")]
    [InlineData("why: threads", "why: other")]
    [InlineData("else: EPERM", "else: trap")]
    public void A_change_of_one_field_is_seen(string from, string to)
    {
        FixtureSpec.Text.ShouldContain(from);
        Spec before = SpecParser.Parse(FixtureSpec.Text).Spec;
        SpecParser.Parse(FixtureSpec.Text.Replace(from, to, StringComparison.Ordinal)).Spec.ShouldNotBe(before);
    }

    [Fact]
    public void Arrays_compare_element_by_element()
    {
        EquatableArray<string> empty = default;
        empty.ShouldBe(new EquatableArray<string>([]));
        empty.Count.ShouldBe(0);
        new EquatableArray<string>(["a", "b"]).ShouldBe(new EquatableArray<string>(["a", "b"]));
        (new EquatableArray<string>(["a", "b"]) == new EquatableArray<string>(["b", "a"])).ShouldBeFalse();
        (new EquatableArray<string>(["a"]) != new EquatableArray<string>(["a", "b"])).ShouldBeTrue();
    }
}
