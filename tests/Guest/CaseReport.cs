// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Guest.Tests;

/// <summary>Judges the cases of one run of a guest program.</summary>
internal static class CaseReport
{
    /// <summary>Fails the calling test when a case failed that is not in the block list, or one that is there did not.</summary>
    /// <param name="cases">The cases.</param>
    /// <param name="expectedFailures">The block list's.</param>
    public static void Check(IReadOnlyList<GuestCase> cases, IReadOnlySet<string> expectedFailures)
    {
        List<string> problems = [];
        foreach (GuestCase failed in cases.Where(c => c.Outcome == GuestOutcome.Failed && !expectedFailures.Contains(c.Name)))
        {
            problems.Add($"not ok {failed.Name}: {failed.Message}");
        }

        foreach (string name in expectedFailures.Where(name => cases.Any(c => c.Name == name && c.Outcome != GuestOutcome.Failed)
            || (name == "*" && cases.All(c => c.Name != "*"))))
        {
            problems.Add($"{name} is in the block list but did not fail: take it out");
        }

        if (!expectedFailures.Contains("*"))
        {
            foreach (string name in expectedFailures.Where(name => cases.All(c => c.Name != name)))
            {
                problems.Add($"{name} is in the block list but never ran");
            }
        }

        foreach (GuestCase skipped in cases.Where(c => c.Outcome == GuestOutcome.Skipped))
        {
            TestContext.Current.TestOutputHelper?.WriteLine($"skipped {skipped.Name}: {skipped.Message}");
        }

        if (problems.Count > 0)
        {
            Assert.Fail(string.Join('\n', problems));
        }
    }
}
