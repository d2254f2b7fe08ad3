// SPDX-License-Identifier: Apache-2.0
using System.Collections.Immutable;
using System.Text;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CodeActions;
using Microsoft.CodeAnalysis.CodeFixes;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Text;

namespace CVisor.Analyzers.Tests.Support;

/// <summary>
/// A piece of C# for one analyzer. What the rule must report is written <c>[|so|]</c>; the snippet must compile, and
/// every report must be expected.
/// </summary>
internal sealed class Snippet<TAnalyzer>(string marked)
    where TAnalyzer : DiagnosticAnalyzer, new()
{
    private static readonly ImmutableArray<MetadataReference> s_references =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!)
            .Split(':')
            .Where(static p => Path.GetFileName(p) is var name && (name.StartsWith("System.") || name is "mscorlib.dll" or "netstandard.dll" or "Microsoft.Win32.Primitives.dll"))
            .Select(static p => MetadataReference.CreateFromFile(p)),
        MetadataReference.CreateFromFile(typeof(CVisor.Annotations.NoAllocAttribute).Assembly.Location),
        MetadataReference.CreateFromFile(typeof(CVisor.Abi.Errno).Assembly.Location),
        MetadataReference.CreateFromFile(typeof(CVisor.Host.HostErrno).Assembly.Location),
    ];

    private const string Usings = "global using System; global using CVisor.Annotations; global using CVisor.Abi; global using CVisor.Host;";

    /// <summary>The file that the snippet is compiled as.</summary>
    public string File { get; init; } = "Snippet.cs";

    /// <summary>The folder of the project that it is compiled in.</summary>
    public string Area { get; init; } = "kernel/Core/";

    /// <summary>The process role of the project.</summary>
    public string Role { get; init; } = "";

    /// <summary>The text of syscalls.yaml, when the rule reads it.</summary>
    public string? Spec { get; init; }

    /// <summary>Whether arithmetic is checked, as in shipped projects.</summary>
    public bool Checked { get; init; } = true;

    /// <summary>Runs the analyzer and compares its reports with the marks; answers the messages.</summary>
    public async Task<IReadOnlyList<string>> Check()
    {
        (string source, List<TextSpan> expected) = Unmark(marked);
        CSharpCompilation compilation = Compile(source);
        ImmutableArray<Diagnostic> found = await Report(compilation);
        TextSpan[] spans = [.. found.Select(static d => d.Location.SourceSpan).Order()];
        if (!spans.SequenceEqual(expected.Order()))
        {
            string shown = string.Join('\n', found.Select(d => $"  {d.Id} at '{source.Substring(d.Location.SourceSpan.Start, d.Location.SourceSpan.Length)}': {d.GetMessage()}"));
            throw new Xunit.Sdk.XunitException($"expected {expected.Count} reports:\n{string.Join('\n', expected.Select(e => $"  '{source.Substring(e.Start, e.Length)}'"))}\nfound {spans.Length}:\n{shown}");
        }

        return [.. found.OrderBy(static d => d.Location.SourceSpan).Select(static d => d.GetMessage())];
    }

    /// <summary>Applies the code fix to the first report and compares the text.</summary>
    public async Task Fix<TFix>(string wanted)
        where TFix : CodeFixProvider, new()
    {
        (string source, _) = Unmark(marked);
        using AdhocWorkspace workspace = new();
        CSharpCompilation compilation = Compile(source);
        Project project = workspace.AddProject("Snippet", LanguageNames.CSharp)
            .WithCompilationOptions(compilation.Options)
            .WithParseOptions(compilation.SyntaxTrees[0].Options)
            .WithMetadataReferences(compilation.References)
            .AddDocument("Usings.g.cs", Usings).Project;
        Document document = project.AddDocument("Snippet.cs", source, filePath: File);
        Diagnostic first = (await Report(compilation)).OrderBy(static d => d.Location.SourceSpan).First();
        List<CodeAction> actions = [];
        CodeFixContext context = new(document, first, (action, _) => actions.Add(action), TestContext.Current.CancellationToken);
        await new TFix().RegisterCodeFixesAsync(context);
        actions.Count.ShouldBe(1);
        ImmutableArray<CodeActionOperation> operations = await actions[0].GetOperationsAsync(TestContext.Current.CancellationToken);
        Solution changed = operations.OfType<ApplyChangesOperation>().Single().ChangedSolution;
        (await changed.GetDocument(document.Id)!.GetTextAsync()).ToString().ShouldBe(wanted);
    }

    private CSharpCompilation Compile(string source)
    {
        CSharpParseOptions parse = new(LanguageVersion.Preview, DocumentationMode.Parse);
        CSharpCompilationOptions options = new(
            OutputKind.DynamicallyLinkedLibrary,
            allowUnsafe: true,
            checkOverflow: Checked,
            nullableContextOptions: NullableContextOptions.Enable);
        CSharpCompilation compilation = CSharpCompilation.Create(
            "Snippet",
            [
                CSharpSyntaxTree.ParseText(SourceText.From(source, Encoding.UTF8), parse, File),
                CSharpSyntaxTree.ParseText(SourceText.From(Usings, Encoding.UTF8), parse, "Usings.g.cs"),
            ],
            s_references,
            options);
        Diagnostic[] errors = [.. compilation.GetDiagnostics().Where(static d => d.Severity == DiagnosticSeverity.Error && d.Id is not "CS8795")];
        errors.ShouldBeEmpty("the snippet must compile");
        return compilation;
    }

    private async Task<ImmutableArray<Diagnostic>> Report(CSharpCompilation compilation)
    {
        Dictionary<string, string> properties = new() { ["build_property.RepoArea"] = Area, ["build_property.CVisorRole"] = Role };
        ImmutableArray<AdditionalText> additional = Spec is null ? [] : [new SpecText(Spec)];
        CompilationWithAnalyzersOptions options = new(
            new AnalyzerOptions(additional, new Options(properties)),
            onAnalyzerException: null,
            concurrentAnalysis: false,
            logAnalyzerExecutionTime: false);
        ImmutableArray<Diagnostic> found = await compilation.WithAnalyzers([new TAnalyzer()], options).GetAnalyzerDiagnosticsAsync();
        found.ShouldNotContain(static d => d.Id == "AD0001");
        return found;
    }

    private static (string Source, List<TextSpan> Spans) Unmark(string text)
    {
        StringBuilder source = new();
        Stack<int> open = new();
        List<TextSpan> spans = [];
        for (int i = 0; i < text.Length; i++)
        {
            if (text.AsSpan(i).StartsWith("[|"))
            {
                open.Push(source.Length);
                i++;
            }
            else if (open.Count > 0 && text.AsSpan(i).StartsWith("|]"))
            {
                spans.Add(TextSpan.FromBounds(open.Pop(), source.Length));
                i++;
            }
            else
            {
                source.Append(text[i]);
            }
        }

        open.ShouldBeEmpty("a mark is not closed");
        return (source.ToString(), spans);
    }

    private sealed class SpecText(string text) : AdditionalText
    {
        public override string Path => "syscalls.yaml";

        public override SourceText GetText(CancellationToken cancellationToken = default) => SourceText.From(text, Encoding.UTF8);
    }

    private sealed class Options(Dictionary<string, string> properties) : AnalyzerConfigOptionsProvider
    {
        public override AnalyzerConfigOptions GlobalOptions { get; } = new Values(properties);

        public override AnalyzerConfigOptions GetOptions(SyntaxTree tree) => GlobalOptions;

        public override AnalyzerConfigOptions GetOptions(AdditionalText textFile) => GlobalOptions;

        private sealed class Values(Dictionary<string, string> properties) : AnalyzerConfigOptions
        {
            public override bool TryGetValue(string key, out string value) => properties.TryGetValue(key, out value!);
        }
    }
}
