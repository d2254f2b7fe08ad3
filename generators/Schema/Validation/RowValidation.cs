// SPDX-License-Identifier: Apache-2.0
using CVisor.Schema.Model;
using CVisor.Schema.Parsing;

namespace CVisor.Schema.Validation;

/// <summary>What a row must say beyond being well-formed.</summary>
internal static class RowValidation
{
    public static void Check(SpecFile file, SpecSource source)
    {
        SyscallRow? previous = null;
        foreach (Placed<SyscallRow> row in source.Rows)
        {
            SyscallRow model = row.Model;
            if (model.Support == SupportLevel.Partial && model.Note.Length == 0)
            {
                file.Reader.Report(row.Key, SpecRules.MissingNote, $"{model.Name}: partial support needs a note that names what is missing");
            }

            if (model.IsStanding && (model.Args.Count > 0 || model.Blocks || model.Support != SupportLevel.Full))
            {
                file.Reader.Report(row.Key, SpecRules.BadRow, $"{model.Name}: only a call that takes nothing, never waits and is supported in full has a standing answer");
            }

            if (previous?.Family == model.Family && string.CompareOrdinal(previous.Name, model.Name) > 0)
            {
                file.Reader.Report(row.Key, SpecRules.Unsorted, $"{model.Name}: comes before {previous.Name} in family {model.Family}");
            }

            previous = model;
        }
    }
}
