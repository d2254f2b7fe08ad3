// SPDX-License-Identifier: Apache-2.0
using System;
using System.Collections.Generic;
using System.Linq;
using Microsoft.CodeAnalysis;

namespace CVisor.Analyzers;

/// <summary>The layout of a struct on a 64-bit Linux host, by the C rules that the runtime follows.</summary>
internal static class StructLayout
{
    /// <summary>LayoutKind.Sequential.</summary>
    internal const int Sequential = 0;

    /// <summary>LayoutKind.Explicit.</summary>
    internal const int Explicit = 2;

    private const string Interop = "System.Runtime.InteropServices";

    /// <summary>The kind that the struct's own attribute states, or null when it has none.</summary>
    internal static int? StatedKind(INamedTypeSymbol type) => Attribute(type) is not { } layout
        ? null
        : layout.ConstructorArguments.Length == 1 ? Convert.ToInt32(layout.ConstructorArguments[0].Value) : null;

    /// <summary>The instance fields in order, those behind properties included.</summary>
    internal static IEnumerable<IFieldSymbol> Fields(INamedTypeSymbol type) =>
        type.GetMembers().OfType<IFieldSymbol>().Where(static f => !f.IsStatic && !f.IsConst);

    /// <summary>Whether every bit of the type means the same to C: no reference, bool, char or decimal anywhere in it.</summary>
    internal static bool IsBlittable(ITypeSymbol type) => type switch
    {
        IPointerTypeSymbol or IFunctionPointerTypeSymbol => true,
        INamedTypeSymbol { EnumUnderlyingType: not null } => true,
        { SpecialType: SpecialType.System_Boolean or SpecialType.System_Char or SpecialType.System_Decimal } => false,
        _ when Primitive(type) > 0 => true,
        INamedTypeSymbol { IsValueType: true } nested => Fields(nested).All(static f => f.IsFixedSizeBuffer || IsBlittable(f.Type)),
        _ => false,
    };

    /// <summary>The size in bytes of a blittable type.</summary>
    internal static int SizeOf(ITypeSymbol type) => Measure(type).Size;

    private static (int Size, int Align) Measure(ITypeSymbol type)
    {
        if (type is IPointerTypeSymbol or IFunctionPointerTypeSymbol)
        {
            return (8, 8);
        }

        if (type is INamedTypeSymbol { EnumUnderlyingType: { } underlying })
        {
            return Measure(underlying);
        }

        if (Primitive(type) is > 0 and var size)
        {
            return (size, size);
        }

        if (type.Is("System", "Int128") || type.Is("System", "UInt128"))
        {
            return (16, 16);
        }

        return type is INamedTypeSymbol named ? MeasureStruct(named) : (0, 1);
    }

    private static (int Size, int Align) MeasureStruct(INamedTypeSymbol type)
    {
        AttributeData? layout = Attribute(type);
        int pack = Named(layout, "Pack");
        bool isExplicit = StatedKind(type) == Explicit;
        int end = 0, align = 1;
        foreach (IFieldSymbol field in Fields(type))
        {
            (int fieldSize, int fieldAlign) = field.IsFixedSizeBuffer && field.Type is IPointerTypeSymbol { PointedAtType: var element }
                ? (checked(Measure(element).Size * field.FixedSize), Measure(element).Align)
                : Measure(field.Type);
            fieldAlign = pack > 0 ? Math.Min(fieldAlign, pack) : fieldAlign;
            int offset = isExplicit ? Offset(field) : RoundUp(end, fieldAlign);
            end = Math.Max(end, offset + fieldSize);
            align = Math.Max(align, fieldAlign);
        }

        int length = InlineLength(type);
        end = length > 1 ? RoundUp(end, align) * length : end;
        return (Math.Max(RoundUp(Math.Max(end, 1), align), Named(layout, "Size")), align);
    }

    private static int Primitive(ITypeSymbol type) => type.SpecialType switch
    {
        SpecialType.System_Byte or SpecialType.System_SByte => 1,
        SpecialType.System_Int16 or SpecialType.System_UInt16 => 2,
        SpecialType.System_Int32 or SpecialType.System_UInt32 or SpecialType.System_Single => 4,
        SpecialType.System_Int64 or SpecialType.System_UInt64 or SpecialType.System_Double => 8,
        SpecialType.System_IntPtr or SpecialType.System_UIntPtr => 8,
        _ => 0,
    };

    private static AttributeData? Attribute(ISymbol type) => type.GetAttributes().FirstOrDefault(static a => a.AttributeClass.Is(Interop, "StructLayoutAttribute"));

    private static int Named(AttributeData? attribute, string name) =>
        attribute?.NamedArguments.FirstOrDefault(a => a.Key == name).Value.Value as int? ?? 0;

    private static int Offset(IFieldSymbol field) => field.GetAttributes()
        .Concat(field.AssociatedSymbol?.GetAttributes() ?? [])
        .FirstOrDefault(static a => a.AttributeClass.Is(Interop, "FieldOffsetAttribute"))?.ConstructorArguments[0].Value as int? ?? 0;

    private static int InlineLength(INamedTypeSymbol type) => type.GetAttributes()
        .FirstOrDefault(static a => a.AttributeClass.Is("System.Runtime.CompilerServices", "InlineArrayAttribute"))?.ConstructorArguments[0].Value as int? ?? 1;

    private static int RoundUp(int value, int align) => (value + align - 1) / align * align;
}
