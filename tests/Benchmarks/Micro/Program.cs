// SPDX-License-Identifier: Apache-2.0
using BenchmarkDotNet.Running;

// dotnet run -c Release --project tests/Benchmarks/Micro [-- --filter '*Codecs*']
BenchmarkSwitcher.FromAssembly(typeof(CVisor.Benchmarks.Micro.NinePCodecs).Assembly).Run(args.Length == 0 ? ["--filter", "*"] : args);
