# SPDX-License-Identifier: Apache-2.0
# needs: g++
# root: host
cat > t.cc <<'E'
#include <iostream>
#include <thread>
#include <vector>
#include <map>
#include <future>
#include <regex>
#include <filesystem>
template<int N> struct F{ static constexpr long v=F<N-1>::v*N; }; template<> struct F<0>{ static constexpr long v=1; };
int main(){ std::cout<<F<15>::v<<"\n"; std::vector<std::thread> t; std::atomic<int> c{0}; for(int i=0;i<16;i++) t.emplace_back([&]{ for(int j=0;j<1000;j++) c++; }); for(auto&x:t)x.join(); std::cout<<c<<"\n";
 auto f=std::async(std::launch::async,[]{return 42;}); std::cout<<f.get()<<"\n"; try{ throw std::runtime_error("ex"); }catch(std::exception&e){ std::cout<<e.what()<<"\n"; }
 std::cout<<std::regex_replace("hello world",std::regex("o"),"0")<<"\n"; std::cout<<std::filesystem::exists("/etc/passwd")<<"\n"; }
E
g++ -O1 -std=c++17 -pthread t.cc -o t && ./t
