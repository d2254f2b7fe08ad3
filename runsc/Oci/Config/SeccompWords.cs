// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Runsc.Oci;

/// <summary>The words of a spec's seccomp filter.</summary>
public static class SeccompWords
{
    private const uint ErrnoReturn = 0x0005_0000, TraceReturn = 0x7ff0_0000, DataMask = 0xffff;
    private const uint OperationNotPermitted = 1;

    /// <summary>The SECCOMP_RET_* of an action, without data; null for what this kernel has not (SCMP_ACT_NOTIFY).</summary>
    public static uint? Action(string? word) => word switch
    {
        "SCMP_ACT_KILL" or "SCMP_ACT_KILL_THREAD" => 0,
        "SCMP_ACT_KILL_PROCESS" => 0x8000_0000,
        "SCMP_ACT_TRAP" => 0x0003_0000,
        "SCMP_ACT_ERRNO" => ErrnoReturn,
        "SCMP_ACT_TRACE" => TraceReturn,
        "SCMP_ACT_LOG" => 0x7ffc_0000,
        "SCMP_ACT_ALLOW" => 0x7fff_0000,
        _ => null,
    };

    /// <summary>What a filter returns for an action: an errno is EPERM unless given.</summary>
    public static uint Return(string? word, uint? data)
    {
        uint action = Action(word) ?? 0;
        return action is ErrnoReturn or TraceReturn ? action | ((data ?? OperationNotPermitted) & DataMask) : action;
    }

    /// <summary>Whether an operator is known.</summary>
    public static bool IsOperator(string? word) =>
        word is "SCMP_CMP_NE" or "SCMP_CMP_LT" or "SCMP_CMP_LE" or "SCMP_CMP_EQ" or "SCMP_CMP_GE" or "SCMP_CMP_GT" or "SCMP_CMP_MASKED_EQ";
}
