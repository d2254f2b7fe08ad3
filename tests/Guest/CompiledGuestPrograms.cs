// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Guest.Tests;

/// <summary>Compiles all guest programs side by side before the first of them runs; a refusal is reported by that program's own test.</summary>
public sealed class CompiledGuestPrograms : IAsyncLifetime
{
    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        Requirements.NeedCommand("gcc");
        await Task.WhenAll(GuestProgram.All.Select(async program =>
        {
            try
            {
                await GuestRoot.AddAsync(program);
            }
            catch (InvalidOperationException)
            {
                // The test of this program compiles it again and fails with the compiler's words.
            }
        }));
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
