// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Runsc.Sandbox;

/// <summary>CLONE_NEW* flags of clone(2).</summary>
internal static class CloneFlags
{
    public const ulong NewNs = 0x20000, NewUts = 0x4000000, NewIpc = 0x8000000, NewUser = 0x10000000, NewPid = 0x20000000, NewNet = 0x40000000;
}
