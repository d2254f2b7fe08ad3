// SPDX-License-Identifier: Apache-2.0
// syscalls: clock_gettime clock_getres gettimeofday time getcpu
// The vDSO (vdso(7)): found by its ELF header, its clocks compared with those of the system calls.
#include "../guest.h"
#include <elf.h>
#include <sys/auxv.h>
#include <sys/time.h>

static const Elf64_Ehdr *image;
static const char *names;
static const Elf64_Sym *symbols;
static const uint32_t *buckets;
static const Elf64_Versym *versions;
static const Elf64_Verdef *definitions;

static void open_vdso(void) {
    image = (const Elf64_Ehdr *)getauxval(AT_SYSINFO_EHDR);
    CHECK(image != NULL);
    CHECK_EQ((uintptr_t)image % 4096, 0);
    CHECK_EQ(memcmp(image->e_ident, ELFMAG, SELFMAG), 0);
    CHECK_EQ(image->e_ident[EI_CLASS], ELFCLASS64);
    CHECK_EQ(image->e_type, ET_DYN);
    const Elf64_Phdr *headers = (const void *)((const char *)image + image->e_phoff);
    const Elf64_Dyn *dynamic = NULL;
    uintptr_t base = 0;
    int loads = 0;
    for (int i = 0; i < image->e_phnum; i++) {
        if (headers[i].p_type == PT_LOAD) {
            base = (uintptr_t)image + headers[i].p_offset - headers[i].p_vaddr;
            CHECK_EQ(headers[i].p_flags & PF_W, 0);
            loads++;
        }
        if (headers[i].p_type == PT_DYNAMIC) dynamic = (const void *)((const char *)image + headers[i].p_offset);
    }
    CHECK_EQ(loads, 1);
    CHECK(dynamic != NULL);
    for (; dynamic->d_tag != DT_NULL; dynamic++) {
        const void *at = (const void *)(base + dynamic->d_un.d_ptr);
        switch (dynamic->d_tag) {
            case DT_STRTAB: names = at; break;
            case DT_SYMTAB: symbols = at; break;
            case DT_HASH: buckets = at; break;
            case DT_VERSYM: versions = at; break;
            case DT_VERDEF: definitions = at; break;
            case DT_SONAME: break;
        }
    }
    CHECK(names && symbols);
}
// By number of symbols: that of DT_HASH, or, where the image has only the GNU table, up to the strings that follow them.
static void *find(const char *name, const char *version) {
    size_t count = buckets ? buckets[1] : ((uintptr_t)names - (uintptr_t)symbols) / sizeof *symbols;
    for (size_t i = 0; i < count; i++) {
        if (symbols[i].st_shndx == SHN_UNDEF || ELF64_ST_TYPE(symbols[i].st_info) != STT_FUNC || strcmp(names + symbols[i].st_name, name)) continue;
        CHECK(versions && definitions);
        const Elf64_Verdef *d = definitions;
        while (d->vd_ndx != (versions[i] & 0x7fff)) {
            CHECK(d->vd_next != 0);
            d = (const void *)((const char *)d + d->vd_next);
        }
        const Elf64_Verdaux *a = (const void *)((const char *)d + d->vd_aux);
        CHECK_EQ(strcmp(names + a->vda_name, version), 0);
        return (char *)image + symbols[i].st_value;
    }
    FAIL("no symbol %s", name);
}
#define FIND(name) find("__vdso_" name, "LINUX_2.6")

typedef int gettime_function(clockid_t, struct timespec *);
typedef int getday_function(struct timeval *, struct timezone *);
typedef time_t time_function(time_t *);

static long long ns(const struct timespec *t) { return t->tv_sec * 1000000000LL + t->tv_nsec; }

TEST(its_symbols_are_there) {
    open_vdso();
    FIND("clock_gettime");
    FIND("gettimeofday");
    FIND("time");
    FIND("clock_getres");
    FIND("getcpu");
}
TEST(it_lies_where_the_maps_say) {
    open_vdso();
    FILE *f = fopen("/proc/self/maps", "r");
    CHECK(f != NULL);
    char line[512];
    unsigned long begin, end, found = 0;
    char access[8];
    while (fgets(line, sizeof line, f))
        if (strstr(line, "[vdso]") && sscanf(line, "%lx-%lx %7s", &begin, &end, access) == 3) {
            found++;
            CHECK_EQ(begin, (unsigned long)image);
            CHECK_EQ(strcmp(access, "r-xp"), 0);
        }
    fclose(f);
    CHECK_EQ(found, 1);
}
TEST(its_clocks_are_the_kernels) {
    open_vdso();
    gettime_function *gettime = FIND("clock_gettime");
    // Natively both read the same page. The sandbox draws a line between two clocks: a microsecond or so apart, more in the first moments.
    static const clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME};
    for (unsigned c = 0; c < sizeof clocks / sizeof *clocks; c++) {
        for (int i = 0; i < 200; i++) {
            struct timespec before, now, after;
            OK(SYS(clock_gettime, clocks[c], &before));
            CHECK_EQ(gettime(clocks[c], &now), 0);
            OK(SYS(clock_gettime, clocks[c], &after));
            CHECK(now.tv_nsec >= 0 && now.tv_nsec < 1000000000);
            CHECK(ns(&now) >= ns(&before) - 100000 && ns(&now) <= ns(&after) + 100000);
        }
    }
}
TEST(its_coarse_clocks_lag_by_a_tick_at_most) {
    open_vdso();
    gettime_function *gettime = FIND("clock_gettime");
    static const clockid_t clocks[][2] = {{CLOCK_REALTIME, CLOCK_REALTIME_COARSE}, {CLOCK_MONOTONIC, CLOCK_MONOTONIC_COARSE}};
    for (unsigned c = 0; c < 2; c++) {
        for (int i = 0; i < 200; i++) {
            struct timespec before, coarse, again, after;
            OK(SYS(clock_gettime, clocks[c][0], &before));
            CHECK_EQ(gettime(clocks[c][1], &coarse), 0);
            OK(SYS(clock_gettime, clocks[c][1], &again));
            OK(SYS(clock_gettime, clocks[c][0], &after));
            CHECK(coarse.tv_nsec >= 0 && coarse.tv_nsec < 1000000000);
            CHECK(ns(&coarse) >= ns(&before) - 30000000 && ns(&coarse) <= ns(&after) + 100000);
            // The kernel's is of the same kind: a whole number of ticks away.
            if (in_cvisor()) CHECK_EQ(ns(&coarse) % 4000000, 0);
            CHECK(ns(&again) >= ns(&coarse) - 4000000);
        }
    }
}
TEST(its_clock_never_goes_back) {
    open_vdso();
    gettime_function *gettime = FIND("clock_gettime");
    struct timespec last, now;
    double end = seconds() + 0.4;
    CHECK_EQ(gettime(CLOCK_MONOTONIC, &last), 0);
    for (long i = 0;; i++) {
        CHECK_EQ(gettime(CLOCK_MONOTONIC, &now), 0);
        CHECK(ns(&now) >= ns(&last));
        CHECK(ns(&now) - ns(&last) < 20000000000LL);
        last = now;
        if (i % 1000 == 0 && seconds() > end) break;
    }
}
TEST(clocks_it_does_not_know_are_asked_of_the_kernel) {
    open_vdso();
    gettime_function *gettime = FIND("clock_gettime"), *getres = FIND("clock_getres");
    struct timespec t;
    CHECK_EQ(gettime(CLOCK_THREAD_CPUTIME_ID, &t), 0);
    CHECK_EQ(gettime(CLOCK_MONOTONIC_RAW, &t), 0);
    CHECK_EQ(gettime(CLOCK_REALTIME_COARSE, &t), 0);
    CHECK_EQ(gettime(CLOCK_TAI, &t), 0);
    CHECK_EQ(gettime(99, &t), -EINVAL);
    CHECK_EQ(gettime(-1, &t), -EINVAL);
    CHECK_EQ(getres(CLOCK_MONOTONIC, &t), 0);
    CHECK(t.tv_sec == 0 && t.tv_nsec > 0);
    CHECK_EQ(getres(CLOCK_MONOTONIC, NULL), 0);
    CHECK_EQ(getres(99, &t), -EINVAL);
}
TEST(the_time_of_day) {
    open_vdso();
    getday_function *getday = FIND("gettimeofday");
    time_function *gettime = FIND("time");
    struct timeval before, now, after;
    struct timezone zone = {99, 99};
    OK(SYS(gettimeofday, &before, NULL));
    CHECK_EQ(getday(&now, NULL), 0);
    OK(SYS(gettimeofday, &after, NULL));
    CHECK(now.tv_usec >= 0 && now.tv_usec < 1000000);
    long long a = before.tv_sec * 1000000LL + before.tv_usec, b = now.tv_sec * 1000000LL + now.tv_usec, c = after.tv_sec * 1000000LL + after.tv_usec;
    CHECK(b >= a - 1000 && b <= c + 1000);
    CHECK_EQ(getday(&now, &zone), 0);
    CHECK(zone.tz_minuteswest != 99);
    time_t kept = 0, t = gettime(&kept);
    CHECK_EQ(t, kept);
    CHECK(t >= before.tv_sec - 1 && t <= after.tv_sec + 60);
    CHECK(gettime(NULL) >= t);
}
TEST(it_knows_the_processor) {
    open_vdso();
    long (*getcpu_function)(unsigned *, unsigned *, void *) = FIND("getcpu");
    unsigned cpu = 99999, node = 99999;
    CHECK_EQ(getcpu_function(&cpu, &node, NULL), 0);
    CHECK(cpu < 4096 && node < 1024);
}
TEST(it_can_be_read_and_not_written) {
    open_vdso();
    unsigned char sum = 0;
    for (int i = 0; i < 4096; i++) sum += ((const volatile unsigned char *)image)[i];
    (void)sum;
    CHECK_KILLED(CHILD(*(volatile char *)image = 0), SIGSEGV);
}
