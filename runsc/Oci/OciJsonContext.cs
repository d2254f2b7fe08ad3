// SPDX-License-Identifier: Apache-2.0
using System.Text.Json.Serialization;

namespace CVisor.Runsc.Oci;

/// <summary>Compiled JSON readers and writers of the OCI documents.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    WriteIndented = true)]
[JsonSerializable(typeof(OciSpec))]
[JsonSerializable(typeof(OciProcess))]
[JsonSerializable(typeof(OciState))]
[JsonSerializable(typeof(OciFeatures))]
public sealed partial class OciJsonContext : JsonSerializerContext;
