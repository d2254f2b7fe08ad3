# SPDX-License-Identifier: Apache-2.0
# needs: cmake g++
# root: host
mkdir src; cat > src/CMakeLists.txt <<'X'
cmake_minimum_required(VERSION 3.10)
project(P C CXX)
enable_testing()
add_library(l SHARED l.c)
add_executable(m m.cpp)
target_link_libraries(m l)
add_test(NAME t COMMAND m)
X
echo 'int f(void){return 7;}' > src/l.c; printf '#include <cstdio>\nextern "C" int f(); int main(){ std::printf("%%d\\n", f()); }\n' > src/m.cpp
cmake -S src -B b > log 2>&1 && cmake --build b -j2 >> log 2>&1 && b/m && (cd b && ctest 2>&1 | grep 'tests passed') || cat log
