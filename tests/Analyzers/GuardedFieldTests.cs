// SPDX-License-Identifier: Apache-2.0
using CVisor.Analyzers.Tests.Support;

namespace CVisor.Analyzers.Tests;

public sealed class GuardedFieldTests
{
    private static async Task Check(string members) => await new Snippet<GuardedFieldAnalyzer>($$"""
        using System.Collections.Generic;
        using System.Linq;
        using System.Threading;
        sealed class C
        {
            private readonly Lock _lock = new();
            private readonly object _monitor = new();
            [GuardedBy(nameof(_lock))] private int _count;
            [GuardedBy("_lock")] private List<int> _list = [];
            [GuardedBy(nameof(_monitor))] private int _other;
            [GuardedBy("Owner.Lock")] private int _owned;
            private static readonly Lock s_lock = new();
            [GuardedBy(nameof(s_lock))] private static int s_shared;
            private C Owner => this;
            private Lock Lock => _lock;
            {{members}}
        }
        """).Check();

    [Fact]
    public async Task Reports_a_touch_without_the_lock() => await Check("""
        int Read() => [|_count|];
        void Write() { [|_count|] = 1; [|_list|].Add(2); [|s_shared|]++; }
        int Property { get { return [|_owned|]; } }
        void After() { lock (_lock) { } [|_count|] = 1; }
        void Wrong() { lock (_monitor) { [|_count|] = 1; } }
        void AnotherObject(C other) { lock (_lock) { [|other._count|] = 1; } }
        void AfterExit() { _lock.Enter(); _count = 1; _lock.Exit(); [|_count|] = 2; }
        """);

    [Fact]
    public async Task Accepts_every_way_to_hold_it() => await Check("""
        public C(int n) { _count = n; }
        void Statement() { lock (_lock) { _count = 1; _list.Add(2); } }
        void ByThis() { lock (this._lock) { this._count = 1; } }
        void Scope() { using (_lock.EnterScope()) { _count = 1; } }
        void Declared() { using Lock.Scope scope = _lock.EnterScope(); if (_count > 0) { _count = 1; } }
        void EnterExit() { _lock.Enter(); try { _count = 1; } finally { _lock.Exit(); } }
        void Plain() { _lock.Enter(); _count = 1; _lock.Exit(); }
        void OfMonitor() { Monitor.Enter(_monitor); try { _other = 1; } finally { Monitor.Exit(_monitor); } }
        void AnotherObject(C other) { lock (other._lock) { other._count = 1; } }
        void Path(C other) { lock (other.Owner.Lock) { other._owned = 1; } }
        void Shared() { lock (s_lock) { s_shared = 1; } }
        void SharedByType() { lock (C.s_lock) { C.s_shared = 1; } }
        [RequiresLock(nameof(_lock))] int CountLocked() => _count;
        [RequiresLock(nameof(_lock))] int CountsLocked { get { return _count; } }
        static C Make() { C made = new(1); made._count = 2; return new C(3) { _count = 4 }; }
        int Racy() => Volatile.Read(ref _count) + Interlocked.Add(ref _count, 1);
        string Name() => nameof(_count);
        """);

    [Fact]
    public async Task A_lambda_runs_under_the_lock_only_if_it_runs_at_once() => await Check("""
        static void Post(Action a) { } void Later() { lock (_lock) { Post(() => [|_count|]++); } }
        void Work() { lock (_lock) { Action a = () => [|_count|]++; a(); } }
        int Now() { lock (_lock) { return _list.FindAll(n => n > _count).Count(n => n == _count); } }
        void Local() { lock (_lock) { F(); G(); } void F() => [|_count|]++; [RequiresLock(nameof(_lock))] void G() => _count++; }
        """);
}
