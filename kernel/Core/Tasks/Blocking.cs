// SPDX-License-Identifier: Apache-2.0
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;

namespace CVisor.Core.Tasks;

/// <summary>
/// The result of kernel work that may have to wait: there already, or there once the waiting task has been woken and its worker has run the rest.
/// </summary>
/// <remarks>
/// Write such work as an <c>async</c> method that returns <c>Blocking&lt;T&gt;</c> and awaits <see cref="Task.Block"/>. No host thread waits: the compiler keeps
/// the rest of the method in a box that is pooled per method and thread, so that neither the straight path nor, once warm, the waiting one allocates.
/// A task runs one such call at a time, and only its worker touches the box; there is no synchronization context, no thread pool, no cancellation
/// token: an interrupted wait says so (<see cref="BlockOutcome"/>) and the method decides.
/// </remarks>
/// <typeparam name="T">The result.</typeparam>
[AsyncMethodBuilder(typeof(BlockingMethodBuilder<>))]
public readonly struct Blocking<T>
{
    private readonly T _result;
    private readonly BlockingBox<T>? _box;

    internal Blocking(T result) => (_result, _box) = (result, null);

    internal Blocking(BlockingBox<T> box) => (_result, _box) = (default!, box);

    /// <summary>Whether the result is there.</summary>
    public bool IsCompleted => _box is null || _box.IsDone;

    /// <summary>Takes the result, once, when <see cref="IsCompleted"/>.</summary>
    public T Take() => _box is null ? _result : _box.Take();

    /// <summary>For <c>await</c>.</summary>
    public BlockingAwaiter<T> GetAwaiter() => new(this);

    internal void OnCompleted(Action continuation) => _box!.Continuation = continuation;

    /// <summary>A result that is there.</summary>
    public static implicit operator Blocking<T>(T result) => new(result);
}

/// <summary>Awaits a <see cref="Blocking{T}"/>.</summary>
/// <typeparam name="T">The result.</typeparam>
public readonly struct BlockingAwaiter<T> : ICriticalNotifyCompletion
{
    private readonly Blocking<T> _blocking;

    internal BlockingAwaiter(Blocking<T> blocking) => _blocking = blocking;

    /// <summary>Whether the result is there.</summary>
    public bool IsCompleted => _blocking.IsCompleted;

    /// <summary>Takes the result.</summary>
    public T GetResult() => _blocking.Take();

    /// <inheritdoc/>
    public void OnCompleted(Action continuation) => _blocking.OnCompleted(continuation);

    /// <inheritdoc/>
    public void UnsafeOnCompleted(Action continuation) => _blocking.OnCompleted(continuation);
}

/// <summary>Where the rest of a waiting method is kept.</summary>
internal abstract class BlockingBox<T>
{
    private T _result = default!;
    private ExceptionDispatchInfo? _bug;

    internal bool IsDone { get; private set; }

    internal Action? Continuation { get; set; }

    internal void Complete(T result)
    {
        _result = result;
        Finish();
    }

    internal void Fail(Exception bug)
    {
        _bug = ExceptionDispatchInfo.Capture(bug);
        Finish();
    }

    internal T Take()
    {
        T result = _result;
        ExceptionDispatchInfo? bug = _bug;
        _result = default!;
        _bug = null;
        IsDone = false;
        Recycle();
        bug?.Throw();
        return result;
    }

    private protected abstract void Recycle();

    private void Finish()
    {
        IsDone = true;
        Action? continuation = Continuation;
        Continuation = null;
        continuation?.Invoke();
    }
}

/// <summary>The box of one method.</summary>
internal sealed class BlockingBox<T, TStateMachine> : BlockingBox<T>
    where TStateMachine : IAsyncStateMachine
{
    [ThreadStatic]
    private static BlockingBox<T, TStateMachine>? t_free;

    private BlockingBox<T, TStateMachine>? _nextFree;

    internal TStateMachine StateMachine = default!;

    private BlockingBox() => MoveNextAction = MoveNext;

    internal Action MoveNextAction { get; }

    internal static BlockingBox<T, TStateMachine> Rent()
    {
        BlockingBox<T, TStateMachine>? box = t_free;
        if (box is null)
        {
            return new BlockingBox<T, TStateMachine>();
        }

        t_free = box._nextFree;
        box._nextFree = null;
        return box;
    }

    private protected override void Recycle()
    {
        StateMachine = default!;
        _nextFree = t_free;
        t_free = this;
    }

    private void MoveNext() => StateMachine.MoveNext();
}

/// <summary>Lets the compiler build <c>async</c> methods that return <see cref="Blocking{T}"/>.</summary>
/// <typeparam name="T">The result.</typeparam>
public struct BlockingMethodBuilder<T>
{
    private BlockingBox<T>? _box;
    private T _result;
    private ExceptionDispatchInfo? _bug;

    /// <summary>The method's return value.</summary>
    public readonly Blocking<T> Task
    {
        get
        {
            _bug?.Throw();
            return _box is null ? new Blocking<T>(_result) : new Blocking<T>(_box);
        }
    }

    /// <summary>A fresh builder.</summary>
    public static BlockingMethodBuilder<T> Create() => default;

    /// <summary>Runs the method up to its first wait.</summary>
    public readonly void Start<TStateMachine>(ref TStateMachine stateMachine)
        where TStateMachine : IAsyncStateMachine => stateMachine.MoveNext();

    /// <summary>Part of the builder pattern; not used by the compiler for structs.</summary>
    public readonly void SetStateMachine(IAsyncStateMachine stateMachine) => _ = stateMachine;

    /// <summary>The method returned.</summary>
    public void SetResult(T result)
    {
        if (_box is null)
        {
            _result = result;
        }
        else
        {
            _box.Complete(result);
        }
    }

    /// <summary>The method threw, which is a bug of ours.</summary>
    public void SetException(Exception exception)
    {
        if (_box is null)
        {
            _bug = ExceptionDispatchInfo.Capture(exception);
        }
        else
        {
            _box.Fail(exception);
        }
    }

    /// <summary>The method waits.</summary>
    public void AwaitOnCompleted<TAwaiter, TStateMachine>(ref TAwaiter awaiter, ref TStateMachine stateMachine)
        where TAwaiter : INotifyCompletion
        where TStateMachine : IAsyncStateMachine => awaiter.OnCompleted(Box(ref stateMachine).MoveNextAction);

    /// <summary>The method waits.</summary>
    public void AwaitUnsafeOnCompleted<TAwaiter, TStateMachine>(ref TAwaiter awaiter, ref TStateMachine stateMachine)
        where TAwaiter : ICriticalNotifyCompletion
        where TStateMachine : IAsyncStateMachine => awaiter.UnsafeOnCompleted(Box(ref stateMachine).MoveNextAction);

    private BlockingBox<T, TStateMachine> Box<TStateMachine>(ref TStateMachine stateMachine)
        where TStateMachine : IAsyncStateMachine
    {
        if (_box is BlockingBox<T, TStateMachine> existing)
        {
            return existing;
        }

        BlockingBox<T, TStateMachine> box = BlockingBox<T, TStateMachine>.Rent();
        _box = box; // Before the copy: the boxed state machine's builder must know its box.
        box.StateMachine = stateMachine;
        return box;
    }
}
