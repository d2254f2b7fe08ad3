// SPDX-License-Identifier: Apache-2.0
using CVisor.Platforms;

namespace CVisor.Core.Tasks;

/// <summary>The end of a task.</summary>
public sealed partial class Task
{
    private bool _endsNow;
    private int _exitStatus;

    /// <summary>exit(2): the task ends once the handler has returned.</summary>
    /// <param name="status">A wait(2) status: exit code &lt;&lt; 8, or the signal number.</param>
    public SyscallResult RequestExit(int status)
    {
        _endsNow = true;
        _exitStatus = status;
        return SyscallResult.KeepRegisters;
    }

    /// <summary>Takes the task apart; returns false, which tells the worker to forget it.</summary>
    private bool Finish()
    {
        SetRunState(RunState.Exited);
        Context!.Destroy();
        Context = null;
        Memory.RemoveUser();
        ThreadGroup.OnTaskExited(this, _exitStatus);
        return false;
    }

    private void OnHardwareLost()
    {
        _ = RequestExit(9);
        Start(Finish());
    }

    private void KillForMemory()
    {
        _ = RequestExit(9);
        Start(Finish());
    }

    private void ForceFaultSignal(GuestFault fault)
    {
        _ = RequestExit(fault.Signal);
        Start(Finish());
    }

    private async Blocking<bool> PrepareReturn()
    {
        ClearInterrupt();
        return await new Blocking<bool>(true);
    }

    private async Blocking<bool> PrepareReturnAfterInterruption(Restart restart)
    {
        LeaveSyscall(SyscallResult.Fail(Abi.Errno.EINTR));
        return await PrepareReturn();
    }
}
