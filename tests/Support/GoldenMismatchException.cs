// SPDX-License-Identifier: Apache-2.0
namespace CVisor.Tests.Support;

/// <summary>A text is not what its golden file says.</summary>
public sealed class GoldenMismatchException : Exception
{
    /// <summary>Initializes the exception without a message.</summary>
    public GoldenMismatchException()
    {
    }

    /// <summary>Initializes the exception with the difference as its message.</summary>
    /// <param name="message">What differs, and where.</param>
    public GoldenMismatchException(string message)
        : base(message)
    {
    }

    /// <summary>Initializes the exception with a cause.</summary>
    /// <param name="message">What differs, and where.</param>
    /// <param name="innerException">The cause.</param>
    public GoldenMismatchException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
