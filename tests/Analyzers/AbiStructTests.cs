// SPDX-License-Identifier: Apache-2.0
using CVisor.Analyzers.CodeFixes;
using CVisor.Analyzers.Tests.Support;
using CVisor.Annotations;

namespace CVisor.Analyzers.Tests;

public sealed class AbiStructTests
{
    private static Snippet<AbiStructAnalyzer> In(string source) => new("using System.Runtime.InteropServices; using System.Runtime.CompilerServices;\n" + source);

    [Fact]
    public async Task Reports_a_layout_that_is_not_stated() => await In("""
        [AbiStruct(4)] struct [|None|] { public int A; }
        [AbiStruct(4)] [StructLayout(LayoutKind.Auto)] struct [|Auto|] { public int A; }
        """).Check();

    [Fact]
    public async Task Reports_fields_that_are_not_blittable() => await In("""
        struct Inner { public bool B; }
        [AbiStruct(4)] [StructLayout(LayoutKind.Sequential)]
        struct Fields { public string [|S|]; public bool [|B|]; public char [|C|]; public decimal [|D|]; public Inner [|I|]; public int Ok; public object [|Property|] { get; set; } }
        """).Check();

    [Fact]
    public async Task Reports_a_wrong_size()
    {
        IReadOnlyList<string> messages = await In("""
            [AbiStruct(12)] [StructLayout(LayoutKind.Sequential)] struct [|Padded|] { public int A; public long B; }
            [AbiStruct(16)] [StructLayout(LayoutKind.Sequential, Pack = 1)] struct [|Packed|] { public int A; public long B; }
            """).Check();
        messages.ShouldBe(["'Padded' is 16 bytes long, its annotation says 12", "'Packed' is 12 bytes long, its annotation says 16"]);
    }

    [Fact]
    public async Task Accepts_structs_of_the_stated_size() => await In("""
        enum E : ushort { A }
        [InlineArray(3)] struct Three { private int _first; }
        [AbiStruct(16)] [StructLayout(LayoutKind.Sequential)] struct Padded { public int A; public long B; }
        [AbiStruct(12)] [StructLayout(LayoutKind.Sequential, Pack = 4)] struct Packed { public int A; public long B; }
        [AbiStruct(24)] [StructLayout(LayoutKind.Sequential)] struct Nested { public byte A; public Padded B; }
        [AbiStruct(14)] [StructLayout(LayoutKind.Sequential, Pack = 2)] struct Enums { public E A; public Three B; }
        [AbiStruct(16)] [StructLayout(LayoutKind.Explicit, Size = 16)] struct Union { [FieldOffset(0)] public int A; [FieldOffset(0)] public long B; }
        [AbiStruct(20)] [StructLayout(LayoutKind.Sequential)] unsafe struct Buffer { public int A; public fixed byte B[13]; }
        [AbiStruct(16)] [StructLayout(LayoutKind.Sequential)] record struct Record(int A, nuint B) { public static bool Shared; }
        """).Check();

    [Fact]
    public void Computed_sizes_are_those_of_the_runtime()
    {
        // The annotated structs of the host project are laid out by the same rules that the analyzer applies.
        Type[] annotated = [.. typeof(CVisor.Host.HostErrno).Assembly.GetTypes().Where(static t => t.GetCustomAttributes(typeof(AbiStructAttribute), false).Length > 0)];
        annotated.Length.ShouldBeGreaterThan(5);
        foreach (Type type in annotated)
        {
            int stated = ((AbiStructAttribute)type.GetCustomAttributes(typeof(AbiStructAttribute), false)[0]).SizeBytes;
            System.Runtime.InteropServices.Marshal.SizeOf(type).ShouldBe(stated, type.Name);
        }

    }

    [Fact]
    public async Task Fix_states_the_layout() => await new Snippet<AbiStructAnalyzer>("""
        /// <summary>Text.</summary>
        [AbiStruct(4)]
        public struct None
        {
            public int A;
        }
        """).Fix<AbiStructCodeFix>("""
        /// <summary>Text.</summary>
        [System.Runtime.InteropServices.StructLayout(System.Runtime.InteropServices.LayoutKind.Sequential)]
        [AbiStruct(4)]
        public struct None
        {
            public int A;
        }
        """);
}
