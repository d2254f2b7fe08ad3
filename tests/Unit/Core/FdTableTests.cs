// SPDX-License-Identifier: Apache-2.0
using CVisor.Abi;
using CVisor.Core.Vfs;

namespace CVisor.Core.Tests;

public sealed class FdTableTests
{
    [Theory]
    [InlineData(-1)]
    [InlineData(int.MinValue)]
    [InlineData(0)]
    [InlineData(int.MaxValue)]
    public void A_number_that_is_not_open_is_no_bug_of_ours(int fd)
    {
        FdTable table = new();
        table.Get(fd).ShouldBeNull();
        table.Remove(fd).ShouldBeNull();
        table.GetCloseOnExec(fd, out _).ShouldBe(Errno.EBADF);
        table.SetCloseOnExec(fd, true).ShouldBe(Errno.EBADF);
    }
}
