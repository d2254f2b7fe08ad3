// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using Iced.Intel;

namespace CVisor.Generators.MachineCode;

/// <summary>The names that a piece of code has for its places, and what constants of the code itself need to know of them.</summary>
internal sealed class CodeSymbols
{
    /// <summary>What an offset is taken for in the first round: one that needs four bytes.</summary>
    private const int Unknown = 0x1000;

    private readonly Assembler? _assembler;
    private readonly CodeSymbols? _before;
    private readonly List<KeyValuePair<string, int>> _places = new();
    private readonly Dictionary<string, int> _offsets = new(StringComparer.Ordinal);

    /// <summary>Knows nothing.</summary>
    public CodeSymbols()
    {
    }

    /// <summary>Collects the names of a round.</summary>
    public CodeSymbols(Assembler assembler, CodeSymbols before) => (_assembler, _before) = (assembler, before);

    /// <summary>All names, by place.</summary>
    public IEnumerable<CodeSymbol> InOrder => _places.Select(p => new CodeSymbol(p.Key, _offsets[p.Key]));

    /// <summary>Names the place of the next instruction.</summary>
    public void Mark(string name) => _places.Add(new(name, _assembler!.Instructions.Count));

    /// <summary>The offset of a place, anywhere in the code, as a constant.</summary>
    public int Offset(string name) => _before!._offsets.TryGetValue(name, out int offset) ? offset : Unknown;

    /// <summary>Learns where the instructions lie; whether that is what they were told.</summary>
    public bool Settle(uint[] offsets, int end)
    {
        foreach (KeyValuePair<string, int> place in _places)
        {
            _offsets.Add(place.Key, place.Value < offsets.Length ? (int)offsets[place.Value] : end);
        }

        return _places.All(p => _before!._offsets.TryGetValue(p.Key, out int before) && before == _offsets[p.Key]);
    }
}
