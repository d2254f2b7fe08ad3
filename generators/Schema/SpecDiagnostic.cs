// SPDX-License-Identifier: Apache-2.0
using System;

namespace CVisor.Schema;

/// <summary>Something wrong in syscalls.yaml, at a place in it. Free of Roslyn types, so that tools can use it too.</summary>
/// <param name="Id">One of <see cref="SpecRules"/>.</param>
/// <param name="Message">The whole sentence, naming the row.</param>
/// <param name="Line">The line, from 1.</param>
/// <param name="Column">The column, from 1.</param>
public sealed record SpecDiagnostic(string Id, string Message, int Line, int Column) : IEquatable<SpecDiagnostic>;
