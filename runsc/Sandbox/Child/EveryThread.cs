// SPDX-License-Identifier: Apache-2.0
using System.Runtime.CompilerServices;

namespace CVisor.Runsc.Sandbox;

/// <summary>
/// Runs something in each thread of a young process: the calling one and the runtime's finalizer thread. Credentials and
/// capabilities are the thread's in Linux, and there is no call that changes them for all.
/// </summary>
internal static class EveryThread
{
    /// <summary>Runs the action on both threads; its exception reaches the caller from either.</summary>
    public static void Run(Action action)
    {
        Outcome outcome = new();
        Plant(action, outcome);
        GC.Collect(0);
        GC.WaitForPendingFinalizers();
        if (outcome.Error is not null)
        {
            throw new InvalidOperationException("in the finalizer thread: " + outcome.Error.Message, outcome.Error);
        }

        if (!outcome.Ran)
        {
            throw new InvalidOperationException("the runtime's finalizer thread did not answer");
        }

        action();
    }

    // Not inlined, so that no register or stack slot of the caller keeps the object alive.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Plant(Action action, Outcome outcome) => _ = new Messenger(action, outcome);

    private sealed class Outcome
    {
        public volatile bool Ran;
        public volatile Exception? Error;
    }

    private sealed class Messenger(Action action, Outcome outcome)
    {
        ~Messenger()
        {
            try
            {
                action();
            }
            catch (InvalidOperationException error)
            {
                outcome.Error = error;
            }
            catch (CVisor.Host.HostException error)
            {
                outcome.Error = error;
            }

            outcome.Ran = true;
        }
    }
}
