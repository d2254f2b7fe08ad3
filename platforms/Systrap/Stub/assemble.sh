#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Assembles Stub.x64.s into StubX64.cs and its disassembly; run it after changing the source. Needs binutils.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
exec ../../../kernel/Host/Code/assemble.sh ./Stub.x64.s CVisor.Platforms.Systrap
