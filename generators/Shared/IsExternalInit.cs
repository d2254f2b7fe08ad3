// SPDX-License-Identifier: Apache-2.0
namespace System.Runtime.CompilerServices;

/// <summary>Lets init-only setters compile for netstandard2.0.</summary>
internal static class IsExternalInit;
