// SPDX-License-Identifier: Apache-2.0
using System.Collections.Immutable;
using System.Text;
using CVisor.Generators.MachineCode;
using CVisor.Generators.NineP;
using CVisor.Generators.Seccomp;
using CVisor.Generators.Syscalls;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Text;

namespace CVisor.Generators.Tests.Driver;

/// <summary>Runs the generators over a spec text, once or again after a change, as the compiler does.</summary>
internal sealed class GeneratorRun
{
    private const string SpecPath = "/spec/syscalls.yaml";

    private static readonly ImmutableArray<MetadataReference> s_references =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(p => Path.GetFileName(p).StartsWith("System.", StringComparison.Ordinal))
            .Select(p => MetadataReference.CreateFromFile(p)),
    ];

    private CSharpCompilation _compilation;
    private GeneratorDriver _driver;
    private SpecFileText _spec;

    public GeneratorRun(string spec, string outputs, params string[] sources)
    {
        _compilation = CSharpCompilation.Create(
            "fixture",
            sources.Select((s, i) => Parse(s, $"source{i}.cs")),
            s_references,
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable));
        _spec = new SpecFileText(SpecPath, spec);
        _driver = CSharpGeneratorDriver.Create(
            [new SyscallGenerator().AsSourceGenerator(), new SeccompGenerator().AsSourceGenerator(), new NinePGenerator().AsSourceGenerator(), new MachineCodeGenerator().AsSourceGenerator()],
            [_spec],
            (CSharpParseOptions)Parse("", "").Options,
            new FixtureOptions(outputs),
            new GeneratorDriverOptions(IncrementalGeneratorOutputKind.None, trackIncrementalGeneratorSteps: true));
        Run();
    }

    public GeneratorDriverRunResult Result { get; private set; } = null!;

    public Compilation Output { get; private set; } = null!;

    public ImmutableArray<Diagnostic> Diagnostics { get; private set; }

    /// <summary>The text generated for <paramref name="output"/>.</summary>
    public string Source(string output)
        => Result.Results.SelectMany(r => r.GeneratedSources).Single(s => s.HintName == output + ".g.cs").SourceText.ToString();

    public IEnumerable<string> HintNames() => Result.Results.SelectMany(r => r.GeneratedSources).Select(s => s.HintName).Order();

    /// <summary>Why the steps named <paramref name="step"/> ran in the last run.</summary>
    public IEnumerable<IncrementalStepRunReason> Reasons(string step)
        => Result.Results.Where(r => r.TrackedSteps.ContainsKey(step)).SelectMany(r => r.TrackedSteps[step]).SelectMany(s => s.Outputs).Select(o => o.Reason);

    /// <summary>Why source outputs ran in the last run, by the file they made.</summary>
    public IEnumerable<IncrementalStepRunReason> OutputReasons()
        => Result.Results.SelectMany(r => r.TrackedOutputSteps).SelectMany(p => p.Value).SelectMany(s => s.Outputs).Select(o => o.Reason);

    /// <summary>Runs again with another spec text.</summary>
    public void ChangeSpec(string spec)
    {
        SpecFileText changed = new(SpecPath, spec);
        _driver = _driver.ReplaceAdditionalText(_spec, changed);
        _spec = changed;
        Run();
    }

    /// <summary>Runs again with one more C# file.</summary>
    public void AddSource(string source)
    {
        _compilation = _compilation.AddSyntaxTrees(Parse(source, "added.cs"));
        Run();
    }

    private static SyntaxTree Parse(string source, string path)
        => CSharpSyntaxTree.ParseText(source, new CSharpParseOptions(LanguageVersion.Preview), path, Encoding.UTF8);

    private void Run()
    {
        _driver = _driver.RunGeneratorsAndUpdateCompilation(_compilation, out Compilation output, out ImmutableArray<Diagnostic> diagnostics);
        (Output, Diagnostics, Result) = (output, diagnostics, _driver.GetRunResult());
    }

    private sealed class SpecFileText(string path, string text) : AdditionalText
    {
        public override string Path => path;

        public override SourceText GetText(CancellationToken cancellationToken = default) => SourceText.From(text, Encoding.UTF8);
    }

    private sealed class FixtureOptions(string outputs) : AnalyzerConfigOptionsProvider
    {
        public override AnalyzerConfigOptions GlobalOptions { get; } = new Values(new Dictionary<string, string> { ["build_property.CVisorGenerate"] = outputs });

        public override AnalyzerConfigOptions GetOptions(SyntaxTree tree) => GlobalOptions;

        public override AnalyzerConfigOptions GetOptions(AdditionalText textFile) => new Values(new Dictionary<string, string>
        {
            ["build_metadata.AdditionalFiles.CVisorSpec"] = "true",
            ["build_metadata.AdditionalFiles.CVisorGenerate"] = outputs,
        });

        private sealed class Values(Dictionary<string, string> values) : AnalyzerConfigOptions
        {
            public override bool TryGetValue(string key, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out string? value)
                => values.TryGetValue(key, out value);
        }
    }
}
