// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Runsc.Oci;

/// <summary>A failure of runsc that its user can act on: one line, no stack trace.</summary>
/// <param name="message">The line.</param>
public sealed class RunscException(string message) : Exception(message);
