// SPDX-License-Identifier: Apache-2.0
using CVisor.Analyzers.CodeFixes;
using CVisor.Analyzers.Tests.Support;

namespace CVisor.Analyzers.Tests;

public sealed class FileHeaderTests
{
    [Theory]
    [InlineData("[|class C;|]")]
    [InlineData("[||]\n// SPDX-License-Identifier: Apache-2.0\nclass C;")]
    [InlineData("[|// SPDX-License-Identifier: MIT|]\nclass C;")]
    public async Task Reports_a_first_line_that_is_not_the_header(string source) => await new Snippet<FileHeaderAnalyzer>(source).Check();

    [Fact]
    public async Task Accepts_the_header() => await new Snippet<FileHeaderAnalyzer>("// SPDX-License-Identifier: Apache-2.0\nclass C;\n").Check();

    [Fact]
    public async Task Fix_adds_it() => await new Snippet<FileHeaderAnalyzer>("class C;\n").Fix<FileHeaderCodeFix>("// SPDX-License-Identifier: Apache-2.0\nclass C;\n");
}
