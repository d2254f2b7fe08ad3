# SPDX-License-Identifier: Apache-2.0
# needs: perl
perl -e '
my %h = map { $_ => $_ * $_ } 1..5; print join(",", map { "$_=$h{$_}" } sort keys %h), "\n";
$_ = "The quick brown fox"; my @w = /(\w+)/g; print scalar(@w), " ", join("|", reverse @w), "\n"; s/quick/slow/; print "$_\n";
pipe(R, W); my $p = fork(); if (!$p) { close R; print W "from the child\n"; close W; exit 5 } close W; print scalar <R>; waitpid $p, 0; print $? >> 8, "\n";
$SIG{ALRM} = sub { print "alarm\n" }; alarm 1; select undef, undef, undef, 3; open F, ">f"; print F "line $_\n" for 1..1000; close F; open F, "f"; my $n = 0; $n++ while <F>; print "$n\n";
print `echo from a shell`; printf "%s %05.2f\n", join("", sort { $b <=> $a } 3, 10, 2), 3.14159; local $SIG{__DIE__}; eval { die "caught\n" }; print $@; print -s "f", "\n"; opendir D, "."; print scalar(grep { !/^\./ } readdir D), "\n";
use Socket; socketpair(A, B, AF_UNIX, SOCK_STREAM, PF_UNSPEC); syswrite A, "pair"; sysread B, my $x, 10; print "$x\n"; print sprintf("%b", 10), " ", ucfirst(lc "WORD"), "\n";
'
