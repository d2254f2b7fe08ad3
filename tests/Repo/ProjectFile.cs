// SPDX-License-Identifier: Apache-2.0
using System.Xml.Linq;
using CVisor.Tests.Support;

namespace CVisor.Repo.Tests;

/// <summary>A project file, as far as the laws look at it.</summary>
/// <param name="path">The path from the root.</param>
internal sealed class ProjectFile(string path)
{
    private readonly XDocument _document = XDocument.Load(Tree.Full(path));

    /// <summary>Every project of the repository.</summary>
    public static IReadOnlyList<ProjectFile> All { get; } = [.. Tree.Files.Where(static f => f.EndsWith(".csproj", StringComparison.Ordinal)).Select(static f => new ProjectFile(f))];

    /// <summary>The path from the root.</summary>
    public string FilePath { get; } = path;

    /// <summary>The folder from the root, such as <c>kernel/Core</c>.</summary>
    public string Folder { get; } = Path.GetDirectoryName(path)!.Replace('\\', '/');

    /// <summary>The folders of the projects that it references as libraries; analyzers and generators run in the compiler and are none.</summary>
    public IEnumerable<string> References => Items("ProjectReference")
        .Where(static r => r.Attribute("OutputItemType")?.Value != "Analyzer")
        .Select(r => Path.GetDirectoryName(Resolve(r.Attribute("Include")!.Value))!.Replace('\\', '/'));

    /// <summary>The packages that it references.</summary>
    public IEnumerable<XElement> Packages => Items("PackageReference");

    /// <summary>The items of a kind.</summary>
    public IEnumerable<XElement> Items(string kind) => _document.Descendants().Where(e => e.Name.LocalName == kind && e.Attribute("Include") is not null);

    /// <summary>The values that the file gives a property.</summary>
    public IEnumerable<string> Property(string name) => _document.Descendants().Where(e => e.Name.LocalName == name).Select(static e => e.Value.Trim());

    /// <inheritdoc/>
    public override string ToString() => FilePath;

    private string Resolve(string include)
    {
        string full = include.StartsWith("$(RepoRoot)", StringComparison.Ordinal)
            ? Path.Combine(RepositoryPaths.Root, include["$(RepoRoot)".Length..])
            : Path.Combine(RepositoryPaths.Root, Folder, include);
        return Path.GetRelativePath(RepositoryPaths.Root, Path.GetFullPath(full));
    }
}
