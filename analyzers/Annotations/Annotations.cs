// SPDX-License-Identifier: Apache-2.0
using System;

namespace CVisor.Annotations;

/// <summary>Marks a method that must not allocate on the managed heap: dispatch, platform switch, signal-context and copy paths.</summary>
[AttributeUsage(AttributeTargets.Method | AttributeTargets.Constructor | AttributeTargets.Property)]
public sealed class NoAllocAttribute : Attribute;

/// <summary>Names the lock field that protects this field.</summary>
/// <param name="lockName">The lock's field name, or a path such as <c>Owner.Lock</c>.</param>
[AttributeUsage(AttributeTargets.Field | AttributeTargets.Property)]
public sealed class GuardedByAttribute(string lockName) : Attribute
{
    /// <summary>The lock's field name.</summary>
    public string LockName { get; } = lockName;
}

/// <summary>Names the lock that the caller of this method already holds; such methods end in <c>Locked</c>.</summary>
/// <param name="lockName">The lock's field name, or a path such as <c>Owner.Lock</c>.</param>
[AttributeUsage(AttributeTargets.Method | AttributeTargets.Property, AllowMultiple = true)]
public sealed class RequiresLockAttribute(string lockName) : Attribute
{
    /// <summary>The lock's field name.</summary>
    public string LockName { get; } = lockName;
}

/// <summary>Marks a struct whose layout is Linux ABI: blittable, explicit or sequential, of a fixed size.</summary>
/// <param name="sizeBytes">The size in bytes that the Linux header gives.</param>
[AttributeUsage(AttributeTargets.Struct)]
public sealed class AbiStructAttribute(int sizeBytes) : Attribute
{
    /// <summary>The size in bytes.</summary>
    public int SizeBytes { get; } = sizeBytes;
}

/// <summary>
/// Names a host system call that this function makes, itself or through what it calls; the role filters in
/// <c>syscalls.yaml</c> must allow it.
/// </summary>
/// <param name="name">The system call's name, as in the spec.</param>
[AttributeUsage(AttributeTargets.Method | AttributeTargets.Constructor | AttributeTargets.Property, AllowMultiple = true)]
public sealed class HostCallAttribute(string name) : Attribute
{
    /// <summary>The system call's name.</summary>
    public string Name { get; } = name;
}

/// <summary>The host calls made here happen before the process installs its seccomp filter, so the filter need not allow them.</summary>
/// <param name="why">Why the filter cannot be on yet.</param>
[AttributeUsage(AttributeTargets.Method | AttributeTargets.Constructor | AttributeTargets.Property | AttributeTargets.Class | AttributeTargets.Struct)]
public sealed class BeforeFilterAttribute(string why) : Attribute
{
    /// <summary>Why the filter cannot be on yet.</summary>
    public string Why { get; } = why;
}

/// <summary>Runs only while the sandbox starts (or ends), on nothing a guest chose: exceptions may be thrown here.</summary>
/// <param name="why">Why no guest reaches it.</param>
[AttributeUsage(AttributeTargets.Method | AttributeTargets.Constructor | AttributeTargets.Property | AttributeTargets.Class | AttributeTargets.Struct)]
public sealed class StartUpAttribute(string why) : Attribute
{
    /// <summary>Why no guest reaches it.</summary>
    public string Why { get; } = why;
}

/// <summary>A result of this type (or of this method) must be looked at, or discarded with <c>_ =</c>.</summary>
[AttributeUsage(AttributeTargets.Method | AttributeTargets.Class | AttributeTargets.Struct | AttributeTargets.Enum)]
public sealed class MustUseAttribute : Attribute;

/// <summary>Names the process role (sentry, gofer, stub) that an assembly or type runs in; its host calls are checked against that role's filter.</summary>
/// <param name="name">The role's name in <c>syscalls.yaml</c>.</param>
[AttributeUsage(AttributeTargets.Assembly | AttributeTargets.Class | AttributeTargets.Method, AllowMultiple = true)]
public sealed class ProcessRoleAttribute(string name) : Attribute
{
    /// <summary>The role's name.</summary>
    public string Name { get; } = name;
}
