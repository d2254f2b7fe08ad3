// SPDX-License-Identifier: Apache-2.0
using System.Text.Json.Serialization;

namespace CVisor.Runsc.Control;

/// <summary>Compiled JSON readers and writers of what passes between runsc and the sandbox.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(BootConfig))]
[JsonSerializable(typeof(GoferConfig))]
[JsonSerializable(typeof(StartReport))]
[JsonSerializable(typeof(ControlRequest))]
[JsonSerializable(typeof(ControlReply))]
public sealed partial class ControlJsonContext : JsonSerializerContext;
