// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Analyzers;

/// <summary>The diagnostics' categories, one for each range of numbers.</summary>
internal static class Categories
{
    internal const string Unsafe = "CVisor.Unsafe";
    internal const string Kernel = "CVisor.Kernel";
    internal const string Concurrency = "CVisor.Concurrency";
    internal const string Performance = "CVisor.Performance";
    internal const string Abi = "CVisor.Abi";
    internal const string Hygiene = "CVisor.Hygiene";
}
