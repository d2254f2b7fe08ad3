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
[AttributeUsage(AttributeTargets.Method)]
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

/// <summary>Names the host system call that this function makes; the role filters in <c>syscalls.yaml</c> must allow it.</summary>
/// <param name="name">The system call's name, as in the spec.</param>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
public sealed class HostCallAttribute(string name) : Attribute
{
    /// <summary>The system call's name.</summary>
    public string Name { get; } = name;
}

/// <summary>Names the process role (sentry, gofer, stub) that an assembly or type runs in; its host calls are checked against that role's filter.</summary>
/// <param name="name">The role's name in <c>syscalls.yaml</c>.</param>
[AttributeUsage(AttributeTargets.Assembly | AttributeTargets.Class | AttributeTargets.Method, AllowMultiple = true)]
public sealed class ProcessRoleAttribute(string name) : Attribute
{
    /// <summary>The role's name.</summary>
    public string Name { get; } = name;
}
