// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Syscalls;

/// <summary>
/// One method for each row of syscalls.yaml that is supported; the generated half declares them, one file a family implements them. A handler checks
/// its arguments, looks things up, calls the subsystem and returns: no locks, no loops over guest data.
/// </summary>
public static partial class Handlers;
