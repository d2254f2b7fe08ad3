// SPDX-License-Identifier: Apache-2.0
using System;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace CVisor.Analyzers;

/// <summary>Comments that carry a reason a rule asks for, such as <c>// SAFETY: the page is pinned</c>.</summary>
internal static class LineComment
{
    /// <summary>Whether a comment with the marker and a reason stands directly before the node.</summary>
    /// <param name="node">The node.</param>
    /// <param name="marker">The marker, such as <c>SAFETY</c>.</param>
    internal static bool Precedes(SyntaxNode node, string marker) => HasReason(node.GetFirstToken().LeadingTrivia, marker);

    /// <summary>Whether one of the comments in the trivia is <c>// MARKER: reason</c>.</summary>
    /// <param name="trivia">The trivia.</param>
    /// <param name="marker">The marker.</param>
    internal static bool HasReason(SyntaxTriviaList trivia, string marker)
    {
        foreach (SyntaxTrivia item in trivia)
        {
            if (item.IsKind(SyntaxKind.SingleLineCommentTrivia) && IsReason(item.ToString(), marker))
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsReason(string comment, string marker)
    {
        string text = comment.TrimStart('/').Trim();
        if (!text.StartsWith(marker + ":", StringComparison.Ordinal))
        {
            return false;
        }

        // The text a code fix leaves is not yet a reason.
        string reason = text.Substring(marker.Length + 1).Trim();
        return reason.Length > 0 && !reason.StartsWith("TODO", StringComparison.Ordinal);
    }
}
