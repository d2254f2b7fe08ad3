// SPDX-License-Identifier: Apache-2.0
using CVisor.Analyzers.Tests.Support;

namespace CVisor.Analyzers.Tests;

public sealed class LockRequiredTests
{
    private static async Task Check(string members) => await new Snippet<LockRequiredAnalyzer>($$"""
        using System.Threading;
        class C
        {
            protected readonly Lock _lock = new();
            public Lock Lock => _lock;
            [RequiresLock(nameof(_lock))] protected virtual int CountLocked() => 0;
            [RequiresLock(nameof(Lock))] public int SizeLocked => 0;
            class Store { public IDisposable Hold(int id) => null!; }
            [RequiresLock("Store.Hold")] void StartLocked() { }
            [RequiresLock("parent.Lock")] static void Link(C parent, int n) { }
            private static readonly Lock s_all = new();
            [RequiresLock(nameof(s_all))] void ListLocked() { }
            {{members}}
        }
        """).Check();

    [Fact]
    public async Task Reports_a_use_without_the_lock() => await Check("""
        int Call() => [|CountLocked()|];
        int Property(C c) => [|c.SizeLocked|];
        int Wrong(C c) { lock (Lock) { return [|c.SizeLocked|]; } }
        void Held(Store store) { using (store.Hold(1)) { } [|StartLocked()|]; }
        void ByParameter(C c) { lock (Lock) { [|Link(c, 1)|]; } }
        void Shared(C c) { lock (c._lock) { [|c.ListLocked()|]; } }
        [RequiresLock("Store.Lock")] int OtherType(C c) => [|c.SizeLocked|];
        class D : C { protected override int CountLocked() => 1; int Overridden() => [|CountLocked()|]; }
        """);

    [Fact]
    public async Task Accepts_a_use_under_it() => await Check("""
        C() { _ = CountLocked(); }
        int Call() { lock (_lock) { return CountLocked(); } }
        int Property(C c) { lock (c.Lock) { return c.SizeLocked; } }
        int Maybe(C? c) { lock (c!.Lock) { return c?.SizeLocked ?? 0; } }
        void ByParameter(C c) { lock (c.Lock) { Link(c, 1); } }
        [RequiresLock("parent.Lock")] void Passed(C parent) => Link(parent, 2);
        void Held(Store store) { using IDisposable held = store.Hold(1); StartLocked(); }
        [RequiresLock(nameof(_lock))] int BothLocked() => CountLocked() + 1;
        void Shared(C c) { lock (s_all) { c.ListLocked(); } }
        [RequiresLock("C.Lock")] int ByItsType(C c) => c.SizeLocked;
        class D : C { protected override int CountLocked() => base.CountLocked() + 1; }
        """);
}
